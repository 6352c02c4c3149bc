"""The averaged first classifier trained on for seven epochs: plain cross-entropy, mixup, drawn artefacts, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_on --data DIR

Begins with `classification_v2b0_soup`, as `classification_v2b0_second_on` did with the second classifier:
a warm restart of the cosine took that one from a macro AUC of 0.956 to 0.961 on validation.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_first_on",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=7, learning_rate=3e-4),),
    augmentation=Augmentation(zoom=(0.75, 1.4), brightness=0.2, channel_gain=0.1, vignette=0.2, overlay=0.25),
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.3,
    weight_decay=2e-3,
    seed=4,
    patience=7,
    start_from="classification_v2b0_soup",
)
