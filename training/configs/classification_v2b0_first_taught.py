"""The first classifier taught by both: three epochs, targets mostly the pair's own answers, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_taught --data DIR

Begins with `classification_v2b0_first_camera_mean`. The pair answers better than either of its members; each is to
learn what the other knows. The windows are blended more strongly than before: the teachers answer to the blend itself.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_camera import CONFIG as CAMERA
from training.fit.schedules import Stage

CONFIG = replace(
    CAMERA,
    name="classification_v2b0_first_taught",
    stages=(Stage("all", epochs=3, learning_rate=2e-4),),
    augmentation=replace(CAMERA.augmentation, corruption=0.3),
    mixup=1.0,
    teachers=("classification_v2b0_first_camera_mean", "classification_v2b0_second_camera_mean"),
    teacher_share=0.7,
    seed=15,
    start_from="classification_v2b0_first_camera_mean",
)
