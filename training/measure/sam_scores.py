"""Scores of the SAM benchmark: corruption errors, changed answers and flip rates, also relative to AlexNet.

A table of answers has a row an image: `part` (of `PARTS`), `transformation` ("" in SAM), `severity` (SAM-C),
`sequence` and `frame` (SAM-P), `image` (the picture that it was made from), `melanoma` (probability, NaN if the image
could not be read) and `label` ("mel", "nv" or "" where it is not known: the benchmark publishes none).

Reference:
    Maron et al. (2021), A benchmark for neural network robustness in skin cancer classification, Eur J Cancer
    155:191-199, doi:10.1016/j.ejca.2021.06.047; after Hendrycks and Dietterich (2019), arXiv:1903.12261. Their
    balanced corruption error is taken as 1 - balanced accuracy, the mean over the severities of a corruption.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

PARTS = ("SAM", "SAM-C", "SAM-C-Extra", "SAM-P", "SAM-P-Extra")
CALLED_FROM = 0.5  # theirs
# AlexNet, as published with the benchmark (github.com/DBO-DKFZ/SCP-Robustness-Benchmark, code/baseline): balanced
# error on clean images, and by corruption; flip rate by perturbation. Their order is that of the files.
BASELINE: dict[str, dict[str, float]] = {
    "SAM": {"clean": 0.205909},
    "SAM-C": {
        "gaussian_noise": 0.403166,
        "shot_noise": 0.379769,
        "impulse_noise": 0.414247,
        "defocus_blur": 0.262236,
        "motion_blur": 0.252916,
        "zoom_blur": 0.356426,
        "black_corner": 0.286431,
        "char": 0.219003,
        "brightness_up": 0.239756,
        "brightness_down": 0.326539,
        "contrast": 0.482965,
        "elastic_transform": 0.216771,
        "pixelate": 0.213916,
        "jpeg_compression": 0.297771,
    },
    "SAM-C-Extra": {
        "speckle_noise": 0.318774,
        "gaussian_blur": 0.250572,
        "bubble": 0.401682,
        "saturate": 0.335340,
    },
    "SAM-P": {
        "gaussian_noise": 0.304556,
        "shot_noise": 0.289154,
        "motion_blur": 0.010909,
        "zoom_blur": 0.018934,
        "char": 0.023135,
        "brightness": 0.018621,
        "translate": 0.023344,
        "rotate": 0.044431,
        "tilt": 0.033814,
        "scale": 0.043908,
    },
    "SAM-P-Extra": {
        "speckle_noise": 0.233145,
        "gaussian_blur": 0.005016,
        "bubble": 0.028652,
        "shear": 0.038391,
    },
}


def score_sam(answers: pd.DataFrame) -> dict[str, dict]:
    """Scores of every part that is there; those that need labels are None without.

    Returns:
        "SAM": `n_images`, `balanced_error`. SAM-C and its extra: `mean_balanced_error`, `relative_mean_balanced_error`,
        the same two `..._to_baseline`, `changed_share`, and `corruptions`: balanced error and the share of images whose
        answer is another one than that of the clean image, by corruption. SAM-P and its extra: `mean_flip_rate`,
        `mean_flip_rate_to_baseline` and `perturbations`: flip rate by perturbation.
    """
    known = answers[answers["melanoma"].notna()]
    parts = {part: known[known["part"] == part] for part in PARTS}
    clean = parts["SAM"]
    scores: dict[str, dict] = {}
    if len(clean):
        scores["SAM"] = {"n_images": len(clean), "balanced_error": balanced_error(clean)}
    for part, rows in parts.items():
        if not len(rows) or part == "SAM":
            continue
        score = _score_corruptions if part.startswith("SAM-C") else _score_perturbations
        scores[part] = {"n_images": len(rows), **score(rows, clean, BASELINE[part])}
    return scores


def balanced_error(rows: pd.DataFrame) -> float | None:
    """1 - balanced accuracy of the calls; None unless both classes are among the labels."""
    called = rows["melanoma"] >= CALLED_FROM
    wrong = [
        float((called[rows["label"] == label] != (label == "mel")).mean())
        for label in ("mel", "nv")
        if (rows["label"] == label).any()
    ]
    return float(np.mean(wrong)) if len(wrong) == 2 else None


def flip_rate(rows: pd.DataFrame, noise: bool) -> float | None:
    """Share of steps of all sequences at which the call changes; None where no sequence has two frames.

    Args:
        rows: of one perturbation.
        noise: frames do not follow one another: each is compared with the first of its sequence.
    """
    flips, steps = 0, 0
    for _, sequence in rows.sort_values("frame").groupby("sequence", sort=False):
        called = (sequence["melanoma"] >= CALLED_FROM).to_numpy()
        before = called[0] if noise else called[:-1]
        flips += int((called[1:] != before).sum())
        steps += len(called) - 1
    return flips / steps if steps else None


def changed_share(rows: pd.DataFrame, clean: pd.DataFrame) -> float | None:
    """Share of images whose call is another one than the clean image's; None without any clean image."""
    before = clean.drop_duplicates("image").set_index("image")["melanoma"] >= CALLED_FROM
    paired = rows[rows["image"].isin(before.index)]
    if not len(paired):
        return None
    called = (paired["melanoma"] >= CALLED_FROM).to_numpy()
    return float((called != before.loc[paired["image"]].to_numpy()).mean())


