"""The shipped bundle without TensorFlow: nothing imports it, and its answers and maps are TensorFlow's."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.analyzer import Analyzer
from core.diagnosis.explanation import compute_view_maps
from core.images.drawing import encode_png
from core.phantoms.lesions import draw_phantom
from models.manifest import SHIPPED_DIR

pytestmark = pytest.mark.slow
N_PICTURES = 100
ANALYSE = """
import sys
from pathlib import Path
from core import cli
try:
    cli.app(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
unwanted = "tensorflow", "keras", "pandas", "scipy", "tqdm", "openvino.tools.ovc"
print(*(name for name in unwanted if name in sys.modules))
"""


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    analyzer = Analyzer.load(SHIPPED_DIR)
    assert analyzer.bundle.runtime == "openvino", analyzer.bundle.note
    return analyzer


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    return [encode_png(draw_phantom(seed, size_px=(150 + seed, 200)).image) for seed in range(6)]


def run_cli(*arguments: str) -> str:
    """The modules of `ANALYSE` that are loaded after a command."""
    command = [sys.executable, "-c", ANALYSE, *arguments]
    return subprocess.run(command, text=True, check=True, capture_output=True).stdout.splitlines()[-1].strip()


def test_an_analysis_imports_neither_tensorflow_nor_tables(tmp_path, pictures):
    (tmp_path / "one.png").write_bytes(pictures[0])
    table = tmp_path / "out.csv"
    assert run_cli("analyze", str(tmp_path / "one.png"), "--csv", str(table)) == ""
    assert table.read_text().count("\n") == 2


def test_a_batch_imports_no_tensorflow(tmp_path, pictures):
    (tmp_path / "one.png").write_bytes(pictures[0])
    loaded = run_cli("batch", str(tmp_path / "one.png"), "--to", str(tmp_path / "run")).split()
    assert "tensorflow" not in loaded and "keras" not in loaded


def test_the_same_bytes_are_the_same_answer_alone_in_a_batch_and_under_load(analyzer, pictures):
    alone = [analyzer.analyze(data) for data in pictures]
    together = analyzer.analyze_batch(pictures)
    with ThreadPoolExecutor(4) as pool:
        under_load = list(pool.map(analyzer.analyze, pictures * 2))
    for others in (together, under_load[: len(pictures)], under_load[len(pictures) :]):
        for one, other in zip(alone, others, strict=True):
            np.testing.assert_array_equal(one.mask_probability, other.mask_probability)
            np.testing.assert_array_equal(
                one.classification.probabilities, other.classification.probabilities
            )


def visualise(model, features: np.ndarray, class_index: int) -> np.ndarray:
    """Grad-CAM by tf-keras-vis."""
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    maps = Gradcam(model, clone=False)(
        CategoricalScore([class_index] * len(features)),
        features,
        penultimate_layer="features",
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )
    return np.asarray(maps)


def test_gradcam_is_that_of_tf_keras_vis_for_every_class(analyzer):
    side = analyzer.manifest.classifier.input_size_px
    squares = np.stack([draw_phantom(seed, size_px=(side, side)).image for seed in range(N_PICTURES)])
    features = analyzer.bundle.feature_network(squares)
    for index in range(len(analyzer.manifest.classes)):
        expected = visualise(analyzer.bundle.head.model, features, index)
        answer = compute_view_maps(analyzer.bundle.head, features, index, "gradcam")
        np.testing.assert_allclose(answer, expected, atol=1e-3 * max(expected.max(), 1e-9))
