"""Scores of a sample and its draws, against core.evaluation.metrics and the plain bootstrap."""

import numpy as np
import pytest
from sklearn.metrics import recall_score, roc_auc_score

from core.evaluation import metrics
from core.evaluation.bootstrap import draw_lesions, grouped_bootstrap
from core.evaluation.predictions import Predictions
from core.evaluation.scores import TOP, calibration_question, list_scores
from core.taxonomy import suspicious_flags
from tests.core.tables import make_table, random_table

CLASSES = ("bcc", "bkl", "mel", "nv")
THRESHOLD = 0.4


@pytest.fixture(scope="module")
def table() -> Predictions:
    return random_table(120, CLASSES, seed=3)


def estimate(table: Predictions, name: str) -> float:
    score = list_scores(table)[name]
    part = table.take(score.usable(table))
    return float(score.draws(part, THRESHOLD, draw_lesions(part.lesions, 2))[0])


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("accuracy", metrics.accuracy),
        ("balanced_accuracy", metrics.balanced_accuracy),
        ("macro_f1", metrics.macro_f1),
        ("macro_roc_auc", metrics.macro_roc_auc),
        ("log_loss", metrics.log_loss),
        ("expected_calibration_error", metrics.expected_calibration_error),
    ],
)
def test_score_and_its_interval_are_those_of_the_plain_bootstrap(table, name: str, metric):
    score = list_scores(table)[name]
    resamples = draw_lesions(table.lesions, 40)
    found = resamples.interval(score.draws(table, THRESHOLD, resamples))
    plain = grouped_bootstrap(metric, table.lesions, table.labels, table.probabilities, n_resamples=40)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (plain.estimate, plain.low, plain.high), abs=1e-6
    )


def test_suspicious_scores_are_those_of_scikit_learn(table):
    suspicious = suspicious_flags(CLASSES)[table.labels]
    called = table.malignancy_probability >= THRESHOLD
    assert estimate(table, "roc_auc_suspicious") == pytest.approx(
        roc_auc_score(suspicious, table.malignancy_probability)
    )
    assert estimate(table, "sensitivity") == pytest.approx(recall_score(suspicious, called))
    assert estimate(table, "specificity") == pytest.approx(recall_score(~suspicious, ~called))
    melanoma = table.labels == CLASSES.index("mel")
    assert estimate(table, "recall_mel") == pytest.approx(
        recall_score(melanoma, table.predicted == CLASSES.index("mel"))
    )


def test_dice_leaves_undefined_masks_out(table):
    dice = table.frame["dice"].to_numpy()
    assert np.isnan(dice).sum() == 3
    assert estimate(table, "dice") == pytest.approx(np.nanmean(dice))


def test_score_knows_which_images_it_is_about():
    # Three labelled images, one of them suspicious, and one that nobody labelled.
    table = make_table([("mel", "nv", 0.9), ("nv", "nv", 0.9), ("nv", "mel", 0.9), ("", "nv", 0.9)], CLASSES)
    scores = list_scores(table)
    assert scores["accuracy"].about(table).tolist() == [True, True, True, False]
    assert scores["sensitivity"].about(table).tolist() == [True, False, False, False]
    assert scores["specificity"].about(table).tolist() == [False, True, True, False]
    assert scores["recall_mel"].about(table).tolist() == [True, False, False, False]


def test_only_scores_that_the_table_can_have_are_listed(table):
    assert {"dice", "sensitivity", "recall_mel"} <= set(list_scores(table))
    benign = make_table([("nv", "nv", 0.9)], ("nv", "bkl"))
    assert not {"sensitivity", "roc_auc_suspicious", "recall_mel", "dice"} & set(list_scores(benign))
    assert not list_scores(make_table([("", "nv", 0.9)], CLASSES))


def test_calibration_asks_for_the_top_class_one_class_or_all_suspicious():
    table = make_table([("mel", "nv", 0.7)], ("bcc", "mel", "nv"))  # 0.15, 0.15, 0.7
    probability, event = calibration_question(table, TOP)
    assert (probability[0], event[0]) == (pytest.approx(0.7), False)
    probability, event = calibration_question(table, "mel")
    assert (probability[0], event[0]) == (pytest.approx(0.15), True)
    probability, event = calibration_question(table, "suspicious")
    assert (probability[0], event[0]) == (pytest.approx(0.3), True)
