"""Classic system 2: plain CNN 32-64-128 at 128 px on whole images, nevi undersampled and the rest oversampled.

    dermalens train classifier --config classic_cnn_128 --data DIR

Cut short to ten epochs, to fit two cores.

Every class is drawn equally often, which shows nevi less and the others more often than they come.
"""

from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

CONFIG = ClassificationConfig(
    name="classic_cnn_128",
    builder="plain_cnn",
    model={"input_size_px": 128, "filters": (32, 64, 128), "hidden": 128, "dropout": 0.5},
    stages=(Stage("all", epochs=10, learning_rate=1e-3, schedule="plateau"),),
    sampling_power=1.0,
    class_weight_power=0.0,
    focal_gamma=0.0,
    weight_decay=0.0,
    views=("whole",),
)
