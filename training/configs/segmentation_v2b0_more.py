"""The segmenter trained on once more: four epochs, another warm restart, twice as many drawn artefacts, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_more --data DIR

Begins with `segmentation_v2b0_on`, whose Dice was still rising in its last epoch.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="segmentation_v2b0_more",
    model={
        "base_filters": 16,
        "input_size_px": 192,
        "dropout": (0.0, 0.2),
        "batch_norm": True,
        "encoder": "efficientnetv2b0",
    },
    stages=(Stage("all", epochs=4, learning_rate=3e-4),),
    augmentation=Augmentation(zoom=(0.6, 1.8), brightness=0.25, contrast=0.3, vignette=0.15, overlay=0.2),
    start_from="segmentation_v2b0_on",
    seed=3,
)
