"""The table of scores against `core.evaluation.metrics` with `grouped_bootstrap`, and at its edges."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from core.evaluation import metrics
from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.predictions import Predictions, from_frame
from core.evaluation.score_table import (
    MACRO,
    MICRO,
    SUSPICIOUS,
    binary_outcomes,
    binary_targets,
    score_classes,
    score_masks,
)

CODES = ("bkl", "mel", "nv")


@pytest.fixture
def frame() -> pd.DataFrame:
    """240 images of about 100 lesions, three classes, probabilities that lean towards the truth."""
    rng = np.random.default_rng(0)
    labels = rng.choice(3, size=240, p=[0.2, 0.3, 0.5])
    logits = rng.normal(size=(240, 3))
    logits[np.arange(240), labels] += 1.2
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    facts = {
        "image_id": [f"i{n}" for n in range(240)],
        "lesion_id": [f"l{n}" for n in rng.integers(110, size=240)],
        "dx": np.array(CODES, object)[labels],
    }
    return pd.DataFrame(facts | {f"p_{code}": shares[:, k] for k, code in enumerate(CODES)})


@pytest.fixture
def predictions(frame: pd.DataFrame) -> Predictions:
    return from_frame(frame)


@pytest.mark.parametrize(
    "name",
    [
        *("balanced_accuracy", "accuracy", "macro_roc_auc", "macro_f1"),
        *("cohen_kappa", "log_loss", "expected_calibration_error"),
    ],
)
def test_headline_is_the_metric_with_its_grouped_bootstrap(predictions, name):
    ours = score_classes(predictions, 200).headline[name]
    theirs = grouped_bootstrap(
        getattr(metrics, name),
        predictions.lesions,
        predictions.labels,
        predictions.probabilities,
        n_resamples=200,
    )
    expected = (theirs.estimate, theirs.low, theirs.high)
    assert (ours.estimate, ours.low, ours.high) == pytest.approx(expected)


def test_curve_areas_agree_with_scikit_learn(predictions):
    table = score_classes(predictions, 20)
    truth, shares = np.eye(3)[predictions.labels], predictions.probabilities
    for average in (MICRO, MACRO):
        assert table.roc_auc[average].estimate == pytest.approx(roc_auc_score(truth, shares, average=average))
        assert table.average_precision[average].estimate == pytest.approx(
            average_precision_score(truth, shares, average=average)
        )
    positive, score = binary_outcomes(predictions, SUSPICIOUS)
    np.testing.assert_array_equal(positive, predictions.labels == 1)
    assert table.roc_auc[SUSPICIOUS].estimate == pytest.approx(roc_auc_score(positive, score))


def test_class_scores_and_support(predictions):
    table = score_classes(predictions, 50)
    assert table.support == {code: int((predictions.labels == k).sum()) for k, code in enumerate(CODES)}
    assert table.n_images == 240 and table.n_draws == 50
    assert table.n_lesions == len(set(predictions.lesions))
    recalls = [table.per_class[code]["recall"].estimate for code in CODES]
    assert np.mean(recalls) == pytest.approx(table.headline["balanced_accuracy"].estimate)
    melanoma = table.per_class["mel"]["roc_auc"]
    assert melanoma == table.roc_auc["mel"] and melanoma.low < melanoma.estimate < melanoma.high


def test_unlabelled_rows_are_left_out(frame):
    half = score_classes(from_frame(frame.head(120)), 20)
    frame.loc[120:, "dx"] = None
    assert score_classes(from_frame(frame), 20) == half
    with pytest.raises(ValueError, match="known class"):
        score_classes(from_frame(frame.drop(columns="dx")), 20)


def test_one_row_has_scores_without_limits(frame):
    table = score_classes(from_frame(frame.head(1)), 20)
    assert table.headline["accuracy"].estimate in (0, 1)
    assert np.isnan(table.headline["accuracy"].low)
    assert np.isnan(table.headline["macro_roc_auc"].estimate)


def test_suspicious_needs_both_kinds():
    assert binary_targets(CODES) == [SUSPICIOUS, *CODES]
    assert binary_targets(("bkl", "nv")) == ["bkl", "nv"]


def test_mask_scores_leave_undefined_masks_out():
    frame = pd.DataFrame(
        {
            "lesion_id": list("abcd"),
            "dice": [0.9, 0.8, 0.6, np.nan],
            "jaccard": [0.8, 0.7, 0.4, np.nan],
            "mask_accuracy": [1.0, 0.9, 0.8, 0.7],
        }
    )
    table = score_masks(frame, 100)
    assert list(table)[:4] == ["dice", "jaccard", "thresholded_jaccard", "share_failed"]
    # Below 0.65 earns nothing: (0.8 + 0.7 + 0) / 3, and one of three failed.
    assert table["thresholded_jaccard"].estimate == pytest.approx(0.5)
    assert table["share_failed"].estimate == pytest.approx(1 / 3)
    assert table["mask_accuracy"].estimate == pytest.approx(0.85)
    assert score_masks(frame[["lesion_id", "dice"]], 100) == {}
    assert score_masks(frame.assign(jaccard=np.nan), 100) == {}
