"""The second classifier taught once more, by three and on clearer photographs: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_second_clear --data DIR

Begins with `classification_v2b0_second_taught_mean`. The first lesson had gained the second classifier less than the
first, and its last epoch was its worst: one epoch less, the labels count for as much as the teachers, and among
those is the first classifier, which is the better one now. Corrupted and blended images are fewer, as in
`segmentation_v2b0_clear`; artefacts are drawn as often as before.
"""

from dataclasses import replace

from training.configs.classification_v2b0_second_taught import CONFIG as TAUGHT
from training.fit.schedules import Stage

CONFIG = replace(
    TAUGHT,
    name="classification_v2b0_second_clear",
    stages=(Stage("all", epochs=2, learning_rate=2e-4),),
    augmentation=replace(TAUGHT.augmentation, corruption=0.15),
    mixup=0.4,
    teachers=(
        "classification_v2b0_first_taught",
        "classification_v2b0_second_taught_mean",
        "classification_v2b0_second_sharp",
    ),
    teacher_share=0.5,
    seed=17,
    start_from="classification_v2b0_second_taught_mean",
)
