"""With attention gates on the skip connections."""

from dataclasses import replace

from training.configs.ablations.ablation_segmentation import CONFIG as BASE

CONFIG = replace(BASE, name="ablation_segmentation_gates", model=BASE.model | {"attention_gates": True})
