"""The phone's files answer as Keras does, float16 closely and int8 roughly, and say what they need."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.baselines import build_plain_cnn
from models.manifest import file_sha256
from tests.fakes import fake_manifest
from training.bundle.mobile import convert, describe, example_squares, open_tflite


@pytest.fixture(scope="module")
def model():
    return build_plain_cnn(input_size_px=32, filters=(4,), hidden=8)


@pytest.mark.parametrize(("precision", "tolerance"), [("float16", 0.01), ("int8", 0.1)])
def test_a_file_answers_as_keras(model, precision, tolerance, tmp_path):
    batch = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    path = tmp_path / "it.tflite"
    path.write_bytes(convert(model, precision, batch))
    expected = model(batch, training=False).numpy()
    np.testing.assert_allclose(open_tflite(path)(batch), expected, atol=tolerance * np.abs(expected).max())


def test_without_a_dataset_drawn_lesions_are_the_examples():
    squares = example_squares(fake_manifest().classifier, None)
    assert squares.shape == (100, 64, 64, 3) and squares.dtype == np.uint8


def test_the_description_names_classes_input_and_files(tmp_path):
    file = tmp_path / "classifier_int8.tflite"
    file.write_bytes(b"abc")
    (tmp_path / "manifest.json").write_text('{"licence": "free"}')

    record = describe(replace(fake_manifest(), folder=tmp_path), [file])
    assert json.loads(json.dumps(record))["classes"] == list(fake_manifest().classes)
    assert record["licence"] == "free" and record["input"]["shape"] == [1, 64, 64, 3]
    assert record["files"] == {file.name: {"bytes": 3, "sha256": file_sha256(file)}}
