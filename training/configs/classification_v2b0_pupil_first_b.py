"""The first pupil with the other half of the validation lesions: as `classification_v2b0_pupil_first_a`.

    python -m training.train_classification --config classification_v2b0_pupil_first_b --data DIR

Both begin with the same weights, so that their mean is a network of its own (`training.merge_halves`).
"""

from dataclasses import replace

from training.configs.classification_v2b0_pupil_first_a import CONFIG as OTHER

CONFIG = replace(
    OTHER,
    name="classification_v2b0_pupil_first_b",
    learn=("train", "validation_b"),
    judge="validation_a",
)
