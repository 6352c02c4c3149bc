"""The first pupil of four teachers, with half of the validation lesions learned too: 160 px.

    python -m training.train_classification --config classification_v2b0_pupil_first_a --data DIR

Begins with `classification_v2b0_teacher_1`, and all four answer to the very windows that it sees, blended and
changed; they have most of the say. The other half of the validation lesions judges, and
`classification_v2b0_pupil_first_b` has the halves the other way round.
"""

from dataclasses import replace

from training.configs.classification_v2b0_teacher_1 import CONFIG as TEACHER
from training.engine import Stage

CONFIG = replace(
    TEACHER,
    name="classification_v2b0_pupil_first_a",
    stages=(Stage("all", epochs=5, learning_rate=4e-4),),
    mixup=1.0,
    teachers=tuple(f"classification_v2b0_teacher_{number}" for number in range(1, 5)),
    teacher_share=0.7,
    patience=5,
    seed=41,
    start_from="classification_v2b0_teacher_1",
    learn=("train", "validation_a"),
    judge="validation_b",
)
