"""The segmenter trained on with worse photographs, this time to the end: two epochs, a lower restart, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_steady --data DIR

Begins with `segmentation_v2b0_camera_mean`. The run on record behind that stopped half way down its cosine, which
cost clean masks a little; here the learning rate comes down to the end.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_camera import CONFIG as CAMERA
from training.fit.schedules import Stage

CONFIG = replace(
    CAMERA,
    name="segmentation_v2b0_steady",
    stages=(Stage("all", epochs=2, learning_rate=1.5e-4),),
    start_from="segmentation_v2b0_camera_mean",
    seed=5,
)
