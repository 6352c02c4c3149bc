"""The first classifier taught by version 9's pair for 72 minutes: by the clock, 160 px, hair removed first.

    python -m training.fit.train_classification --config classification_v2b0_first_long --data DIR

Begins with `classification_v2b0_first_taught` and learns the training lesions alone. Both members of version 9's pair
answer to the plain photograph of every window that it sees changed, for as many passes as the clock allows, with a
learning rate that comes down to the end: teachers who are patient and consistent, where the runs before had two or
three epochs each.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_colour_a import CONFIG as COLOUR
from training.fit.schedules import Stage

PAIR = ("classification_v2b0_first_taught", "classification_v2b0_second_taught_mean")

CONFIG = replace(
    COLOUR,
    name="classification_v2b0_first_long",
    stages=(Stage("all", epochs=1000, learning_rate=4e-4, schedule="clock", minutes=72),),
    augmentation=replace(COLOUR.augmentation, corruption=0.3),
    filters=("hair_removal",),
    batch_size=64,
    mixup=0.4,
    weight_decay=0.002,
    learn=("train",),
    judge="validation",
    teachers=PAIR,
    teacher_share=0.6,
    plain_teacher=True,
    keep_last=True,
    patience=1000,
    seed=61,
    start_from=PAIR[0],
)
