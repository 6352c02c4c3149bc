"""The third of three new teachers: as `classification_v2b0_fresh_1`, with another seed.

python -m training.train_classification --config classification_v2b0_fresh_3 --data DIR --imagenet WEIGHTS.h5
"""

from dataclasses import replace

from training.configs.classification_v2b0_fresh_1 import CONFIG as FIRST

CONFIG = replace(FIRST, name="classification_v2b0_fresh_3", seed=43)