def mean_to_baseline(
    values: Mapping[str, float | None],
    baseline: Mapping[str, float],
    clean: float = 0.0,
    baseline_clean: float = 0.0,
) -> float | None:
    """Mean of the values over those of the baseline, both less the clean ones; None if one is not known.

    >>> mean_to_baseline({"a": 0.2, "b": 0.3}, {"a": 0.4, "b": 0.3})
    0.75
    """
    if not values or any(value is None or name not in baseline for name, value in values.items()):
        return None
    ratios = [(value - clean) / (baseline[name] - baseline_clean) for name, value in values.items()]
    return float(np.mean(ratios))


def _mean(values: Mapping[str, float | None]) -> float | None:
    known = list(values.values())
    return None if not known or None in known else float(np.mean(known))


def _score_corruptions(rows: pd.DataFrame, clean: pd.DataFrame, baseline: dict[str, float]) -> dict:
    errors, changed = {}, {}
    for name, part in rows.groupby("transformation", sort=False):
        by_severity = {k: balanced_error(own) for k, own in part.groupby("severity")}
        errors[name] = _mean(by_severity)
        changed[name] = changed_share(part, clean)
    own_clean, their_clean = balanced_error(clean) if len(clean) else None, BASELINE["SAM"]["clean"]
    mean = _mean(errors)
    relative = None if mean is None or own_clean is None else mean - own_clean
    adjusted = None if relative is None else mean_to_baseline(errors, baseline, own_clean, their_clean)
    return {
        "mean_balanced_error": mean,
        "mean_balanced_error_to_baseline": mean_to_baseline(errors, baseline),
        "relative_mean_balanced_error": relative,
        "relative_mean_balanced_error_to_baseline": adjusted,
        "changed_share": _mean(changed),
        "corruptions": {
            name: {"balanced_error": errors[name], "changed_share": changed[name]} for name in errors
        },
    }


def _score_perturbations(rows: pd.DataFrame, clean: pd.DataFrame, baseline: dict[str, float]) -> dict:
    rates = {
        name: flip_rate(part, noise=name.endswith("_noise"))
        for name, part in rows.groupby("transformation", sort=False)
    }
    return {
        "mean_flip_rate": _mean(rates),
        "mean_flip_rate_to_baseline": mean_to_baseline(rates, baseline),
        "perturbations": {name: {"flip_rate": rate} for name, rate in rates.items()},
    }
