"""The first classifier's half taught other cameras' colours by teachers who see the plain image: two epochs, 160 px.

    python -m training.fit.train_classification --config classification_v2b0_first_plain_a --data DIR

Begins with `classification_v2b0_first_colour_a` and changes images as much. Both members of the pair before it
(`classification_v2b0_first_half_a` and its like) answer to the same part of the unchanged photograph and have half
of the say: the network is to answer under other colours, artefacts and noise as they do without.
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_colour_a import CONFIG as COLOUR

CONFIG = replace(
    COLOUR,
    name="classification_v2b0_first_plain_a",
    teachers=("classification_v2b0_first_half_a", "classification_v2b0_second_half_a"),
    teacher_share=0.5,
    plain_teacher=True,
    seed=26,
    start_from="classification_v2b0_first_colour_a",
)
