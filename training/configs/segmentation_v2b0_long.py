"""The first segmenter trained on for two epochs with stronger scale and light changes, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_long --data DIR

Begins with the best weights of `segmentation_v2b0`, whose Dice was still rising when its schedule ended.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="segmentation_v2b0_long",
    model={
        "base_filters": 16,
        "input_size_px": 192,
        "dropout": (0.0, 0.2),
        "batch_norm": True,
        "encoder": "efficientnetv2b0",
    },
    stages=(Stage("all", epochs=2, learning_rate=5e-4),),
    augmentation=Augmentation(zoom=(0.5, 2.0), brightness=0.25, contrast=0.3, vignette=0.2),
    start_from="segmentation_v2b0",
)
