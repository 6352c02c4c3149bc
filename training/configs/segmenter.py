"""The segmenter that ships: U-Net on an EfficientNetV2B0, 256 px, outlines of HAM10000 and ISIC 2018 Task 1.

    dermalens train segmenter --config segmenter --data DIR --imagenet WEIGHTS.h5

48,000 images drawn. Experts of the two sets draw the border differently; the network learns both together.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="segmenter",
    model={
        "base_filters": 16,
        "input_size_px": 256,
        "dropout": (0.0, 0.2),
        "batch_norm": True,
        "encoder": "efficientnetv2b0",
    },
    stages=(Stage("all", epochs=4, learning_rate=1e-3),),
    augmentation=Augmentation(
        zoom=(0.65, 1.6),
        stretch=0.13,
        shift=0.12,
        brightness=0.25,
        contrast=0.3,
        channel_gain=0.1,
        vignette=0.15,
        blur=0.15,
        overlay=0.2,
        corruption=0.25,
    ),
    sets={"ham10000": 0.7, "isic2018_task1": 0.3},
    draws=12000,
    long_side_px=400,
    batch_size=16,
    sampling_power=0.5,
    validation_stride=4,
    weight_decay=0.01,
    clip_norm=5.0,
    average=0.9,
    keep_last=True,
    patience=100,
    seed=1,
)
