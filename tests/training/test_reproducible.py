"""A second short run of the training command's own code gives the same scores, to 1e-4."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.phantoms import draw_phantom
from training import engine, train_classification
from training.engine import Stage
from training.train_classification import ClassificationConfig

TOLERANCE = 1e-4
CONFIG = ClassificationConfig(
    "first",
    {"input_size_px": 32, "filters": (4, 8), "hidden": 8},
    (Stage("all", epochs=2, learning_rate=1e-3),),
    builder="plain_cnn",
    classes=("mel", "nv"),
    batch_size=4,
    mixup=0.2,
)


@pytest.fixture
def drawn_split(monkeypatch, tmp_path):
    phantoms = [draw_phantom(seed, size_px=(48, 64)) for seed in range(12)]
    rows = pd.DataFrame({"dx": ["mel", "nv", "nv"] * 4})
    arrays = rows, [p.image for p in phantoms], [p.lesion_mask for p in phantoms]
    monkeypatch.setattr(train_classification, "load_split_arrays", lambda *arguments: arrays)
    monkeypatch.setattr(train_classification, "RUNS_DIR", tmp_path)
    monkeypatch.setattr(engine, "_summary_writer", lambda folder: None)
    return tmp_path


def history(folder, config) -> pd.DataFrame:
    train_classification.run_experiment(config, None, None)
    return pd.read_csv(folder / config.name / "history.csv").drop(columns=["seconds", "stage"])


def test_a_second_run_gives_the_same_scores(drawn_split):
    first, second = (history(drawn_split, replace(CONFIG, name=name)) for name in ("first", "second"))
    np.testing.assert_allclose(second, first, atol=TOLERANCE)


def test_another_seed_gives_others(drawn_split):
    first = history(drawn_split, CONFIG)
    other = history(drawn_split, replace(CONFIG, name="other", seed=CONFIG.seed + 1))
    assert abs(other["loss"] - first["loss"]).max() > TOLERANCE
