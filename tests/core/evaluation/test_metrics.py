"""Classification metrics against hand derivations, scikit-learn and brute force."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference

from core.evaluation import metrics
from core.taxonomy import HAM10000_CLASSES


@pytest.fixture
def scored():
    """300 images, 7 classes of unequal size, probabilities that lean towards the truth."""
    rng = np.random.default_rng(0)
    y_true = rng.choice(7, size=300, p=[0.05, 0.05, 0.1, 0.05, 0.15, 0.5, 0.1])
    logits = rng.normal(size=(300, 7))
    logits[np.arange(300), y_true] += 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert set(y_true) == set(range(7))
    return y_true, probabilities


# --- classification


def test_classification_by_hand():
    # Predictions 0, 1, 1, 1 for truths 0, 0, 1, 2: recalls 1/2, 1, 0; class 2 is never predicted.
    y_true = np.array([0, 0, 1, 2])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.5, 0.4]])
    assert metrics.accuracy(y_true, probabilities) == 0.5
    assert metrics.balanced_accuracy(y_true, probabilities) == pytest.approx(0.5)
    # F1: class 0: 2*1/(2+1); class 1: 2*1/(1+3); class 2: 0.
    assert metrics.macro_f1(y_true, probabilities) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert metrics.log_loss(y_true, probabilities) == pytest.approx(-np.log([0.8, 0.3, 0.7, 0.4]).mean())
    expected = [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert metrics.confusion_matrix(y_true, probabilities.argmax(axis=1), 3).tolist() == expected
    # Two bins: confidences 0.5 (wrong) in (0, 0.5], 0.6 (wrong), 0.7 and 0.8 (right) in (0.5, 1].
    ece = metrics.expected_calibration_error(y_true, probabilities, n_bins=2)
    assert ece == pytest.approx((0.5 + abs(2.1 - 2)) / 4)


def test_classification_agrees_with_scikit_learn(scored):
    y_true, probabilities = scored
    y_pred = probabilities.argmax(axis=1)
    assert metrics.accuracy(y_true, probabilities) == pytest.approx(reference.accuracy_score(y_true, y_pred))
    assert metrics.balanced_accuracy(y_true, probabilities) == pytest.approx(
        reference.balanced_accuracy_score(y_true, y_pred)
    )
    assert metrics.macro_f1(y_true, probabilities) == pytest.approx(
        reference.f1_score(y_true, y_pred, average="macro")
    )
    assert metrics.macro_roc_auc(y_true, probabilities) == pytest.approx(
        reference.roc_auc_score(y_true, probabilities, multi_class="ovr", average="macro")
    )
    assert metrics.class_roc_auc(y_true, probabilities, 4) == pytest.approx(
        reference.roc_auc_score(y_true == 4, probabilities[:, 4])
    )
    assert metrics.log_loss(y_true, probabilities) == pytest.approx(reference.log_loss(y_true, probabilities))
    np.testing.assert_array_equal(
        metrics.confusion_matrix(y_true, y_pred, 7), reference.confusion_matrix(y_true, y_pred)
    )


def test_tied_scores_count_half_in_the_auc():
    # Pairs (positive, negative): (0.5, 0.5) tie, (0.5, 0.2) right, (0.9, both) right: 3.5 of 4.
    probabilities = np.array([[0.5, 0.5], [0.1, 0.9], [0.5, 0.5], [0.8, 0.2]])
    assert metrics.class_roc_auc(np.array([1, 1, 0, 0]), probabilities, 1) == pytest.approx(3.5 / 4)


def test_auc_of_one_outcome_against_the_reference(scored):
    y_true, probabilities = scored
    found = metrics.roc_auc(y_true == 4, probabilities[:, 4])
    assert found == pytest.approx(reference.roc_auc_score(y_true == 4, probabilities[:, 4]))
    assert math.isnan(metrics.roc_auc(np.zeros(3, bool), np.arange(3.0)))
    with pytest.raises(ValueError, match="NaN"):
        metrics.roc_auc(np.array([True, False]), np.array([np.nan, 0.5]))


def test_calibration_error_against_a_loop_over_bins(scored):
    y_true, probabilities = scored
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == y_true
    total = 0.0
    for low, high in zip(np.arange(15) / 15, np.arange(1, 16) / 15, strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - correct[inside].mean())
    assert metrics.expected_calibration_error(y_true, probabilities) == pytest.approx(total)


def test_absent_classes_are_left_out_not_scored():
    y_true = np.array([0, 0, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.3, 0.6, 0.1]])
    assert metrics.balanced_accuracy(y_true, probabilities) == 1
    assert metrics.macro_f1(y_true, probabilities) == 1
    assert math.isnan(metrics.class_roc_auc(y_true, probabilities, 2))
    assert metrics.macro_roc_auc(y_true, probabilities) == 1


def test_no_images_and_one_class_are_nan():
    nobody, nothing = np.zeros(0, int), np.zeros((0, 3))
    for metric in (
        metrics.accuracy,
        metrics.balanced_accuracy,
        metrics.macro_f1,
        metrics.macro_roc_auc,
        metrics.log_loss,
        metrics.expected_calibration_error,
    ):
        assert math.isnan(metric(nobody, nothing)), metric.__name__
    assert math.isnan(metrics.macro_roc_auc(np.zeros(4, int), np.tile([0.6, 0.4], (4, 1))))


def test_impossible_true_class_has_a_finite_loss():
    assert metrics.log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(36.04, abs=0.01)


def test_classification_scores_collect_the_single_metrics(scored):
    y_true, probabilities = scored
    scores = metrics.classification_scores(y_true, probabilities, HAM10000_CLASSES)
    assert scores["macro_roc_auc"] == metrics.macro_roc_auc(y_true, probabilities)
    assert scores["roc_auc_mel"] == metrics.class_roc_auc(y_true, probabilities, 4)
    assert np.mean([scores[f"recall_{code}"] for code in HAM10000_CLASSES]) == pytest.approx(
        scores["balanced_accuracy"]
    )
    suspicious = np.isin(y_true, [0, 1, 4])  # akiec, bcc, mel
    assert scores["roc_auc_suspicious"] == pytest.approx(
        reference.roc_auc_score(suspicious, probabilities[:, [0, 1, 4]].sum(axis=1))
    )
    assert scores["n_images"] == 300 and all(isinstance(value, float) for value in scores.values())
    with pytest.raises(ValueError, match="classes"):
        metrics.classification_scores(y_true, probabilities, ("mel", "nv"))


@pytest.mark.parametrize(
    ("y_true", "probabilities", "message"),
    [
        (np.array([0, 1]), np.full((3, 2), 0.5), "like `y_true`"),
        (np.array([0, 2]), np.full((2, 2), 0.5), "0..1"),
        (np.array([0.0, 1.0]), np.full((2, 2), 0.5), "integers"),
        (np.array([0, 1]), np.array([[2.0, -1.0], [0.5, 0.5]]), "sum to 1"),
        (np.array([0, 1]), np.array([[np.nan, 0.5], [0.5, 0.5]]), "finite"),
        (np.array([0, 1]), np.array([[3.0, 1.0], [0.5, 0.5]]), "softmax"),
    ],
)
def test_bad_scores_are_refused(y_true, probabilities, message):
    with pytest.raises(ValueError, match=message):
        metrics.accuracy(y_true, probabilities)


def test_float32_softmax_rows_are_accepted():
    probabilities = np.full((2, 7), 1 / 7, np.float32)
    assert metrics.accuracy(np.array([0, 1]), probabilities) == 0.5


# --- binary


def _brute_force_sensitivity(y_true: np.ndarray, score: np.ndarray, specificity: float) -> float:
    thresholds = [*np.unique(score), np.inf]
    allowed = [t for t in thresholds if np.mean(score[~y_true] < t) >= specificity - 1e-9]
    return max(np.mean(score[y_true] >= t) for t in allowed)


@pytest.mark.parametrize("specificity", [0.5, 0.9, 1.0])
def test_sensitivity_at_specificity_against_every_threshold(specificity):
    rng = np.random.default_rng(2)
    y_true = rng.random(80) < 0.3
    score = np.round(rng.random(80) + 0.4 * y_true, 1)  # many ties
    expected = _brute_force_sensitivity(y_true, score, specificity)
    assert metrics.sensitivity_at_specificity(y_true, score, specificity) == pytest.approx(expected)


def test_sensitivity_at_specificity_by_hand():
    # Ten negatives at 0.0 ... 0.9, so 90 % specificity allows one false positive: threshold just below 0.9.
    y_true = np.array([False] * 10 + [True] * 4)
    score = np.array([*np.arange(10) / 10, 0.95, 0.85, 0.75, 0.05])
    assert metrics.sensitivity_at_specificity(y_true, score) == pytest.approx(2 / 4)
    assert math.isnan(metrics.sensitivity_at_specificity(np.ones(3, bool), np.zeros(3)))
    assert math.isnan(metrics.sensitivity_at_specificity(np.zeros(3, bool), np.zeros(3)))


@pytest.mark.parametrize("sensitivity", [0.05, 0.5, 0.95, 1.0])
def test_threshold_for_sensitivity_is_the_largest_that_reaches_it(sensitivity):
    rng = np.random.default_rng(3)
    y_true = np.array([True] * 20 + [False] * 30)
    score = rng.random(50)
    threshold = metrics.threshold_for_sensitivity(y_true, score, sensitivity)
    assert np.mean(score[y_true] >= threshold) >= sensitivity - 1e-9
    assert np.mean(score[y_true] >= np.nextafter(threshold, 2)) < sensitivity - 1e-9


def test_threshold_without_positives_is_nan_and_bad_targets_are_refused():
    assert math.isnan(metrics.threshold_for_sensitivity(np.zeros(3, bool), np.zeros(3)))
    with pytest.raises(ValueError, match="sensitivity"):
        metrics.threshold_for_sensitivity(np.ones(3, bool), np.zeros(3), 0.0)
    with pytest.raises(ValueError, match="bool"):
        metrics.threshold_for_sensitivity(np.ones(3, int), np.zeros(3))
    with pytest.raises(ValueError, match="NaN"):
        metrics.threshold_for_sensitivity(np.ones(3, bool), np.full(3, np.nan))
