"""The second classifier's half trained on with other cameras' colours: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_colour_a --data DIR

Begins with `classification_v2b0_second_half_a`. As `classification_v2b0_first_colour_a`.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_colour_a import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_colour_a",
    seed=24,
    start_from="classification_v2b0_second_half_a",
)
