"""The segmenter with half of the validation lesions learned too: a lower restart, 192 px.

    python -m training.train_segmentation --config segmentation_v2b0_afresh_a --data DIR

Begins with `segmentation_v2b0_afresh`; the other half judges, as in `classification_v2b0_pupil_first_a`.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_afresh import CONFIG as START
from training.engine import Stage

CONFIG = replace(
    START,
    name="segmentation_v2b0_afresh_a",
    stages=(Stage("all", epochs=3, learning_rate=4e-4),),
    start_from="segmentation_v2b0_afresh",
    seed=41,
    learn=("train", "validation_a"),
    judge="validation_b",
)
