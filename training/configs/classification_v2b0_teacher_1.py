"""The first of four teachers: EfficientNetV2B0 from ImageNet in one long stage, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_teacher_1 --data DIR --imagenet WEIGHTS.h5

Four networks that differ in their seed alone, so that their mean answers better than any of them; two pupils were
to learn from it (training/HISTORY.md, version 16). Colours, light and artefacts change more than for the networks before,
from the first step on: other clinics' cameras have others, and a teacher must know them to answer for them.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_teacher_1",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=8, learning_rate=7e-4),),
    augmentation=Augmentation(
        zoom=(0.75, 1.4),
        brightness=0.25,
        contrast=0.25,
        saturation=0.3,
        channel_gain=0.15,
        vignette=0.15,
        blur=0.2,
        overlay=0.3,
        corruption=0.3,
    ),
    batch_size=64,
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.4,
    weight_decay=2e-3,
    patience=8,
    seed=31,
)
