"""Binary cross-entropy alone, instead of cross-entropy and Dice."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_segmentation_bce", loss="bce")
