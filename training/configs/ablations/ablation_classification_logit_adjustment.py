"""Every image equally often, and the class prior in the loss (logit adjustment)."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(
    BASE, name="ablation_classification_logit_adjustment", sampling_power=0.0, logit_adjustment=1.0
)
