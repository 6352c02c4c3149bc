"""Every network that a manifest or a training configuration can name. Importing it imports Keras."""

from collections.abc import Callable

import keras

from models.baselines import BASELINES
from models.efficientnet import build_classifier
from models.ensemble import build_ensemble
from models.unet import build_unet

BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "unet": build_unet,
    "classifier": build_classifier,
    "ensemble": build_ensemble,
    **BASELINES,
}
