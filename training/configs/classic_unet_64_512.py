"""Classic system 3, masks: U-Net 64-512 from scratch, 96 px, binary cross-entropy alone.

dermalens train segmenter --config classic_unet_64_512 --data DIR

Cut short to one epoch and to 96 px, to fit two cores.
"""

from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig

CONFIG = SegmentationConfig(
    name="classic_unet_64_512",
    model={"base_filters": 64, "depth": 3, "input_size_px": 96},
    stages=(Stage("all", epochs=1, learning_rate=1e-4, schedule="plateau"),),
    loss="bce",
    weight_decay=0.0,
)
