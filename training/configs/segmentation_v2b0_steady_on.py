"""The segmenter trained on once more: two epochs, another warm restart with a few worse photographs less, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_steady_on --data DIR

Begins with `segmentation_v2b0_steady`, the best segmenter alone until then, whose loss was still falling.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_camera import CONFIG as CAMERA
from training.fit.schedules import Stage

CONFIG = replace(
    CAMERA,
    name="segmentation_v2b0_steady_on",
    stages=(Stage("all", epochs=2, learning_rate=2.5e-4),),
    augmentation=replace(CAMERA.augmentation, corruption=0.3),
    start_from="segmentation_v2b0_steady",
    seed=6,
)
