"""Every image equally often, instead of square-root class-balanced sampling."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_instance", sampling_power=0.0)
