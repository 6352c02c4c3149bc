"""The classic encoder of width 16 from scratch, instead of an EfficientNetV2B0 from ImageNet."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_segmentation_scratch", model=BASE.model | {"encoder": None})
