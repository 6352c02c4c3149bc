"""The second classifier trained on once more: five epochs, another restart of the cosine at a lower rate, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_more --data DIR

Begins with `classification_v2b0_second_on`, which had not begun to overfit.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_second_more",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=5, learning_rate=2e-4),),
    augmentation=Augmentation(zoom=(0.75, 1.4), brightness=0.2, channel_gain=0.1, vignette=0.2, overlay=0.25),
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.3,
    weight_decay=2e-3,
    seed=5,
    patience=7,
    start_from="classification_v2b0_second_on",
)
