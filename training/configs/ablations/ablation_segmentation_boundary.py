"""Cross-entropy three times as heavy along the lesion's edge."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_segmentation_boundary", boundary_strength=2.0)
