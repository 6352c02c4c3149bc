"""With multi-scale fusion of the skip connections."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_segmentation_fusion", model=BASE.model | {"multi_scale_fusion": True})
