"""The classic encoder of width 32 from scratch, instead of an EfficientNetV2B0 from ImageNet."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(
    BASE, name="ablation_segmentation_scratch_wide", model=BASE.model | {"encoder": None, "base_filters": 32}
)
