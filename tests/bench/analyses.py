"""Warm analyses, one at a time and a folder of them, beside TensorFlow's own bare forward passes."""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
from typer.testing import CliRunner

from core import cli
from core.analyzer import Analyzer
from core.batch.analyze import BATCH_SIZE
from core.images.drawing import encode_png
from core.images.symmetry import N_SYMMETRIES
from core.phantoms.lesions import draw_phantom
from models.loading import Bundle, load_bundle
from tests.bench.timing import time_in_turn

FOLDER_SIZE = 24


def bare_passes(bundle: Bundle, n_images: int) -> Callable[[], None]:
    """Only the networks' forward passes that `n_images` analyses contain, batched as they are there."""
    manifest = bundle.manifest
    rng = np.random.default_rng(0)

    def noise(count: int, side: int) -> np.ndarray:
        return rng.integers(0, 256, (count * n_images, side, side, 3), dtype=np.uint8)

    masks = noise(N_SYMMETRIES, manifest.segmenter.input_size_px)
    windows = noise(N_SYMMETRIES * len(manifest.views), manifest.classifier.input_size_px)

    def run() -> None:
        bundle.segmenter(masks)
        bundle.head_network(bundle.feature_network(windows))

    return run


def measure_cli(analyzer: Analyzer, reference: Bundle) -> dict[str, float]:
    """Seconds an image of the command line over a folder of PNG files, networks loaded, beside bare passes."""
    bare = bare_passes(reference, BATCH_SIZE)
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


def measure_analyses() -> dict[str, float]:
    """One analysis and a folder of them, each as a ratio to TensorFlow's bare passes in the same run."""
    analyzer, reference = Analyzer.load(), load_bundle(runtime="tensorflow")
    image = draw_phantom(0).image
    passes = bare_passes(reference, 1), bare_passes(analyzer.bundle, 1)
    rounds = time_in_turn(lambda: analyzer.analyze(image), *passes)
    return {
        "analysis_seconds": statistics.median(one for one, _, _ in rounds),
        "bare_passes_seconds": statistics.median(bare for _, bare, _ in rounds),
        "analysis_over_bare": statistics.median(one / bare for one, bare, _ in rounds),
        "runtime_passes_over_bare": statistics.median(own / bare for _, bare, own in rounds),
        **measure_cli(analyzer, reference),
    }
