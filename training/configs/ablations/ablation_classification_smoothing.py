"""With label smoothing."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_smoothing", label_smoothing=0.1)
