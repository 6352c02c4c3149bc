"""The first classifier trained on with worse photographs: four epochs, another restart, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_camera --data DIR

Begins with `classification_v2b0_first_hair_mean`. Four images of ten are made noisy, packed by a strong JPEG, robbed of
pixels, wrongly exposed or wrongly coloured first: version 5 lost 17 points of balanced accuracy to the mildest
noise and 17 to JPEG of severity 3, and pictures of another clinic have both.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_first_camera",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=4, learning_rate=2e-4),),
    augmentation=Augmentation(
        zoom=(0.75, 1.4),
        brightness=0.2,
        channel_gain=0.1,
        vignette=0.15,
        blur=0.2,
        overlay=0.3,
        corruption=0.4,
    ),
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.3,
    weight_decay=2e-3,
    seed=12,
    patience=7,
    start_from="classification_v2b0_first_hair_mean",
)
