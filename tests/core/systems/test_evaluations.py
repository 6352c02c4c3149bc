"""Finding the evaluations that ship."""

import json

import pytest

from core.systems.evaluations import list_evaluations


def test_evaluations_are_found_with_test_splits_first(tmp_path):
    for name in ("b/validation", "a/validation", "b/test"):
        path = tmp_path / f"{name}_predictions.csv"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "c").mkdir()  # a training run without an evaluation
    assert [e.label for e in list_evaluations(tmp_path)] == ["b · test", "a · validation", "b · validation"]


def test_scores_are_those_beside_the_predictions(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "test_predictions.csv").touch()
    [evaluation] = list_evaluations(tmp_path)
    assert evaluation.read_scores() == {}
    (tmp_path / "a" / "test_scores.json").write_text(json.dumps({"n_images": 3}))
    assert evaluation.read_scores() == {"n_images": 3}


@pytest.mark.slow
def test_every_shipped_evaluation_can_be_read_and_agrees_with_its_scores():
    evaluations = list_evaluations()
    assert evaluations
    for evaluation in evaluations:
        predictions, scores = evaluation.read_predictions(), evaluation.read_scores()
        assert len(predictions) == scores["n_images"]
        known = predictions.take(predictions.labelled)
        accuracy = (known.predicted == known.labels).mean()
        assert abs(accuracy - scores["classification"]["accuracy"]["estimate"]) < 1e-6
