"""The segmenter with the other half of the validation lesions, trained on for long: by the clock, 192 px.

python -m training.fit.train_segmentation --config segmentation_v2b0_clock_b --data DIR
"""

from dataclasses import replace

from training.configs.segmentation_v2b0_clock_a import CONFIG as HALF_A

CONFIG = replace(
    HALF_A,
    name="segmentation_v2b0_clock_b",
    seed=62,
    learn=("train", "validation_b", "validation_b"),
    judge="validation_a",
)
