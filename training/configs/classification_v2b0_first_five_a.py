"""The first classifier taught by five, with half of the validation lesions: by the clock, 160 px.

    python -m training.train_classification --config classification_v2b0_first_five_a --data DIR

Begins with `classification_v2b0_first_taught`, as `classification_v2b0_first_half_a` did, and is meant for a GPU
(`--precision mixed_bfloat16 --workers 3`). The pair that it comes from and three networks that began anew say what they
see in the same part of the unchanged photograph; colours, light and artefacts change as in
`classification_v2b0_first_colour_a`. Hair is removed first, as the bundle does.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_colour_a import CONFIG as COLOUR
from training.engine import Stage

CONFIG = replace(
    COLOUR,
    name="classification_v2b0_first_five_a",
    stages=(Stage("all", epochs=1000, learning_rate=4e-4, schedule="clock", minutes=5.7),),
    filters=("hair_removal",),
    passes=2,
    batch_size=96,
    mixup=0.4,
    teachers=(
        "classification_v2b0_first_taught",
        "classification_v2b0_second_taught_mean",
        "classification_v2b0_fresh_1",
        "classification_v2b0_fresh_2",
        "classification_v2b0_fresh_3",
    ),
    teacher_share=0.6,
    plain_teacher=True,
    patience=1000,
    keep_last=True,
    seed=51,
    start_from="classification_v2b0_first_taught",
)
