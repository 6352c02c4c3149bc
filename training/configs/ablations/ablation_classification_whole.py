"""Whole images alone, instead of whole images and lesion crops."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_whole", views=("whole",))
