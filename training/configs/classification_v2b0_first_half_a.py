"""The first classifier with half of the validation lesions learned too: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_half_a --data DIR

Begins with `classification_v2b0_first_taught`. One image in six that may be learned lies in the validation split, and
more lesions are what more training no longer replaces. Half of them are learned here, twice as often as the others,
and the other half judges; `classification_v2b0_first_half_b` has the halves the other way round, and the mean of both
has learned all. Both members of the pair teach, for half of the say.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_taught import CONFIG as TAUGHT
from training.fit.schedules import Stage

CONFIG = replace(
    TAUGHT,
    name="classification_v2b0_first_half_a",
    stages=(Stage("all", epochs=2, learning_rate=2e-4),),
    mixup=0.4,
    teachers=("classification_v2b0_first_taught", "classification_v2b0_second_taught_mean"),
    teacher_share=0.5,
    seed=18,
    start_from="classification_v2b0_first_taught",
    learn=("train", "validation_a", "validation_a"),
    judge="validation_b",
)
