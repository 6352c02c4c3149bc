"""The second classifier trained on with more pixels, as the first was: three epochs, 208 px.

    python -m training.fit.train_classification --config classification_v2b0_second_sharp --data DIR

Begins with `classification_v2b0_second_camera_mean`; everything else but the seed is the first's.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_sharp import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_sharp",
    seed=15,
    start_from="classification_v2b0_second_camera_mean",
)
