"""A bundle loads completely, as its manifest says, or not at all."""

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from core.analyzer import Analyzer
from core.phantoms.lesions import draw_phantom
from models import efficientnet, loading
from models.efficientnet import build_classifier
from models.loading import load_bundle
from models.manifest import MANIFEST_NAME, BundleError, file_sha256, read_manifest
from models.runtimes.tensorflow import TensorFlowNetwork
from models.unet import build_unet
from tests.models.conftest import CLASSIFIER, UNET, build_tiny_backbone
from training.bundle.graph import add_graph

ROOT = Path(__file__).parents[2]
# Keras warns of every part that does not fit before it raises.
keras_complains = pytest.mark.filterwarnings("ignore::UserWarning")


def set_weights_file(folder: Path, network: str, model: keras.Model, **changes) -> None:
    """Replace a network's weights, with the manifest's hash kept right."""
    path = folder / f"{network}.weights.h5"
    model.save_weights(path)
    update_entry(folder, network, sha256=file_sha256(path), **changes)


def update_entry(folder: Path, network: str, **changes) -> None:
    record = json.loads((folder / MANIFEST_NAME).read_text())
    record[network].update(changes)
    (folder / MANIFEST_NAME).write_text(json.dumps(record))


# --- a good bundle


def test_networks_answer_with_the_weights_of_the_files(bundle_folder):
    bundle = load_bundle(bundle_folder)
    segmenter, classifier = build_unet(**UNET), build_classifier(**CLASSIFIER)
    segmenter.load_weights(bundle_folder / "segmenter.weights.h5")
    classifier.load_weights(bundle_folder / "classifier.weights.h5")
    rng = np.random.default_rng(0)
    small, large = (rng.integers(0, 256, (2, side, side, 3), dtype=np.uint8) for side in (32, 64))
    np.testing.assert_allclose(bundle.segmenter(small), segmenter(small), atol=1e-6)
    features = bundle.feature_network(large)
    np.testing.assert_allclose(bundle.head_network(features), classifier(large), atol=1e-5)
    np.testing.assert_allclose(bundle.head.model(features), classifier(large), atol=1e-5)


def test_a_loaded_bundle_analyses_an_image(bundle_folder):
    analysis = Analyzer.load(bundle_folder).analyze(draw_phantom(1, size_px=(150, 200)).image)
    assert analysis.classification.probabilities.sum() == pytest.approx(1)
    assert analysis.saliency.shape == (150, 200) and analysis.settings.preprocessing.hair_removal


def test_the_folder_of_the_environment_is_loaded(bundle_folder, monkeypatch):
    monkeypatch.setenv("DERMALENS_WEIGHTS", str(bundle_folder))
    assert load_bundle().manifest.name == "tiny"


# --- the runtime


@pytest.fixture(scope="module")
def built_graph_folder(built_bundle, tmp_path_factory) -> Path:
    """The same bundle with the graph files that `export` writes; not to be changed."""
    folder = shutil.copytree(built_bundle, tmp_path_factory.mktemp("graphs") / "tiny")
    rng = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
        for network, side in (("segmenter", 32), ("classifier", 64)):
            add_graph(folder, network, rng.integers(0, 256, (2, side, side, 3), dtype=np.uint8))
    return folder


@pytest.fixture
def graph_folder(built_graph_folder, bundle_folder) -> Path:
    """A copy of it for one test."""
    return shutil.copytree(built_graph_folder, bundle_folder, dirs_exist_ok=True)


def test_openvino_runs_a_bundle_with_graph_files_as_tensorflow_does(graph_folder, monkeypatch):
    fast = load_bundle(graph_folder)
    monkeypatch.setenv("DERMALENS_RUNTIME", "tensorflow")
    reference = load_bundle(graph_folder)
    assert (fast.runtime, reference.runtime, fast.note, reference.note) == ("openvino", "tensorflow", "", "")
    image = draw_phantom(1, size_px=(150, 200)).image
    one, other = (Analyzer(bundle).analyze(image) for bundle in (fast, reference))
    np.testing.assert_allclose(one.mask_probability, other.mask_probability, atol=1e-5)
    np.testing.assert_allclose(
        one.classification.probabilities, other.classification.probabilities, atol=1e-5
    )
    np.testing.assert_allclose(one.saliency, other.saliency, atol=1e-3)
    plus = Analyzer(fast).explain(one, "mel", "gradcam++")  # builds the Keras head when it is asked for
    np.testing.assert_allclose(plus, Analyzer(reference).explain(other, "mel", "gradcam++"), atol=1e-3)


