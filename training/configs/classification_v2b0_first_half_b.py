"""The first classifier with the other half of the validation lesions learned too: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_half_b --data DIR

Begins with `classification_v2b0_first_taught`. The halves of `classification_v2b0_first_half_a`, learned and judging,
change places.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_half_a import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_first_half_b",
    seed=19,
    learn=("train", "validation_b", "validation_b"),
    judge="validation_a",
)
