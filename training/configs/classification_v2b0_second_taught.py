"""The second classifier taught by both, as the first was: three epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_taught --data DIR

Begins with `classification_v2b0_second_camera_mean`; everything else but the seed is the first's.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_taught import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_second_taught",
    seed=16,
    start_from="classification_v2b0_second_camera_mean",
)