def test_the_manifest_states_what_each_graph_file_is(graph_folder):
    entry = read_manifest(graph_folder).classifier.graph
    assert entry["sha256"] == file_sha256(graph_folder / entry["file"]) and entry["precision"] == "float32"
    assert 0 <= entry["largest_difference"] < 1e-5 and entry["images_compared"] == 2


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), r"segmenter\.graph\.json is missing"),
        (lambda path: path.write_text("{}"), "is not the file that the manifest lists"),
    ],
    ids=["missing", "changed"],
)
def test_without_its_graph_file_tensorflow_runs_a_bundle_and_says_why(graph_folder, spoil, reason):
    spoil(graph_folder / "segmenter.graph.json")
    bundle = load_bundle(graph_folder)
    assert bundle.runtime == "tensorflow" and re.search(reason, bundle.note)


@pytest.mark.parametrize("name", ["abacus", "litert"])
def test_an_unknown_runtime_is_refused_with_the_known_ones(bundle_folder, monkeypatch, name):
    monkeypatch.setenv("DERMALENS_RUNTIME", name)
    with pytest.raises(BundleError, match=f"openvino, tensorflow; it is '{name}'"):
        load_bundle(bundle_folder)


@pytest.mark.parametrize(
    ("allowed", "supported", "precision"),
    [(True, True, "bf16"), (True, False, "f32"), (False, True, "f32")],
)
def test_bfloat16_runs_only_where_it_was_measured_and_the_processor_has_it(
    graph_folder, monkeypatch, allowed, supported, precision
):
    from models.runtimes import openvino

    update_entry(graph_folder, "classifier", lower_precision={"allowed": allowed})
    monkeypatch.setattr(openvino, "supports_bf16", lambda: supported)
    asked, compile_network = [], openvino._compile
    monkeypatch.setattr(
        openvino, "_compile", lambda *given: asked.append(given[-1]) or compile_network(*given[:-1], "f32")
    )
    load_bundle(graph_folder)
    assert set(asked) == {precision}


@pytest.mark.parametrize("runtime", ["openvino", "tensorflow"])
def test_bundles_side_by_side_may_share_a_weights_file(graph_folder, tmp_path_factory, runtime):
    both = tmp_path_factory.mktemp("both")
    for name in ("first", "second"):
        shutil.copytree(graph_folder, both / name)
    (both / "second" / "classifier.weights.h5").unlink()
    update_entry(both / "second", "classifier", file="../first/classifier.weights.h5")
    image = draw_phantom(0, size_px=(120, 160)).image
    first, second = (
        Analyzer(load_bundle(both / name, runtime)).analyze(image) for name in ("first", "second")
    )
    assert first.manifest.fingerprint == second.manifest.fingerprint
    np.testing.assert_array_equal(first.classification.probabilities, second.classification.probabilities)
    (both / "first" / "classifier.weights.h5").write_bytes(b"other")
    with pytest.raises(BundleError, match="damaged or was replaced"):
        load_bundle(both / "second")


# --- refusals: never random weights, never another file


@pytest.mark.parametrize("network", ["segmenter", "classifier"])
def test_missing_weights_are_named_with_the_remedy(bundle_folder, network):
    (bundle_folder / f"{network}.weights.h5").unlink()
    with pytest.raises(BundleError, match=rf"{network}\.weights\.h5 are missing.*git checkout"):
        load_bundle(bundle_folder)


def test_a_changed_byte_is_noticed(bundle_folder):
    path = bundle_folder / "classifier.weights.h5"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match="damaged or was replaced"):
        load_bundle(bundle_folder)


def test_weights_are_checked_before_any_network_is_built(bundle_folder, monkeypatch):
    (bundle_folder / "classifier.weights.h5").write_bytes(b"other")
    monkeypatch.setattr(loading, "load_network", lambda *_: pytest.fail("built"))
    with pytest.raises(BundleError, match="SHA-256"):
        load_bundle(bundle_folder)


@keras_complains
def test_weights_of_a_wider_network_do_not_fit(bundle_folder):
    set_weights_file(bundle_folder, "segmenter", build_unet(**UNET | {"base_filters": 4}))
    with pytest.raises(BundleError, match="do not fit"):
        load_bundle(bundle_folder)


