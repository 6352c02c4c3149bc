"""HAM10000 alone, its pictures shrunk to 200 px: the recipe of classifier_first on one set.

dermalens train classifier --config control_ham10000_200 --data DIR --imagenet WEIGHTS.h5
"""

from dataclasses import replace

from training.configs.ablations.control_ham10000_400 import CONFIG as FINE

CONFIG = replace(FINE, name="control_ham10000_200", long_side_px=200)
