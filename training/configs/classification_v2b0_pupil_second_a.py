"""The second pupil of four teachers: as `classification_v2b0_pupil_first_a`, begun with another teacher.

    python -m training.train_classification --config classification_v2b0_pupil_second_a --data DIR

It stands beside the first pupil in the shipped pair.
"""

from dataclasses import replace

from training.configs.classification_v2b0_pupil_first_a import CONFIG as FIRST

CONFIG = replace(
    FIRST,
    name="classification_v2b0_pupil_second_a",
    seed=42,
    start_from="classification_v2b0_teacher_2",
)