@keras_complains
@pytest.mark.parametrize("depth", [1, 3])
def test_weights_of_a_shallower_or_deeper_network_do_not_fit(bundle_folder, depth):
    set_weights_file(bundle_folder, "segmenter", build_unet(**UNET | {"depth": depth}))
    with pytest.raises(BundleError, match="do not fit"):
        load_bundle(bundle_folder)


@keras_complains
@pytest.mark.parametrize("part", ["conv2d_3", "conv2d_3/vars/1"], ids=["a layer", "a bias"])
def test_weights_that_lack_a_part_leave_nothing_random(bundle_folder, part):
    path = bundle_folder / "segmenter.weights.h5"
    with h5py.File(path, "a") as file:
        del file[f"layers/{part}"]
    update_entry(bundle_folder, "segmenter", sha256=file_sha256(path))
    with pytest.raises(BundleError, match="do not fit"):
        load_bundle(bundle_folder)


def test_a_file_that_is_no_weights_file_does_not_fit(bundle_folder):
    path = bundle_folder / "segmenter.weights.h5"
    path.write_bytes(b"not HDF5")
    update_entry(bundle_folder, "segmenter", sha256=file_sha256(path))
    with pytest.raises(BundleError, match="do not fit"):
        load_bundle(bundle_folder)


def test_as_many_outputs_as_classes_are_needed(bundle_folder):
    three = CLASSIFIER | {"n_classes": 3}
    set_weights_file(bundle_folder, "classifier", build_classifier(**three), arguments=three)
    with pytest.raises(BundleError, match="3 outputs, but the manifest lists 7 classes"):
        load_bundle(bundle_folder)


def test_a_network_that_needs_a_mask_beside_the_colours_is_refused(bundle_folder):
    masked = CLASSIFIER | {"mask_channel": True}
    set_weights_file(bundle_folder, "classifier", build_classifier(**masked), arguments=masked)
    with pytest.raises(BundleError, match="4 channels"):
        load_bundle(bundle_folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"builder": "keras_file"}, "Unknown builder 'keras_file'; known are unet, classifier"),
        ({"arguments": {"input_size_px": 32, "wings": 2}}, "do not fit.*wings"),
        ({"arguments": {"input_size_px": 33}}, "do not fit.*divisible"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(bundle_folder, change, message):
    update_entry(bundle_folder, "segmenter", **change)
    with pytest.raises(BundleError, match=message):
        load_bundle(bundle_folder)


def test_no_code_unpickles_or_loads_whole_models():
    # Both would run whatever a file holds; weights go into networks built from our own code.
    patterns = r"\bpickle\.|import pickle|load_model\(|joblib|torch\.load|allow_pickle=True|\.keras\""
    command = [
        "git",
        "grep",
        "-nE",
        patterns,
        "--",
        "core",
        "models",
        "training",
        "pages",
        "streamlit_app.py",
    ]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if found.returncode not in (0, 1):
        pytest.skip(f"not a git checkout: {found.stderr.strip()}")
    assert found.stdout == ""


# --- the compiled network


@pytest.fixture(scope="module")
def doubler() -> keras.Model:
    inputs = keras.Input((2, 2, 3))
    return keras.Model(inputs, keras.layers.Rescaling(2.0)(inputs))


def test_batches_over_the_limit_run_in_pieces_and_come_back_in_order(doubler):
    calls = []
    network = TensorFlowNetwork(doubler, "uint8")
    function = network._function
    network._function = lambda piece: calls.append(len(piece)) or function(piece)
    batch = np.random.default_rng(0).integers(0, 256, (70, 2, 2, 3), dtype=np.uint8)
    np.testing.assert_allclose(network(batch), 2.0 * batch)
    assert calls == [32, 32, 6]


def test_threads_get_their_own_answers(doubler):
    network = TensorFlowNetwork(doubler, "float32")
    batches = [np.full((3, 2, 2, 3), value, np.float32) for value in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for batch, answer in zip(batches, pool.map(network, batches), strict=True):
            np.testing.assert_array_equal(answer, 2 * batch)


def test_views_of_an_array_are_taken_as_they_look(doubler):
    batch = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)[:, ::-1, ::-1]
    np.testing.assert_allclose(TensorFlowNetwork(doubler, "uint8")(batch), 2.0 * batch)
