"""The second classifier with the other half of the validation lesions learned too: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_half_b --data DIR

Begins with `classification_v2b0_second_taught_mean`. As the first one's, `classification_v2b0_first_half_b`.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_half_b import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_half_b",
    seed=21,
    start_from="classification_v2b0_second_taught_mean",
    learn=("train", "validation_b", "validation_b"),
    judge="validation_a",
)
