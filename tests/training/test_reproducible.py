"""A second short run of the training command's own code gives the same scores, to 1e-4."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.phantoms.lesions import draw_phantom
from training.fit import run_folder, train_classification
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig

ROOT = Path(__file__).parents[2]
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


def draw_split():
    """Rows, images and masks in place of a split of the dataset."""
    phantoms = [draw_phantom(seed, size_px=(48, 64)) for seed in range(12)]
    rows = pd.DataFrame({"dx": ["mel", "nv", "nv"] * 4, "dataset": "ham10000"})
    return rows, [p.image for p in phantoms], [p.lesion_mask for p in phantoms]


@pytest.fixture
def drawn_split(monkeypatch, tmp_path):
    arrays = draw_split()
    monkeypatch.setattr(train_classification, "load_split", lambda *arguments: arrays)
    monkeypatch.setattr(run_folder, "WORK_DIR", tmp_path)
    monkeypatch.setattr(run_folder, "_summary_writer", lambda folder: None)
    return tmp_path


def history(folder, config) -> pd.DataFrame:
    train_classification.run_experiment(
        config, SimpleNamespace(data=None, imagenet=None, limit=None, workers=1)
    )
    return read_history(folder, config)


def read_history(folder, config) -> pd.DataFrame:
    return pd.read_csv(folder / config.name / "history.csv").drop(columns=["seconds", "stage"])


def test_a_second_run_gives_the_same_scores(drawn_split):
    first, second = (history(drawn_split, replace(CONFIG, name=name)) for name in ("first", "second"))
    np.testing.assert_allclose(second, first, atol=TOLERANCE)


def test_another_seed_gives_others(drawn_split):
    first = history(drawn_split, CONFIG)
    other = history(drawn_split, replace(CONFIG, name="other", seed=CONFIG.seed + 1))
    assert abs(other["loss"] - first["loss"]).max() > TOLERANCE


def test_several_workers_change_nothing(drawn_split):
    alone = history(drawn_split, CONFIG)
    # In a process of its own, as `made_by` needs it: this one's backend has threads already.
    command = [sys.executable, "-m", "tests.training.train_with_workers", str(drawn_split)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[-1] == "2 workers, none left"
    helped = read_history(drawn_split, replace(CONFIG, name="helped"))
    np.testing.assert_allclose(helped, alone, atol=TOLERANCE)
