"""Classic system 3, classes: plain CNN 32-64-128, dense 512 and a sigmoid: suspicious or benign, 224 px.

    dermalens train classifier --config classic_binary_cnn_224 --data DIR

As published but for two more poolings before the dense layer: without them it has 51.5 million weights, with them
3.3 million, which can ship. 84,000 images drawn.
"""

from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classic_binary_cnn_224",
    builder="plain_cnn",
    model={
        "input_size_px": 224,
        "filters": (32, 64, 128),
        "hidden": 512,
        "dropout": 0.5,
        "further_pools": 2,
    },
    stages=(Stage("all", epochs=12, learning_rate=1e-3),),
    long_side_px=400,
    sampling_power=0.0,
    class_weight_power=0.0,
    focal_gamma=0.0,
    weight_decay=0.0,
    views=("whole",),
    binary=True,
    keep_last=True,
    patience=100,
)
