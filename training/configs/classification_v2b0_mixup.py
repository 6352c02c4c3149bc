"""The first classifier trained on: cross-entropy instead of focal loss, mixup, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_mixup --data DIR

Begins with the best weights of `classification_v2b0`, which overfitted from its sixth epoch; mixup and the
shorter side (images here are 200 x 150) buy more epochs of harder samples for the same hours.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_mixup",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=5, learning_rate=4e-4),),
    augmentation=Augmentation(zoom=(0.75, 1.4), brightness=0.2, contrast=0.25, channel_gain=0.1),
    class_weight_power=0.15,
    focal_gamma=0.0,
    mixup=0.3,
    weight_decay=2e-3,
    patience=8,
    start_from="classification_v2b0",
    monitor="val_balanced_accuracy",
)
