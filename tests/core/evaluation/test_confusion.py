"""Scores of a confusion matrix by hand and against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics as reference

from core.evaluation import confusion

# Rows true, columns predicted: class 2 is never predicted.
MATRIX = np.array([[3, 1, 0], [1, 2, 0], [0, 1, 0]])


def test_scores_by_hand():
    assert confusion.recall(MATRIX) == pytest.approx([3 / 4, 2 / 3, 0])
    assert confusion.precision(MATRIX) == pytest.approx([3 / 4, 2 / 4, np.nan], nan_ok=True)
    # 2 tp / (true + predicted): 6/8, 4/7, 0/1.
    assert confusion.f1(MATRIX) == pytest.approx([6 / 8, 4 / 7, 0])
    # Of the 4, 5 and 7 others, 1, 2 and 0 were called so.
    assert confusion.specificity(MATRIX) == pytest.approx([3 / 4, 3 / 5, 1])
    assert confusion.accuracy(MATRIX) == pytest.approx(5 / 8)
    # Chance agrees on (4*4 + 3*4 + 1*0) / 64 = 28/64: (40 - 28) / (64 - 28).
    assert confusion.cohen_kappa(MATRIX) == pytest.approx(12 / 36)


def test_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    truth, called = rng.integers(5, size=(2, 400))
    called[:200] = truth[:200]
    matrix = reference.confusion_matrix(truth, called)
    ours = (confusion.precision(matrix), confusion.recall(matrix), confusion.f1(matrix))
    theirs = reference.precision_recall_fscore_support(truth, called)[:3]
    np.testing.assert_allclose(ours, theirs)
    assert confusion.cohen_kappa(matrix) == pytest.approx(reference.cohen_kappa_score(truth, called))
    assert confusion.macro_f1(matrix) == pytest.approx(reference.f1_score(truth, called, average="macro"))
    for k, value in enumerate(confusion.specificity(matrix)):
        assert value == pytest.approx(reference.recall_score(truth != k, called != k))


def test_many_matrices_go_at_once():
    stack = np.stack([MATRIX, MATRIX.T, np.zeros((3, 3), int)])
    for score in (confusion.recall, confusion.balanced_accuracy, confusion.cohen_kappa, confusion.f1):
        np.testing.assert_array_equal(score(stack), [score(matrix) for matrix in stack])


def test_undefined_is_nan_and_left_out_of_means():
    nothing = np.zeros((2, 2), int)
    for score in (confusion.accuracy, confusion.balanced_accuracy, confusion.macro_f1, confusion.cohen_kappa):
        assert np.isnan(score(nothing)), score.__name__
    one_class = np.array([[3, 1], [0, 0]])
    assert confusion.balanced_accuracy(one_class) == pytest.approx(3 / 4)
    assert np.isnan(confusion.cohen_kappa(np.array([[4, 0], [0, 0]])))
