"""Losses of score under corruptions and drawn artefacts, from the answers of `training.measure.robustness`, paired by
image.

A table of answers has a row an image and change: `image_id`, `lesion_id`, `dx`, `change`, `severity`,
`p_<code>` of every class and `dice`; the change `CLEAN` is the image as it was.
"""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.metrics import accuracy, balanced_accuracy
from core.taxonomy import suspicious_flags

CLEAN = "clean"


def score_corruptions(
    answers: pd.DataFrame, classes: Sequence[str], used_in_training: Sequence[str] = ()
) -> dict:
    """Clean scores, and the loss under each corruption, paired by image.

    Returns:
        `clean` scores; `corruptions`: a dict for each corruption and severity, with the losses and their
        intervals over lesions; `mean_by_severity`: their means over all corruptions;
        `mean_by_severity_unseen`: over those that are not in `used_in_training`.
    """
    clean = answers[answers["change"] == CLEAN]
    labels, before = _labels(clean, classes), _probabilities(clean, classes)
    corrupted = answers[answers["change"] != CLEAN].groupby(["change", "severity"], sort=False)
    rows = [
        {"corruption": name, "severity": severity, **_losses(clean, part, classes)}
        for (name, severity), part in corrupted
    ]
    return {
        "clean": {
            "balanced_accuracy": balanced_accuracy(labels, before),
            "accuracy": accuracy(labels, before),
            "dice": np.nanmean(clean["dice"]),
        },
        "learned": list(used_in_training),
        "mean_by_severity": _means_by_severity(rows),
        "mean_by_severity_unseen": _means_by_severity(
            [r for r in rows if r["corruption"] not in used_in_training]
        ),
        "corruptions": rows,
    }


def _losses(clean: pd.DataFrame, part: pd.DataFrame, classes: Sequence[str]) -> dict:
    """Scores of one corruption at one severity, and how much lower they are than clean ones."""
    labels, lesions = _labels(clean, classes), clean["lesion_id"].to_numpy(object)
    before, after = _probabilities(clean, classes), _probabilities(part, classes)
    lost_dice = clean["dice"].to_numpy() - part["dice"].to_numpy()
    return {
        "balanced_accuracy": balanced_accuracy(labels, after),
        "balanced_accuracy_loss": asdict(grouped_bootstrap(_accuracy_loss, lesions, labels, before, after)),
        "dice": np.nanmean(part["dice"]),
        "dice_loss": asdict(grouped_bootstrap(np.nanmean, lesions, lost_dice)),
        "unchanged_share": _unchanged_share(before, after),
    }


def _accuracy_loss(labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> float:
    return balanced_accuracy(labels, before) - balanced_accuracy(labels, after)


def _means_by_severity(rows: list[dict]) -> list[dict]:
    """Means over the corruptions of each severity."""
    table = pd.DataFrame(
        {
            "severity": [row["severity"] for row in rows],
            "balanced_accuracy_loss": [row["balanced_accuracy_loss"]["estimate"] for row in rows],
            "dice_loss": [row["dice_loss"]["estimate"] for row in rows],
            "unchanged_share": [row["unchanged_share"] for row in rows],
        }
    )
    return table.groupby("severity", as_index=False).mean().to_dict("records")


def score_artefacts(answers: pd.DataFrame, classes: Sequence[str], threshold: float) -> dict:
    """False-positive rate on nevi at `threshold`, clean and under each artefact."""
    flags = suspicious_flags(classes)
    clean = answers[answers["change"] == CLEAN]
    lesions, before = clean["lesion_id"].to_numpy(object), _probabilities(clean, classes)
    called = before[:, flags].sum(axis=1) >= threshold
    rows = []
    for name, part in answers[answers["change"] != CLEAN].groupby("change", sort=False):
        after = _probabilities(part, classes)
        called_after = after[:, flags].sum(axis=1) >= threshold
        change = called_after.astype(float) - called
        rows.append(
            {
                "artefact": name,
                "false_positive_rate": called_after.mean(),
                "change": asdict(grouped_bootstrap(np.mean, lesions, change)),
                "unchanged_share": _unchanged_share(before, after),
            }
        )
    clean_rate = asdict(grouped_bootstrap(np.mean, lesions, called.astype(float)))
    return {
        "n_nevi": len(clean),
        "threshold": threshold,
        "clean_false_positive_rate": clean_rate,
        "artefacts": rows,
    }


def _labels(answers: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    return answers["dx"].map({code: k for k, code in enumerate(classes)}).to_numpy(np.int64)


def _unchanged_share(before: np.ndarray, after: np.ndarray) -> float:
    """Share of images whose most probable class stayed the same."""
    return float(np.mean(before.argmax(axis=1) == after.argmax(axis=1)))


def _probabilities(answers: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    return answers[[f"p_{code}" for code in classes]].to_numpy(np.float64)
