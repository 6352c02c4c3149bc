"""Joining two runs: each alone and mixtures are scored, and the joined run can be built from its record."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.phantoms.lesions import draw_phantom
from models import efficientnet
from models.builders import BUILDERS
from tests.models.conftest import build_tiny_backbone
from training import average, join
from training.fit.run_folder import Run
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

MODEL = {"backbone": "tiny", "input_size_px": 64}
CONFIG = ClassificationConfig("second", MODEL, (Stage("all", 1, 1e-3),), classes=("mel", "nv"))


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Two runs of random weights, and a drawn split to judge them on."""
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    phantoms = [draw_phantom(seed, size_px=(96, 128)) for seed in range(4)]
    rows = pd.DataFrame({"dx": ["mel", "nv"] * 2})
    arrays = rows, [p.image for p in phantoms], [p.lesion_mask for p in phantoms]
    monkeypatch.setattr(join, "load_split_arrays", lambda *arguments: arrays)
    monkeypatch.setattr(average, "RUNS_DIR", tmp_path)
    for name in ("first", "second"):
        run = Run(tmp_path / name, replace(CONFIG, name=name))
        BUILDERS["classifier"](**MODEL, n_classes=2).save_weights(run.best_weights)
    return tmp_path


def test_members_and_the_joined_run_are_scored_and_written(runs):
    join.join("pair", ["first", "second"], [64], None)
    table = pd.read_csv(runs / "pair" / "members.csv")
    assert table["share"].tolist() == [0.0, *join.SECOND_SHARES, 1.0]
    scores = json.loads((runs / "pair" / "scores.json").read_text())
    assert scores["joined"] == ["first", "second"]
    best = scores["best_epoch"]
    mixtures = table[table["share"].between(0.1, 0.9)]
    assert best["val_macro_auc"] == pytest.approx(mixtures["val_macro_auc"].max())
    config = json.loads((runs / "pair" / "config.json").read_text())["config"]
    network = BUILDERS[config["builder"]](**config["model"], n_classes=2)
    network.load_weights(runs / "pair" / "checkpoints" / "best.weights.h5")
    image = np.zeros((1, 64, 64, 3), np.float32)
    members = [BUILDERS["classifier"](**MODEL, n_classes=2) for _ in range(2)]
    for member, name in zip(members, ("first", "second"), strict=True):
        member.load_weights(runs / name / "checkpoints" / "best.weights.h5")
    first, second = (member.predict(image, verbose=0) for member in members)
    expected = (1 - best["share"]) * first + best["share"] * second
    np.testing.assert_allclose(network.predict(image, verbose=0), expected, rtol=1e-5)
