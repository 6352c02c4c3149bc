"""The second classifier's half taught by teachers who see the plain image: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_plain_a --data DIR

Begins with `classification_v2b0_second_colour_a`. As `classification_v2b0_first_plain_a`.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_plain_a import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_plain_a",
    seed=28,
    start_from="classification_v2b0_second_colour_a",
)
