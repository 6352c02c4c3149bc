"""The second of the two classifiers that ship: as the first, from another seed and with mixed images.

dermalens train classifier --config classifier_second --data DIR --imagenet WEIGHTS.h5
"""

from dataclasses import replace

from training.configs.classifier_first import CONFIG as FIRST

CONFIG = replace(FIRST, name="classifier_second", seed=2, mixup=0.2)
