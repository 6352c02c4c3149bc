"""Every class equally often, instead of square-root class-balanced sampling."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_balanced", sampling_power=1.0)
