"""A second classifier from ImageNet, to stand beside the first: plain cross-entropy, mixup, artefacts, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second --data DIR --imagenet WEIGHTS.h5

It shares no weights with `classification_v2b0` and sees other samples in another order, so its errors are
others: joined they rank and calibrate better than either (training/RESULTS.md), at twice the cost. Drawn
hair, rulers, ink, bubbles and dark corners over a fifth of the samples keep it from taking them for signs of
a disease.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0_second",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "attention": True, "dropout": 0.4},
    stages=(Stage("all", epochs=7, learning_rate=5e-4),),
    augmentation=Augmentation(zoom=(0.75, 1.4), brightness=0.2, channel_gain=0.1, vignette=0.15, overlay=0.2),
    class_weight_power=0.0,
    focal_gamma=0.0,
    mixup=0.2,
    weight_decay=2e-3,
    seed=2,
    patience=7,
)
