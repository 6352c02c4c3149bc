"""Speed and memory, measured on this machine: `make bench`, or parts of it by name.

    python -m tests.benchmark [analyses] [training] [pipeline] [onednn] [pages]

Prints, and writes to training/runs/benchmark.json:
    the time of one analysis as a multiple of the bare forward passes it contains,
    the command line's throughput over a folder as a share of the bare batched forward passes,
    training's images a second as a share of those of the same step on a batch that is at hand already,
    the images a second that training's input pipeline makes on one core,
    how many times as fast forward passes and training steps are with oneDNN's kernels as without,
    the time in which each page opens without TensorFlow,
    the peak memory of this process.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import keras
import numpy as np
from typer.testing import CliRunner

from core import cli
from core.analyzer import Analyzer
from core.batch.analyze import BATCH_SIZE
from core.images.drawing import encode_png
from core.images.symmetry import N_SYMMETRIES
from core.phantoms.lesions import draw_phantom
from core.systems.evaluations import RUNS_DIR
from training.data.batches import ClassificationBatches
from training.fit.engine import Objective, compile_stage, load_config
from training.fit.environment import describe_environment
from training.fit.losses import focal_loss
from training.fit.memory import KeepMemory
from training.fit.train_classification import ClassificationConfig, build_model, make_batches

TRAINED_CONFIG = "ablation_classification"
REPEATS = 7
FOLDER_SIZE = 24
TRAINING_STEPS = 16
PAIRS = 5  # the speed of a shared machine drifts: one pair can say the opposite
PAGE_PROBE = """
import json, sys, time
from streamlit.testing.v1 import AppTest
app, seconds = AppTest.from_file("streamlit_app.py", default_timeout=60), {}
for page in ("diagnose", "evaluate", "dataset", "training", "about"):
    started = time.perf_counter()
    if seconds:
        app.switch_page(f"pages/{page}.py")
    app.run()
    seconds[page] = time.perf_counter() - started
    assert not app.exception, app.exception
    assert "tensorflow" not in sys.modules, f"{page} imported TensorFlow"
print(json.dumps(seconds))
"""
ONEDNN_PROBE = """
import json
from tests.benchmark import measure_kernels
print(json.dumps(measure_kernels()))
"""


def seconds_of(action: Callable[[], object]) -> float:
    """Duration of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def time_in_turn(*actions: Callable[[], object], repeats: int = REPEATS) -> list[list[float]]:
    """(repeats, actions) durations in seconds, the actions taking turns, after one round that does not count."""
    for action in actions:
        action()
    return [[seconds_of(action) for action in actions] for _ in range(repeats)]


def run_probe(code: str, **environment: str) -> dict[str, float]:
    """What `code` prints as JSON in its last line, run in a process of its own."""
    command = [sys.executable, "-c", code]
    told = subprocess.check_output(command, text=True, env=os.environ | environment)
    return json.loads(told.splitlines()[-1])


def bare_passes(analyzer: Analyzer, n_images: int) -> Callable[[], None]:
    """Only the networks' forward passes that `n_images` analyses contain, batched as they are there."""
    manifest, bundle = analyzer.bundle.manifest, analyzer.bundle
    rng = np.random.default_rng(0)

    def noise(count: int, side: int) -> np.ndarray:
        return rng.integers(0, 256, (count * n_images, side, side, 3), dtype=np.uint8)

    masks = noise(N_SYMMETRIES, manifest.segmenter.input_size_px)
    windows = noise(N_SYMMETRIES * len(manifest.views), manifest.classifier.input_size_px)

    def run() -> None:
        bundle.segmenter(masks)
        bundle.head_network(bundle.feature_network(windows))

    return run


def measure_cli(analyzer: Analyzer) -> dict[str, float]:
    """Seconds an image of the command line over a folder of PNG files, networks loaded, beside bare passes."""
    bare = bare_passes(analyzer, BATCH_SIZE)
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(Analyzer, "load", lambda: analyzer):
        images = Path(folder) / "images"
        images.mkdir()
        for seed in range(FOLDER_SIZE):
            (images / f"{seed}.png").write_bytes(encode_png(draw_phantom(seed).image))
        arguments = ["analyze", str(images), "--csv", f"{folder}/out.csv", "--masks", f"{folder}/masks"]

        def run() -> None:
            result = CliRunner().invoke(cli.app, arguments)
            assert result.exit_code == 0, result.output

        rounds = time_in_turn(run, bare, repeats=3)
    pairs = [(cli_s / FOLDER_SIZE, bare_s / BATCH_SIZE) for cli_s, bare_s in rounds]
    return {
        "cli_seconds_per_image": statistics.median(cli_s for cli_s, _ in pairs),
        "bare_batched_seconds_per_image": statistics.median(bare_s for _, bare_s in pairs),
        "cli_throughput_share_of_bare": statistics.median(bare_s / cli_s for cli_s, bare_s in pairs),
    }


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
    drawn = [draw_phantom(seed, size_px=(150, 200)) for seed in range(FOLDER_SIZE)]
    phantoms = [drawn[n % len(drawn)] for n in range(TRAINING_STEPS * config.batch_size)]
    return make_batches(
        config,
        [phantom.image for phantom in phantoms],
        [phantom.lesion_mask for phantom in phantoms],
        np.arange(len(phantoms)) % config.n_classes,
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
    passes = statistics.median(s for (s,) in time_in_turn(bare_passes(Analyzer.load(), 1), repeats=3))
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


def measure_pages() -> dict[str, float]:
    """Seconds in which each page opens for the first time in a process that has only imported Streamlit."""
    runs = [run_probe(PAGE_PROBE) for _ in range(3)]
    return {f"page_{page}_opens_seconds": statistics.median(run[page] for run in runs) for page in runs[0]}


def measure_analyses() -> dict[str, float]:
    """One analysis and a folder of them, beside their bare forward passes, and the memory they took."""
    analyzer = Analyzer.load()
    image = draw_phantom(0).image
    rounds = time_in_turn(lambda: analyzer.analyze(image), bare_passes(analyzer, 1))
    return {
        "analysis_seconds": statistics.median(one for one, _ in rounds),
        "bare_passes_seconds": statistics.median(bare for _, bare in rounds),
        "analysis_over_bare": statistics.median(one / bare for one, bare in rounds),
        **measure_cli(analyzer),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,  # before training
    }


PARTS = {
    "analyses": measure_analyses,
    "training": measure_training,
    "pipeline": measure_pipeline,
    "onednn": measure_onednn,
    "pages": measure_pages,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and memory; each ratio is taken within one run.")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"measure only these, keep the rest: {', '.join(PARTS)}"
    )
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"Unknown: {', '.join(sorted(unknown))}. Choose from {', '.join(PARTS)}.")
    path = RUNS_DIR / "benchmark.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    results.setdefault("environments", {})
    for part in (part for part in PARTS if part in chosen):
        results |= PARTS[part]()
        results["environments"][part] = describe_environment()
    path.write_text(json.dumps(results, indent=1) + "\n")
    for name, value in results.items():
        if isinstance(value, float):
            print(f"{name:34s} {value:10.3f}")


if __name__ == "__main__":
    main()
