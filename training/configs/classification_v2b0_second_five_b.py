"""The second classifier taught by five, with the other half of the validation lesions: by the clock, 160 px.

python -m training.train_classification --config classification_v2b0_second_five_b --data DIR
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_five_b import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_five_b",
    seed=54,
    start_from="classification_v2b0_second_taught_mean",
)
