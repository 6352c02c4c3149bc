"""The command behind the thresholds of image quality, on a drawn dataset."""

import json

import pytest

from core.datasets.ham10000 import DatasetError
from tests.drawn_dataset import write_dataset
from training.measure import quality_thresholds


def test_the_measures_of_a_dataset_in_its_own_layout_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(quality_thresholds, "OUTPUT", tmp_path / "out" / "thresholds.json")
    write_dataset(tmp_path / "data")
    quality_thresholds.main.__wrapped__(tmp_path / "data", sample=4, seed=0)
    record = json.loads((tmp_path / "out" / "thresholds.json").read_text())
    assert record["images"] == 4 and set(record["measures"]) == set(quality_thresholds.MEASURES)
    assert record["blur_recognised"]["5.0 px"] == 1.0
    (tmp_path / "data" / "HAM10000_metadata.csv").unlink()
    with pytest.raises(DatasetError, match="HAM10000_metadata"):
        quality_thresholds.main.__wrapped__(tmp_path / "data")
