"""The segmenter with the other half of the validation lesions learned too: one epoch, a low restart, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_half_b --data DIR

The halves of `segmentation_v2b0_half_a`, learned and judging, change places.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_half_a import CONFIG as HALF_A

CONFIG = replace(
    HALF_A,
    name="segmentation_v2b0_half_b",
    seed=12,
    learn=("train", "validation_b", "validation_b", "validation_b"),
    judge="validation_a",
)
