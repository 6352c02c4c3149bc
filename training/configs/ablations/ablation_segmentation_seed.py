"""The same again with other random numbers: how far apart two runs are by chance."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_segmentation_seed", seed=2)
