"""The second classifier taught by five, with half of the validation lesions: by the clock, 160 px.

    python -m training.train_classification --config classification_v2b0_second_five_a --data DIR

As `classification_v2b0_first_five_a`; begins with `classification_v2b0_second_taught_mean`.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_five_a import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_five_a",
    seed=53,
    start_from="classification_v2b0_second_taught_mean",
)
