"""What the classic systems ask of the training commands: their builders, views, classes and loss."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from training.data.sets import HAM10000
from training.fit import arguments, train_segmentation
from training.fit.engine import load_config
from training.fit.schedules import Stage
from training.fit.train_classification import (
    ClassificationConfig,
    build_model,
    class_numbers,
    predict_logits,
    view_squares,
)

CONFIG = ClassificationConfig(
    "tiny", {"input_size_px": 16, "filters": (2,), "hidden": 3}, (), builder="plain_cnn"
)


def test_class_numbers_follow_the_configurations_order():
    config = replace(CONFIG, classes=("nv", "mel", "bcc"))
    assert class_numbers(["mel", "nv", "bcc"], config).tolist() == [1, 0, 2]


def test_binary_class_numbers_tell_suspicious_from_benign():
    config = replace(CONFIG, binary=True)
    codes = ["mel", "bcc", "akiec", "nv", "bkl", "df", "vasc"]
    assert class_numbers(codes, config).tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert build_model(config, imagenet="ignored: there is no backbone").output_shape == (None, 2)


def test_a_configuration_that_sees_whole_images_only_is_judged_on_them():
    image, mask = np.zeros((20, 30, 3), np.uint8), np.zeros((20, 30), bool)
    assert set(view_squares([image], [mask], CONFIG)) == {"whole", "crop"}
    squares = view_squares([image], [mask], replace(CONFIG, views=("whole",)))
    assert set(squares) == {"whole"} and squares["whole"].shape == (1, 16, 16, 3)


def test_windows_are_cut_from_filtered_images():
    hairy, mask = np.full((100, 150, 3), 200, np.uint8), np.zeros((100, 150), bool)
    hairy[50:52] = 20
    [seen] = view_squares([hairy], [mask], replace(CONFIG, filters=("hair_removal",)))["whole"]
    assert seen.min() > 190
    assert view_squares([hairy], [mask], CONFIG)["whole"].min() < 190


@pytest.mark.parametrize(
    ("workers", "methods", "said"),
    [("0", ["fork"], "at least 1; got 0"), ("2", ["spawn"], "can fork processes; leave it out")],
)
def test_workers_that_cannot_be_started_are_refused_with_a_message(
    workers, methods, said, monkeypatch, capsys
):
    monkeypatch.setattr(arguments.multiprocessing, "get_all_start_methods", lambda: methods)
    monkeypatch.setattr(sys, "argv", ["train", "--config", "segmenter", "--workers", workers])
    with pytest.raises(SystemExit):
        arguments.parse_arguments("")
    assert said in capsys.readouterr().err


def test_a_mask_that_a_model_answers_beside_the_classes_is_left_out_of_its_logits():
    squares = {"whole": np.float32([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])}  # answered as they are
    inputs = keras.Input((5,))
    logits = predict_logits(keras.Model(inputs, keras.layers.Identity()(inputs)), squares, n_classes=3)
    assert logits["whole"].tolist() == [[1, 2, 3], [6, 7, 8]]


@pytest.mark.parametrize(
    ("loss_name", "expected"),
    [
        ("bce_dice", np.log(2) + 0.5),
        ("bce", np.log(2)),
        ("dice", 0.5),
        ("focal_tversky", (1 - 1 / (1 + 0.7 + 0.3)) ** 0.75),
    ],
)
def test_a_segmenter_is_trained_with_the_loss_that_its_configuration_names(
    loss_name, expected, monkeypatch, tmp_path
):
    # Half of the pixels are lesion and every one is predicted 0.5: Dice is 2 * 1 / (2 + 2) = 0.5; one pixel's
    # worth is found, missed and invented each.
    seen = []
    monkeypatch.setattr(train_segmentation, "Run", lambda *given: None)
    monkeypatch.setattr(train_segmentation, "train", lambda *given: seen.append(given[3]))
    image, mask = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), bool)
    rows = pd.DataFrame({"dataset": [HAM10000], "dx": ["nv"]})
    monkeypatch.setattr(train_segmentation, "load_split", lambda *a: (rows, [image], [mask]))
    model = {"base_filters": 2, "depth": 1, "input_size_px": 8}
    stages = (Stage("all", 1, 0.1),)
    config = train_segmentation.SegmentationConfig("tiny", model, stages, loss=loss_name)
    train_segmentation.run_experiment(
        config, SimpleNamespace(data=None, imagenet=None, limit=None, workers=1)
    )
    truth = np.float32([[1, 1], [0, 0]])[None, ..., None]
    loss = keras.ops.mean(seen[0].loss(truth, np.full_like(truth, 0.5)))
    assert float(loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["classic_cnn_128", "classic_binary_cnn_224"])
def test_the_classic_cnns_are_built_as_configured(name):
    model = build_model(load_config(name), imagenet=None)
    size_px = load_config(name).model["input_size_px"]
    assert model.input_shape == (None, size_px, size_px, 3)
    assert model.output_shape == (None, load_config(name).n_classes)
