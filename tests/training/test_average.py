"""Averaging the weights of two runs, classifiers or segmenters."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.phantoms.lesions import draw_phantom
from models import efficientnet
from models.efficientnet import build_classifier
from models.unet import build_unet
from tests.models.conftest import build_tiny_backbone
from training import average
from training.average import average_weights
from training.fit.run_folder import Run
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig
from training.fit.train_segmentation import SegmentationConfig

STAGES = (Stage("all", 1, 1e-3),)
TINY_CLASSIFIER = {"backbone": "tiny", "input_size_px": 64}
TINY_SEGMENTER = {"base_filters": 4, "depth": 2, "input_size_px": 64, "dropout": (0.0, 0.1)}
CASES = {
    "classifier": (
        ClassificationConfig("second", TINY_CLASSIFIER, STAGES, classes=("mel", "nv")),
        "val_macro_auc",
    ),
    "segmenter": (SegmentationConfig("second", TINY_SEGMENTER, STAGES), "val_dice"),
}


def build(config):
    is_segmenter = isinstance(config, SegmentationConfig)
    return build_unet(**config.model) if is_segmenter else build_classifier(**config.model, n_classes=2)


@pytest.fixture(params=CASES)
def case(request, monkeypatch, tmp_path):
    """(configuration, score that decides, runs folder) with two runs of random weights and a drawn split."""
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    phantoms = [draw_phantom(seed, size_px=(96, 128)) for seed in range(4)]
    rows = pd.DataFrame({"dx": ["mel", "nv"] * 2})
    arrays = rows, [p.image for p in phantoms], [p.lesion_mask for p in phantoms]
    monkeypatch.setattr(average, "load_split_arrays", lambda *arguments: arrays)
    monkeypatch.setattr(average, "RUNS_DIR", tmp_path)
    config, selection = CASES[request.param]
    for name in ("first", "second"):
        build(config).save_weights(Run(tmp_path / name, replace(config, name=name)).best_weights)
    return config, selection, tmp_path


def test_an_average_lies_between_the_runs_by_its_share():
    first, second = [np.zeros(2), np.ones((1, 2))], [np.full(2, 4.0), np.ones((1, 2))]
    [a, b] = average_weights(first, second, 0.25)
    assert a.tolist() == [1.0, 1.0]  # a quarter of the way from 0 to 4
    assert b.tolist() == [[1.0, 1.0]]


def test_shares_of_nothing_and_everything_give_the_runs_themselves():
    first, second = [np.array([1.0, 2.0])], [np.array([3.0, 5.0])]
    np.testing.assert_array_equal(average_weights(first, second, 0.0)[0], first[0])
    np.testing.assert_array_equal(average_weights(first, second, 1.0)[0], second[0])


def test_the_share_that_validates_best_is_kept_with_all_scores(case):
    config, selection, folder = case
    average.average("mean", ["first", "second"], [64], None)
    table = pd.read_csv(folder / "mean" / "averages.csv")
    assert table["share"].tolist() == list(average.SHARES)
    scores = json.loads((folder / "mean" / "scores.json").read_text())
    assert scores["best_epoch"][selection] == pytest.approx(table[selection].max())
    assert scores["average_of"] == ["first", "second"]
    mean, first, second = (build(config) for _ in range(3))
    for model, name in zip((mean, first, second), ("mean", "first", "second"), strict=True):
        model.load_weights(folder / name / "checkpoints" / "best.weights.h5")
    expected = average_weights(first.get_weights(), second.get_weights(), scores["best_epoch"]["share"])
    for found, array in zip(mean.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, array, rtol=1e-6)
    assert scores["parameters"] == mean.count_params()


def test_worse_photographs_count_as_much_if_asked_for(case):
    _, selection, folder = case
    average.average("mean", ["first", "second"], [64], None, worse=True)
    table = pd.read_csv(folder / "mean" / "averages.csv")
    good, worse = table[selection], table[average.WORSE + selection]
    assert (good != worse).any()
    best = json.loads((folder / "mean" / "scores.json").read_text())["best_epoch"]
    assert best[selection] + best[average.WORSE + selection] == pytest.approx((good + worse).max())


def test_only_the_shares_asked_for_are_tried(case):
    _, _, folder = case
    average.average("mean", ["first", "second"], [64], None, shares=(0.0, 0.5))
    assert pd.read_csv(folder / "mean" / "averages.csv")["share"].tolist() == [0.0, 0.5]


def test_a_run_gives_back_the_configuration_it_recorded(case):
    config, _, _ = case
    assert average.read_config("second") == config


@pytest.mark.parametrize(("dice_in_loss", "loss"), [(True, "bce_dice"), (False, "bce")])
def test_a_record_from_before_losses_had_names_is_read(monkeypatch, tmp_path, dice_in_loss, loss):
    monkeypatch.setattr(average, "RUNS_DIR", tmp_path)
    Run(tmp_path / "old", SegmentationConfig("old", TINY_SEGMENTER, STAGES))
    file = tmp_path / "old" / "config.json"
    record = json.loads(file.read_text())
    del record["config"]["loss"]
    record["config"]["dice_in_loss"] = dice_in_loss
    file.write_text(json.dumps(record))
    assert average.read_config("old") == SegmentationConfig("old", TINY_SEGMENTER, STAGES, loss=loss)
