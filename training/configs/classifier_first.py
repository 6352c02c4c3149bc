"""The first of the two classifiers that ship: EfficientNetV2B0 with attention, 224 px, six sets, eight classes.

    dermalens train classifier --config classifier_first --data DIR --imagenet WEIGHTS.h5

96,000 images drawn. About half of them are HAM10000's and a fifth MILK10k's, so that neither population is given up;
pictures of palms and soles are few and drawn often.
"""

from core.taxonomy import HAM10000_CLASSES
from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classifier_first",
    model={"backbone": "efficientnetv2b0", "input_size_px": 224, "attention": True, "dropout": 0.3},
    stages=(Stage("all", epochs=6, learning_rate=8e-4),),
    augmentation=Augmentation(
        zoom=(0.75, 1.5),
        stretch=0.13,
        shift=0.12,
        brightness=0.2,
        contrast=0.2,
        saturation=0.25,
        channel_gain=0.07,
        vignette=0.1,
        blur=0.1,
        overlay=0.15,
        corruption=0.2,
    ),
    classes=(*HAM10000_CLASSES, "scc"),
    sets={
        "ham10000": 0.5,
        "milk10k": 0.2,
        "isic2018_task1": 0.12,
        "isic2020": 0.08,
        "isic2018_task3_val": 0.03,
        "acral": 0.07,
    },
    draws=16000,
    outlines="segmenter",
    long_side_px=400,
    batch_size=32,
    sampling_power=0.5,
    class_weight_power=0.0,
    focal_gamma=0.0,
    label_smoothing=0.05,
    validation_stride=4,
    weight_decay=0.02,
    clip_norm=5.0,
    average=0.9,
    keep_last=True,
    patience=100,
    seed=1,
)
