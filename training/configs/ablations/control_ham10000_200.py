"""HAM10000 alone, its pictures shrunk to 200 px: the recipe of classifier_first on one set.

48,000 images drawn.

dermalens train classifier --config control_ham10000_200 --data DIR --imagenet WEIGHTS.h5
"""

from dataclasses import replace

from core.taxonomy import HAM10000_CLASSES
from training.configs.classifier_first import CONFIG as FIRST
from training.fit.schedules import Stage

CONFIG = replace(
    FIRST,
    name="control_ham10000_200",
    classes=HAM10000_CLASSES,
    stages=(Stage("all", epochs=3, learning_rate=8e-4),),
    sets={"ham10000": 1.0},
    outlines="",
    long_side_px=200,
    validation_stride=1,
)
