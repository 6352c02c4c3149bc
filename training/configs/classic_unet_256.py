"""Classic system 1, masks: U-Net 16-256 from scratch, 256 px, BCE and Dice, Adam 1e-4 with a plateau schedule.

dermalens train segmenter --config classic_unet_256 --data DIR

Cut short to one epoch, to fit two cores.
"""

from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="classic_unet_256",
    model={"base_filters": 16, "depth": 4, "input_size_px": 256},
    stages=(Stage("all", epochs=1, learning_rate=1e-4, schedule="plateau"),),
    weight_decay=0.0,
)
