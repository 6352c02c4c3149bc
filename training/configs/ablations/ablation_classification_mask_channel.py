"""The expert's lesion mask as a fourth channel."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(
    BASE, name="ablation_classification_mask_channel", model={**BASE.model, "mask_channel": True}
)
