"""The first classifier: EfficientNetV2B0 with channel and spatial attention, 192 px.

    python -m training.fit.train_classification --config classification_v2b0 --data DIR --imagenet WEIGHTS.h5

Ten epochs took 57 minutes on two cores that had other work too; validation balanced accuracy 0.742 and
macro AUC 0.956 with one view of each window (history.csv and scores.json in
training/runs/classification_v2b0/).

Head first, then the last block, then everything; square-root class-balanced sampling, focal loss with
mild class weights; every sample shows the whole image or the lesion with a random margin.
"""

from training.data.augmentation import Augmentation
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classification_v2b0",
    model={"backbone": "efficientnetv2b0", "input_size_px": 192, "attention": True, "dropout": 0.3},
    stages=(
        Stage("head", epochs=1, learning_rate=1e-3, frozen_until="features"),
        Stage("last block", epochs=1, learning_rate=5e-4, frozen_until="block6a"),
        Stage("all", epochs=8, learning_rate=5e-4),
    ),
    augmentation=Augmentation(),
    weight_decay=1e-3,
    monitor="val_balanced_accuracy",
)
