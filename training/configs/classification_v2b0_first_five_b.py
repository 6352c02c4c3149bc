"""The first classifier taught by five, with the other half of the validation lesions: by the clock, 160 px.

python -m training.train_classification --config classification_v2b0_first_five_b --data DIR
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_five_a import CONFIG as HALF_A

CONFIG = replace(
    HALF_A,
    name="classification_v2b0_first_five_b",
    seed=52,
    learn=("train", "validation_b", "validation_b"),
    judge="validation_a",
)
