"""Head first, then everything, instead of everything from the start."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE
from training.fit.schedules import Stage

CONFIG = replace(
    BASE,
    name="ablation_classification_unfreezing",
    stages=(Stage("head", 1, 1e-3, frozen_until="features"), Stage("all", 1, 5e-4)),
)
