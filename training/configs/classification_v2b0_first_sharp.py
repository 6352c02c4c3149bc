"""The first classifier trained on with more pixels: three epochs at 208 px, a lower restart.

    python -m training.fit.train_classification --config classification_v2b0_first_sharp --data DIR

Begins with `classification_v2b0_first_camera_mean`. At 160 px the whole image of 200 px had lost pixels of its own,
and the networks answered nearly as well at 208 px before they had been trained there.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_camera import CONFIG as CAMERA
from training.fit.schedules import Stage

CONFIG = replace(
    CAMERA,
    name="classification_v2b0_first_sharp",
    model=CAMERA.model | {"input_size_px": 208},
    stages=(Stage("all", epochs=3, learning_rate=1.2e-4),),
    augmentation=replace(CAMERA.augmentation, corruption=0.3),
    seed=14,
    start_from="classification_v2b0_first_camera_mean",
)
