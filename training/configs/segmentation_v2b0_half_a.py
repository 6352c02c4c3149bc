"""The segmenter with half of the validation lesions learned too: one epoch, a low restart, 192 px.

    python -m training.fit.train_segmentation --config segmentation_v2b0_half_a --data DIR

Begins with `segmentation_v2b0_rare_mean`; the halves are those of `classification_v2b0_first_half_a`. The epoch has
the new lesions three times each, the others, which it knows, once. Corruptions stay as strong as they were:
`segmentation_v2b0_clear` showed what milder ones cost under noise.
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_rare import CONFIG as RARE
from training.fit.schedules import Stage

CONFIG = replace(
    RARE,
    name="segmentation_v2b0_half_a",
    stages=(Stage("all", epochs=1, learning_rate=2e-4),),
    start_from="segmentation_v2b0_rare_mean",
    seed=11,
    learn=("train", "validation_a", "validation_a", "validation_a"),
    judge="validation_b",
)
