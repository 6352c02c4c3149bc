"""The segmenter afresh from ImageNet in one long stage, 192 px.

    python -m training.train_segmentation --config segmentation_v2b0_afresh --data DIR --imagenet WEIGHTS.h5

What `segmentation_v2b0_rare` and the runs before it came to in seven steps, from the first step on: worse photographs,
drawn artefacts, rarer diagnoses drawn more often.
"""

from training.augmentation import Augmentation
from training.engine import Stage
from training.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="segmentation_v2b0_afresh",
    model={
        "base_filters": 16,
        "input_size_px": 192,
        "dropout": (0.0, 0.2),
        "batch_norm": True,
        "encoder": "efficientnetv2b0",
    },
    stages=(Stage("all", epochs=8, learning_rate=1e-3),),
    augmentation=Augmentation(
        zoom=(0.6, 1.8), brightness=0.25, contrast=0.3, vignette=0.15, overlay=0.2, corruption=0.3
    ),
    batch_size=32,
    sampling_power=0.5,
    patience=8,
    seed=31,
)
