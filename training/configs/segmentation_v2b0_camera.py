"""The segmenter trained on with worse photographs: one epoch, another warm restart, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_camera --data DIR

Begins with `segmentation_v2b0_mean`. Four images of ten are made noisy, packed by a strong JPEG, robbed of
pixels, wrongly exposed or wrongly coloured first: noise of severity 3 had cost version 5 a tenth of its Dice.
The run that is on record was laid out for two epochs and stopped after the first, its learning rate half way
down the cosine; with this file it comes down to the end.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="segmentation_v2b0_camera",
    model={
        "base_filters": 16,
        "input_size_px": 192,
        "dropout": (0.0, 0.2),
        "batch_norm": True,
        "encoder": "efficientnetv2b0",
    },
    stages=(Stage("all", epochs=1, learning_rate=2e-4),),
    augmentation=Augmentation(
        zoom=(0.6, 1.8), brightness=0.25, contrast=0.3, vignette=0.15, overlay=0.2, corruption=0.4
    ),
    start_from="segmentation_v2b0_mean",
    seed=4,
)
