"""The segmenter trained on with clearer photographs: two epochs of mild changes, a low warm restart, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_clear --data DIR

Begins with `segmentation_v2b0_rare_mean`. Until now a third of the images were corrupted and zooms went from 0.6 to
1.8, harder than what will be analysed; the last epochs are nearer to that, with a few hard images left so that the
others are not forgotten.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_rare import CONFIG as RARE
from training.fit.schedules import Stage

CONFIG = replace(
    RARE,
    name="segmentation_v2b0_clear",
    stages=(Stage("all", epochs=2, learning_rate=2e-4),),
    augmentation=replace(RARE.augmentation, zoom=(0.75, 1.4), corruption=0.15, overlay=0.15),
    start_from="segmentation_v2b0_rare_mean",
    seed=9,
)
