"""Focal loss with mild class weights instead of cross-entropy."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_focal", focal_gamma=1.5, class_weight_power=0.25)
