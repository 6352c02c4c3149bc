"""The second classifier trained on a third time: five epochs, more drawn artefacts, another restart, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_hair --data DIR

Begins with `classification_v2b0_second_more`. Hair, rulers, ink and gel bubbles are drawn on four images of ten
(before: one of four), because drawn hair still raised false alarms on nevi by more than five points.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_second_hair",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=5, learning_rate=2e-4),),
    augmentation=Augmentation(zoom=(0.75, 1.4), brightness=0.2, channel_gain=0.1, vignette=0.2, overlay=0.4),
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.3,
    weight_decay=2e-3,
    seed=7,
    patience=7,
    start_from="classification_v2b0_second_more",
)
