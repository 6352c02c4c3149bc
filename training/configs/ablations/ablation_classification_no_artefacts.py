"""Without drawn hair, rulers, ink, bubbles and dark corners over the samples."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(
    BASE, name="ablation_classification_no_artefacts", augmentation=replace(BASE.augmentation, overlay=0.0)
)
