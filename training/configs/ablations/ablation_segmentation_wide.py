"""A decoder of width 32 instead of 16."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_segmentation_wide", model=BASE.model | {"base_filters": 32})
