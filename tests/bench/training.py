"""Speed of training: its input pipeline, its bare step, and oneDNN's kernels."""

import statistics

import keras
import numpy as np
import pandas as pd

from core.phantoms.lesions import draw_phantom
from models.loading import load_bundle
from tests.bench.analyses import bare_passes
from tests.bench.timing import run_probe, seconds_of, time_in_turn
from training.data.batches import ClassificationBatches
from training.fit.engine import Objective, compile_stage, load_config
from training.fit.losses import focal_loss
from training.fit.memory import KeepMemory
from training.fit.train_classification import ClassificationConfig, build_model, make_batches

TRAINED_CONFIG = "ablation_classification"
DRAWN = 24
TRAINING_STEPS = 16
PAIRS = 5  # the speed of a shared machine drifts: one pair can say the opposite
ONEDNN_PROBE = """
import json
from tests.bench.training import measure_kernels
print(json.dumps(measure_kernels()))
"""


class SameBatch(keras.utils.PyDataset):
    """One batch over and over: training without its input pipeline."""

    def __init__(self, batch, count: int):
        super().__init__()
        self.batch, self.count = batch, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int):
        return self.batch


def draw_batches(config: ClassificationConfig) -> ClassificationBatches:
    """An epoch of drawn lesions."""
    drawn = [draw_phantom(seed, size_px=(150, 200)) for seed in range(DRAWN)]
    numbers = np.arange(TRAINING_STEPS * config.batch_size)
    phantoms = [drawn[n % len(drawn)] for n in numbers]
    diagnoses = np.array(config.classes)[numbers % len(config.classes)]
    return make_batches(
        config,
        pd.DataFrame({"dataset": next(iter(config.sets)), "dx": diagnoses}),
        [phantom.image for phantom in phantoms],
        [phantom.lesion_mask for phantom in phantoms],
    )


def prepare_training() -> tuple[keras.Model, ClassificationBatches]:
    """A classifier ready to train, and an epoch of drawn lesions for it."""
    config = load_config(TRAINED_CONFIG)
    batches = draw_batches(config)
    model = build_model(config, None)
    objective = Objective(focal_loss(np.ones(config.n_classes), 0.0), lambda model: {}, config.monitor)
    compile_stage(model, config.stages[0], objective, len(batches))
    return model, batches


def training_rate(model: keras.Model, source: keras.utils.PyDataset, batch_size: int) -> float:
    """Images a second of one epoch over `source`, after one that does not count."""

    def train() -> None:  # every epoch makes its dataset anew, and memory must be kept anew
        model.fit(source, epochs=1, verbose=0, callbacks=[KeepMemory()])

    train()
    return len(source) * batch_size / seconds_of(train)


def measure_training() -> dict[str, float]:
    """Images a second of a classifier's training on drawn lesions, and of its bare step; median over pairs."""
    model, batches = prepare_training()
    sources = SameBatch(batches[0], len(batches)), batches
    pairs = [[training_rate(model, source, batches.batch_size) for source in sources] for _ in range(PAIRS)]
    return {
        "training_images_per_second": statistics.median(pipeline for _, pipeline in pairs),
        "bare_training_images_per_second": statistics.median(bare for bare, _ in pairs),
        "training_share_of_bare": statistics.median(pipeline / bare for bare, pipeline in pairs),
    }


def measure_pipeline() -> dict[str, float]:
    """Images a second that training's input pipeline makes by itself, on one core."""
    batches = draw_batches(load_config(TRAINED_CONFIG))
    epochs = time_in_turn(lambda: [batches[n] for n in range(len(batches))], repeats=PAIRS)
    return {"pipeline_images_per_second": batches.n_samples / statistics.median(s for (s,) in epochs)}


def measure_kernels() -> dict[str, float]:
    """Bare analyses and training images a second, under the options this process began with."""
    passes = statistics.median(
        s for (s,) in time_in_turn(bare_passes(load_bundle(runtime="tensorflow"), 1), repeats=3)
    )
    model, batches = prepare_training()
    steps = SameBatch(batches[0], len(batches) // 4)
    return {"passes": 1 / passes, "training": training_rate(model, steps, batches.batch_size)}


def measure_onednn() -> dict[str, float]:
    """Speed with oneDNN's kernels over that without: median over pairs of processes that follow each other."""
    pairs = [[run_probe(ONEDNN_PROBE, TF_ENABLE_ONEDNN_OPTS=value) for value in "01"] for _ in range(PAIRS)]
    return {
        f"onednn_speedup_{name}": statistics.median(on[name] / off[name] for off, on in pairs)
        for name in ("passes", "training")
    }
