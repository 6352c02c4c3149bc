"""Classic system 1, classes: EfficientNetV2B0 with a dense head, frozen at first, weighted cross-entropy, 160 px.

    dermalens train classifier --config classic_efficientnet --data DIR --imagenet WEIGHTS.h5

Cut short to five epochs, two of them with the frozen base, and to 160 px, to fit two cores.

Head: GAP-BN-Dropout-512-BN-Dropout-128-BN-Dropout-softmax; whole images; class weights count**-1.
"""

from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classic_efficientnet",
    builder="dense_head",
    model={"backbone": "efficientnetv2b0", "input_size_px": 160, "hidden": (512, 128), "dropout": 0.3},
    stages=(
        Stage("head", epochs=2, learning_rate=1e-3, frozen_until="features", schedule="plateau"),
        Stage("all", epochs=3, learning_rate=1e-4, schedule="plateau"),
    ),
    sampling_power=0.0,
    class_weight_power=1.0,
    focal_gamma=0.0,
    weight_decay=0.0,
    views=("whole",),
)
