"""Metrics of lesion masks; each takes two bool masks of one shape.

Undefined is NaN, never a number that looks like a score: Dice of two empty masks, means over no images.
"""

import numpy as np

from core.evaluation.metrics import mean, ratio


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|); NaN when both masks are empty. Symmetric.

    >>> dice(np.array([True, True, False]), np.array([True, False, False])) == 2 / 3
    True
    """
    both, total = _overlap(a, b)
    return ratio(2 * both, total)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """|A and B| / |A or B|; NaN when both masks are empty. Symmetric."""
    both, total = _overlap(a, b)
    return ratio(both, total - both)


def thresholded_jaccard(a: np.ndarray, b: np.ndarray, threshold: float = 0.65) -> float:
    """Jaccard, or 0 below `threshold`: a mask that a reader would call failed earns nothing.

    Reference:
        ISIC 2018 challenge, task 1; Codella et al. (2019), arXiv:1902.03368. 0.65 is theirs.
    """
    return _threshold(jaccard(a, b), threshold)


def pixel_accuracy(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Share of pixels on which the masks agree; NaN for masks without pixels."""
    _check_masks(predicted, reference)
    return ratio(np.count_nonzero(predicted == reference), reference.size)


def mask_sensitivity(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Share of the reference lesion that was found; NaN when the reference is empty."""
    _check_masks(predicted, reference)
    return ratio(np.count_nonzero(predicted & reference), np.count_nonzero(reference))


def mask_specificity(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Share of the reference skin that was left alone; NaN when there is no skin in the reference."""
    _check_masks(predicted, reference)
    return ratio(np.count_nonzero(~predicted & ~reference), np.count_nonzero(~reference))


def segmentation_scores(dices: np.ndarray, jaccards: np.ndarray, threshold: float = 0.65) -> dict[str, float]:
    """Means over images of per-image scores, leaving out images without a lesion in either mask.

    Args:
        dices: (N,) floats, one an image; NaN for undefined.
        jaccards: (N,) floats in the same order.
        threshold: Jaccard below which a mask counts as failed.

    Returns:
        dice, jaccard, thresholded_jaccard, share_failed, n_images (those scored); NaN means over none.
    """
    dices, jaccards = np.asarray(dices, np.float64), np.asarray(jaccards, np.float64)
    if dices.ndim != 1 or dices.shape != jaccards.shape:
        raise ValueError(f"`dices` and `jaccards` must be (N,); got {dices.shape} and {jaccards.shape}.")
    scored = ~(np.isnan(dices) | np.isnan(jaccards))
    dices, jaccards = dices[scored], jaccards[scored]
    return {
        "dice": mean(dices),
        "jaccard": mean(jaccards),
        "thresholded_jaccard": mean([_threshold(value, threshold) for value in jaccards]),
        "share_failed": mean(jaccards < threshold),
        "n_images": float(len(jaccards)),
    }


def _threshold(value: float, threshold: float) -> float:
    return 0.0 if value < threshold else float(value)  # NaN stays NaN


def _check_masks(a: np.ndarray, b: np.ndarray) -> None:
    if a.dtype != np.bool_ or b.dtype != np.bool_ or a.shape != b.shape:
        raise ValueError(
            f"masks must be bool and of one shape; got {a.shape} {a.dtype} and {b.shape} {b.dtype}. "
            "Binarise with `mask > threshold` first."
        )


def _overlap(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Pixels in both masks, and the sum of the two areas."""
    _check_masks(a, b)
    return np.count_nonzero(a & b), np.count_nonzero(a) + np.count_nonzero(b)
