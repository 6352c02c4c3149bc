"""The first of three new teachers: EfficientNetV2B0 from ImageNet, trained by the clock, 160 px.

    python -m training.train_classification --config classification_v2b0_fresh_1 --data DIR --imagenet WEIGHTS.h5

Meant for a GPU (`--precision mixed_bfloat16 --workers 3`): as many passes as it makes in five minutes. The
networks before came from one another; teachers that begin anew err elsewhere. Hair is removed first, as the bundle does.
"""

from training.augmentation import Augmentation
from training.engine import Stage
from training.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_fresh_1",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=1000, learning_rate=1e-3, schedule="clock", minutes=5.2),),
    augmentation=Augmentation(
        zoom=(0.75, 1.4),
        brightness=0.25,
        contrast=0.25,
        saturation=0.3,
        channel_gain=0.15,
        vignette=0.15,
        blur=0.2,
        overlay=0.25,
        corruption=0.25,
    ),
    filters=("hair_removal",),
    passes=3,
    batch_size=96,
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.4,
    weight_decay=5e-3,
    patience=1000,
    keep_last=True,
    seed=41,
)
