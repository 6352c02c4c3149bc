"""The segmenter trained on with clearer photographs once more: two epochs, another warm restart, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_clear_on --data DIR

Begins with `segmentation_v2b0_clear`, whose loss was still falling.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_clear import CONFIG as CLEAR
from training.fit.schedules import Stage

CONFIG = replace(
    CLEAR,
    name="segmentation_v2b0_clear_on",
    stages=(Stage("all", epochs=2, learning_rate=2.5e-4),),
    start_from="segmentation_v2b0_clear",
    seed=10,
)
