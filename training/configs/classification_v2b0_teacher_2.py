"""The second of four teachers: as `classification_v2b0_teacher_1` with another seed.

    python -m training.fit.train_classification --config classification_v2b0_teacher_2 --data DIR --imagenet WEIGHTS.h5

It shares no weights with the others and sees other samples in another order: its errors are others too.
"""

from dataclasses import replace

from training.configs.classification_v2b0_teacher_1 import CONFIG as FIRST

CONFIG = replace(FIRST, name="classification_v2b0_teacher_2", seed=32)
