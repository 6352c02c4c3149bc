"""Classic system 5: U-Net 16-256 from scratch at 224 px, for masks alone, BCE and Dice.

dermalens train segmenter --config classic_unet_224 --data DIR

Cut short to one epoch, to fit two cores.
"""

from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="classic_unet_224",
    model={"base_filters": 16, "depth": 4, "input_size_px": 224},
    stages=(Stage("all", epochs=1, learning_rate=1e-3),),
    weight_decay=0.0,
)
