"""The first classifier's half trained on with other cameras' colours: two epochs, no teachers, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_colour_a --data DIR

Begins with `classification_v2b0_first_half_a`. A wrong white balance or exposure costs the pair most of what harmless
changes cost it, and other clinics' cameras have others: colour channels, brightness, contrast and saturation change
more than before, and artefacts are drawn more often. Teachers would answer for the colours that they know.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_half_a import CONFIG as HALF
from training.fit.schedules import Stage

CONFIG = replace(
    HALF,
    name="classification_v2b0_first_colour_a",
    stages=(Stage("all", epochs=2, learning_rate=1.5e-4),),
    augmentation=replace(
        HALF.augmentation, channel_gain=0.2, brightness=0.3, contrast=0.3, saturation=0.35, overlay=0.4
    ),
    mixup=0.2,
    teachers=(),
    teacher_share=0.0,
    seed=22,
    start_from="classification_v2b0_first_half_a",
)
