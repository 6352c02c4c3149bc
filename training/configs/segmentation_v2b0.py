"""The first segmenter: U-Net decoder on an ImageNet EfficientNetV2B0 encoder, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0 --data DIR --imagenet WEIGHTS.h5

Three epochs took 36 minutes on two cores that had other work too; validation Dice 0.934 with one view at a
plain threshold (history.csv and scores.json in training/runs/segmentation_v2b0/).

Strong zoom, light and colour changes, so that close-ups, small lesions and other cameras come out right.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="segmentation_v2b0",
    model={
        "base_filters": 16,
        "input_size_px": 192,
        "dropout": (0.0, 0.2),
        "batch_norm": True,
        "encoder": "efficientnetv2b0",
    },
    stages=(Stage("all", epochs=3, learning_rate=8e-4),),
    augmentation=Augmentation(zoom=(0.6, 1.7), brightness=0.25, contrast=0.3, vignette=0.15),
)
