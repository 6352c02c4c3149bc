"""The segmenter trained on for four epochs: a warm restart of the cosine, artefacts drawn on, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_on --data DIR

Begins with the best weights of `segmentation_v2b0_long`, whose Dice was still rising when its schedule ended.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="segmentation_v2b0_on",
    model={
        "base_filters": 16,
        "input_size_px": 192,
        "dropout": (0.0, 0.2),
        "batch_norm": True,
        "encoder": "efficientnetv2b0",
    },
    stages=(Stage("all", epochs=4, learning_rate=4e-4),),
    augmentation=Augmentation(zoom=(0.6, 1.8), brightness=0.25, contrast=0.3, vignette=0.15, overlay=0.1),
    start_from="segmentation_v2b0_long",
    seed=2,
)
