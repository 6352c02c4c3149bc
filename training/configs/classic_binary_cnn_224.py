"""Classic system 3, classes: plain CNN 32-64-128, dense 512 and a sigmoid: suspicious or benign, 224 px.

    dermalens train classifier --config classic_binary_cnn_224 --data DIR

Cut short to two epochs, to fit two cores.

Its 51.5 million weights, nearly all in the dense layer, are too large to ship: the results are what counts.
"""

from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classic_binary_cnn_224",
    builder="plain_cnn",
    model={"input_size_px": 224, "filters": (32, 64, 128), "hidden": 512, "dropout": 0.5},
    stages=(Stage("all", epochs=2, learning_rate=1e-4, schedule="plateau"),),
    sampling_power=0.0,
    class_weight_power=0.0,
    focal_gamma=0.0,
    weight_decay=0.0,
    views=("whole",),
    binary=True,
)
