"""Another precision is allowed only where scores and answers stay, and refused by name where it cannot be measured."""

import json

import pytest

from core.errors import DermalensError
from core.evaluation.predictions import Predictions, from_frame
from core.taxonomy import HAM10000_CLASSES
from tests.core.tables import random_table
from tests.fakes import fake_manifest
from training.measure import precision

TABLE = random_table(60, HAM10000_CLASSES, seed=1)


def changed(rows: int) -> Predictions:
    """The same predictions, in the first `rows` with the most and the least probable class exchanged."""
    frame, probabilities = TABLE.frame.copy(), TABLE.probabilities.copy()
    for row in probabilities[:rows]:
        most, least = row.argmax(), row.argmin()
        row[[most, least]] = row[[least, most]]
    frame[[f"p_{code}" for code in HAM10000_CLASSES]] = probabilities
    return from_frame(frame)


def test_the_same_predictions_change_nothing():
    found = precision.compare(TABLE, TABLE, 0.5)
    assert (found["largest_score_change"], found["answers_changed"], found["allowed"]) == (0, 0, True)


def test_one_other_answer_of_sixty_is_too_many():
    found = precision.compare(TABLE, changed(1), 0.5)
    assert found["answers_changed"] == pytest.approx(1 / 60) and not found["allowed"]


def test_a_score_that_moves_forbids_it_even_where_every_answer_stays():
    frame = TABLE.frame.copy()
    frame["dice"] -= 0.002
    found = precision.compare(TABLE, from_frame(frame), 0.5)
    assert found["answers_changed"] == 0 and not found["allowed"]
    assert found["score"] == "segmentation/dice" and found["largest_score_change"] == pytest.approx(0.002)


def test_predictions_of_another_bundle_are_not_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "RUNS_DIR", tmp_path)
    manifest = fake_manifest()
    folder = tmp_path / manifest.name
    folder.mkdir()
    TABLE.frame.to_csv(folder / "validation_predictions.csv")
    (folder / "validation_scores.json").write_text(json.dumps({"fingerprint": "another"}))
    with pytest.raises(DermalensError, match="evaluate scores --split validation"):
        precision.read_stored(manifest, None)


def test_a_processor_without_bfloat16_is_named(monkeypatch, capsys):
    monkeypatch.setattr(precision, "supports_bf16", lambda: False)
    monkeypatch.setattr("sys.argv", ["precision"])
    with pytest.raises(SystemExit) as ended:
        precision.main()
    assert ended.value.code == 2 and "no bfloat16" in capsys.readouterr().err
