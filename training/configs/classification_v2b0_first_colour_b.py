"""The first classifier's half trained on with other cameras' colours, of the other half: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_colour_b --data DIR

Begins with `classification_v2b0_first_half_b`. As `classification_v2b0_first_colour_a`.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_colour_a import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_first_colour_b",
    seed=23,
    start_from="classification_v2b0_first_half_b",
    learn=("train", "validation_b", "validation_b"),
    judge="validation_a",
)
