"""The second classifier trained on with worse photographs, as the first was: four epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_camera --data DIR

Begins with `classification_v2b0_second_hair_mean`; everything else but the seed is the first's.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_camera import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_camera",
    seed=13,
    start_from="classification_v2b0_second_hair_mean",
)
