"""The base of the comparison: EfficientNetV2B0 with attention, mixup and drawn artefacts, two epochs at 96 px.

    dermalens train classifier --config ablation_classification --data DIR --imagenet WEIGHTS.h5

Short and small, so that a dozen runs that differ in one thing each fit two cores: they say which way a
choice points, not what it scores at full length.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="ablation_classification",
    model={"backbone": "efficientnetv2b0", "input_size_px": 96, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=2, learning_rate=5e-4),),
    augmentation=Augmentation(zoom=(0.75, 1.4), brightness=0.2, channel_gain=0.1, vignette=0.15, overlay=0.2),
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.2,
    weight_decay=2e-3,
)
