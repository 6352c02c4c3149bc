"""The first classifier taught once more, on clearer photographs: one epoch, a lower restart, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_clear --data DIR

Begins with `classification_v2b0_first_taught`; the photographs and the targets are as the second classifier's in
`classification_v2b0_second_clear`, the third teacher is one of its own.
"""

from dataclasses import replace

from training.configs.classification_v2b0_second_clear import CONFIG as SECOND
from training.fit.schedules import Stage

CONFIG = replace(
    SECOND,
    name="classification_v2b0_first_clear",
    stages=(Stage("all", epochs=1, learning_rate=1.5e-4),),
    teachers=(
        "classification_v2b0_first_taught",
        "classification_v2b0_second_taught_mean",
        "classification_v2b0_first_sharp",
    ),
    seed=18,
    start_from="classification_v2b0_first_taught",
)
