"""The segmenter with half of the validation lesions, trained on for long: by the clock, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_clock_a --data DIR

Begins with `segmentation_v2b0_rare_mean`, as `segmentation_v2b0_half_a` did, and is meant for a GPU
(`--precision mixed_bfloat16 --workers 3`). Its outlines still gained with every pass on two cores, where a pass takes
a quarter of an hour; changes of the images stay as strong as they were.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_rare import CONFIG as RARE
from training.fit.schedules import Stage

CONFIG = replace(
    RARE,
    name="segmentation_v2b0_clock_a",
    stages=(Stage("all", epochs=1000, learning_rate=4e-4, schedule="clock", minutes=8.5),),
    batch_size=32,
    passes=2,
    patience=1000,
    keep_last=True,
    start_from="segmentation_v2b0_rare_mean",
    seed=61,
    learn=("train", "validation_a", "validation_a"),
    judge="validation_b",
)
