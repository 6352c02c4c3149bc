"""Learning rates that rise tenfold from the first layer to the last."""

from dataclasses import replace

from training.configs.ablations.ablation_classification import CONFIG as BASE

CONFIG = replace(
    BASE,
    name="ablation_classification_discriminative",
    stages=(replace(BASE.stages[0], first_layer_share=0.1),),
)
