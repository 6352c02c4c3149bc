"""Train a tiny U-Net on each number of devices asked for and print the histories; run by test_devices.py."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from models.unet import build_unet
from training.data.augmentation import Augmentation
from training.data.batches import SegmentationBatches
from training.fit.devices import data_parallel
from training.fit.engine import Objective, train
from training.fit.losses import segmentation_loss
from training.fit.run_folder import Run
from training.fit.schedules import Stage
from training.fit.train_segmentation import SegmentationConfig, make_validator


def count_copies(variable) -> int:
    """On how many devices a weight lies."""
    if keras.backend.backend() == "jax":
        return len(variable.value.sharding.device_set)
    return len(getattr(variable.value, "values", [variable.value]))


def train_on(n_devices: int, folder: Path) -> dict:
    """The history of two epochs of two batches, and on how many devices the weights were."""
    rng = np.random.default_rng(0)
    images = list(rng.integers(0, 256, (8, 24, 24, 3), dtype=np.uint8))
    masks = [image[..., 0] > 127 for image in images]
    keras.utils.set_random_seed(0)
    batches = SegmentationBatches(images, masks, 16, Augmentation(), batch_size=4, seed=0)
    rows = pd.DataFrame({"dataset": ["ham10000"] * len(images)})
    objective = Objective(segmentation_loss(), make_validator(rows, images, masks, 16), "val_dice")
    with data_parallel(n_devices):
        model = build_unet(base_filters=2, depth=2, input_size_px=16, dropout=(0.0, 0.0))
        stages = (Stage("all", epochs=2, learning_rate=1e-2),)
        run = Run(folder, SegmentationConfig("tiny", {}, stages))
        train(model, stages, batches, objective, run)
        # Loading is what all hosts must do together: a second look at the folder finds the run finished.
        train(model, stages, batches, objective, Run(folder, SegmentationConfig("tiny", {}, stages)))
        return {"copies": count_copies(model.trainable_variables[0]), "history": run.rows}


if __name__ == "__main__":
    folder, *counts = sys.argv[1:]
    print("RESULT", json.dumps([train_on(int(n), Path(folder) / n) for n in counts]))
