"""The segmenter with the other half of the validation lesions: as `segmentation_v2b0_afresh_a`.

    python -m training.train_segmentation --config segmentation_v2b0_afresh_b --data DIR

Both begin with the same weights, so that their mean is a network of its own (`training.merge_halves`).
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_afresh_a import CONFIG as OTHER

CONFIG = replace(
    OTHER,
    name="segmentation_v2b0_afresh_b",
    learn=("train", "validation_b"),
    judge="validation_a",
)
