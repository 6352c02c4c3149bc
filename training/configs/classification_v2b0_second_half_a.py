"""The second classifier with half of the validation lesions learned too: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_half_a --data DIR

Begins with `classification_v2b0_second_taught_mean`. As the first one's, `classification_v2b0_first_half_a`.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_half_a import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_half_a",
    seed=20,
    start_from="classification_v2b0_second_taught_mean",
)
