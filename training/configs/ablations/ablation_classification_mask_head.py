"""A second head that draws the lesion's mask, as an auxiliary task."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_classification_mask_head", model={**BASE.model, "mask_cells": 12})
