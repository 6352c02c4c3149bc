"""Noise, JPEG blocks, lost pixels, wrong exposure and colours on four photographs of ten."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(
    BASE, name="ablation_segmentation_camera", augmentation=replace(BASE.augmentation, corruption=0.4)
)
