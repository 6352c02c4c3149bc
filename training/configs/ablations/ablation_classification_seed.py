"""The same again with other random numbers: how far apart two runs are by chance."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_seed", seed=2)
