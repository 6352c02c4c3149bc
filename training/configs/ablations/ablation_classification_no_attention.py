"""Without channel and spatial attention in the head."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_no_attention", model=BASE.model | {"attention": False})
