"""Cutmix instead of mixup: rectangles of other windows."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_cutmix", mixup=0.0, cutmix=1.0)
