"""The classic U-Net 16-32-64-128-256 from scratch, 256 px, binary cross-entropy and Dice.

python -m training.train_segmentation --config segmentation_classic --data DIR
"""

from training.augmentation import Augmentation
from training.engine import Stage
from training.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="segmentation_classic",
    model={"base_filters": 16, "depth": 4, "input_size_px": 256},
    stages=(Stage("all", epochs=30, learning_rate=1e-3),),
    augmentation=Augmentation(zoom=(0.7, 1.4)),
    weight_decay=0.0,
)
