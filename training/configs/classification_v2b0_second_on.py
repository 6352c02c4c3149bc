"""The second classifier trained on for seven epochs from its best: a warm restart of the cosine, mixup 0.3, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_on --data DIR

Its training loss was still falling when `classification_v2b0_second` ended.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_second_on",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=7, learning_rate=3e-4),),
    augmentation=Augmentation(zoom=(0.75, 1.4), brightness=0.2, channel_gain=0.1, vignette=0.2, overlay=0.25),
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.3,
    weight_decay=2e-3,
    seed=3,
    patience=7,
    start_from="classification_v2b0_second",
)
