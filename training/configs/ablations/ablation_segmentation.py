"""The base of the comparison: U-Net on an EfficientNetV2B0, cross-entropy and Dice, two epochs at 96 px.

    dermalens train segmenter --config ablation_segmentation --data DIR --imagenet WEIGHTS.h5

Short and small, so that many runs that differ in one thing each fit two cores: they say which way a choice
points, not what it scores at full length.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="ablation_segmentation",
    model={
        "base_filters": 16,
        "input_size_px": 96,
        "dropout": (0.0, 0.2),
        "batch_norm": True,
        "encoder": "efficientnetv2b0",
    },
    stages=(Stage("all", epochs=2, learning_rate=8e-4),),
    augmentation=Augmentation(zoom=(0.6, 1.7), brightness=0.25, contrast=0.3, vignette=0.15),
)
