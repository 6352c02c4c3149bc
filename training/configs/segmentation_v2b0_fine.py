"""The segmenter trained on with more pixels: three epochs at 224 px, another warm restart.

    python -m training.train_segmentation --config segmentation_v2b0_fine --data DIR

Begins with `segmentation_v2b0_steady_mean`. The masks are three times as fine as the images here, and a finer grid
lets the decoder place the outline between their pixels.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_steady_on import CONFIG as STEADY
from training.engine import Stage

CONFIG = replace(
    STEADY,
    name="segmentation_v2b0_fine",
    model=STEADY.model | {"input_size_px": 224},
    stages=(Stage("all", epochs=3, learning_rate=2.5e-4),),
    start_from="segmentation_v2b0_steady_mean",
    seed=7,
)
