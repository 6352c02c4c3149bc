"""The first classifier's half taught by teachers who see the plain image, of the other half: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_plain_b --data DIR

Begins with `classification_v2b0_first_colour_b`. As `classification_v2b0_first_plain_a`.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_plain_a import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_first_plain_b",
    teachers=("classification_v2b0_first_half_b", "classification_v2b0_second_half_b"),
    seed=27,
    start_from="classification_v2b0_first_colour_b",
    learn=("train", "validation_b", "validation_b"),
    judge="validation_a",
)
