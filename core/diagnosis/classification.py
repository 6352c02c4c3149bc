"""Image and lesion mask -> calibrated class probabilities, by the bundle's EfficientNet.

Each image is seen in one or two windows (the whole image, the lesion with a margin), each window in
one or eight symmetric views. Every view's logits are divided by the temperature and passed through
softmax; the answer is the mean of the views, and their standard deviation is the spread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.images.preprocessing import Box, crop_square, lesion_box, limit_long_side
from core.images.symmetry import N_SYMMETRIES, symmetry_views
from core.taxonomy import suspicious_flags


@dataclass(frozen=True, eq=False)
class Classification:
    """The ranked answer for one image.

    Attributes:
        classes: K diagnosis codes.
        probabilities: (K,) calibrated, sum to 1.
        view_probabilities: (V, K) the views they are the mean of, window after window.
        features: (V, h, w, C) float32 feature maps, for the explanation.
        boxes: the window of each group of views, in pixels of the lesion mask.
    """

    classes: tuple[str, ...]
    probabilities: np.ndarray
    view_probabilities: np.ndarray
    features: np.ndarray
    boxes: tuple[Box, ...]

    def __post_init__(self):
        views, n_classes = self.view_probabilities.shape
        if self.probabilities.shape != (n_classes,) or len(self.classes) != n_classes:
            raise ValueError(
                f"{len(self.classes)} classes, probabilities {self.probabilities.shape} and views "
                f"{self.view_probabilities.shape} do not agree."
            )
        if views % len(self.boxes):
            raise ValueError(f"{views} views do not divide into {len(self.boxes)} windows.")

    @property
    def spread(self) -> np.ndarray:
        """(K,) standard deviation over the views; NaN when there is only one view."""
        if len(self.view_probabilities) < 2:
            return np.full(len(self.classes), np.nan)
        return self.view_probabilities.std(axis=0)

    @property
    def prediction(self) -> str:
        """Code of the most probable class."""
        return self.classes[int(self.probabilities.argmax())]

    @property
    def suspicious_probability(self) -> float:
        """Probability of malignancy: sum over the malignant, premalignant and in-situ classes."""
        return float(self.probabilities[suspicious_flags(self.classes)].sum())

    @property
    def agreement(self) -> float:
        """Share of the views that agree with the prediction."""
        return float((self.view_probabilities.argmax(axis=1) == self.probabilities.argmax()).mean())

    def ranked(self) -> list[tuple[str, float, float]]:
        """(code, probability, spread), most probable first."""
        spread = self.spread
        order = np.argsort(-self.probabilities, kind="stable")
        return [(self.classes[i], float(self.probabilities[i]), float(spread[i])) for i in order]


@dataclass(frozen=True)
class ClassifierInput:
    """The classifier's input, as stated by the bundle.

    Attributes:
        classes: diagnosis codes in the order of the outputs.
        input_size_px: side of the square window.
        long_side_px: resolution the network was trained at.
        windows: of "whole" and "crop".
        crop_margin: skin around the lesion in "crop", as a share of its longer side.
        temperature: divides the logits.
    """

    classes: tuple[str, ...]
    input_size_px: int
    long_side_px: int
    windows: tuple[str, ...]
    crop_margin: float
    temperature: float


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis. SciPy's own would cost the first analysis half a second of imports.

    >>> softmax(np.log([1.0, 3.0])).round(3).tolist()
    [0.25, 0.75]
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def undo_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities as they were before the logits were divided by `temperature`; (..., K), rows sum to 1.

    >>> undo_temperature(np.array([0.8, 0.2]), 2.0).round(3).tolist()
    [0.941, 0.059]
    """
    powered = probabilities**temperature
    return powered / powered.sum(axis=-1, keepdims=True)


def window_boxes(lesion_mask: np.ndarray, seen: ClassifierInput) -> tuple[Box, ...]:
    """The windows of one image, in pixels of its lesion mask; without a lesion "crop" is the whole image."""
    boxes = {
        "whole": lambda: Box.whole(lesion_mask),
        "crop": lambda: lesion_box(lesion_mask, seen.crop_margin),
    }
    return tuple(boxes[window]() for window in seen.windows)


def window_squares(
    image: np.ndarray, boxes: Sequence[Box], shape: tuple[int, int], seen: ClassifierInput
) -> np.ndarray:
    """(n_windows, S, S, 3) uint8: windows at the network's input size.

    `boxes` are in pixels of a frame of size `shape` (H, W), of which `image` may be a smaller copy.
    """
    small = limit_long_side(image, seen.long_side_px)
    factors = small.shape[1] / shape[1], small.shape[0] / shape[0]
    return np.stack([crop_square(small, box.scaled(*factors), seen.input_size_px) for box in boxes])


def classify(
    feature_network: Callable[[np.ndarray], np.ndarray],
    head_network: Callable[[np.ndarray], np.ndarray],
    images: Sequence[np.ndarray],
    lesion_masks: Sequence[np.ndarray],
    seen: ClassifierInput,
    n_views: int = N_SYMMETRIES,
) -> list[Classification]:
    """Classify several images, all windows and views in one stack of batches.

    Args:
        feature_network: (N, S, S, 3) uint8 -> (N, h, w, C).
        head_network: (N, h, w, C) -> (N, K) logits.
        images: each (h, w, 3) uint8 RGB; may be smaller copies of the frames that the masks cover.
        lesion_masks: each (H, W) bool; all False where no lesion was found.
        seen: the windows, sizes and temperature.
        n_views: 8 with test-time augmentation, 1 without.
    """
    boxes = [window_boxes(mask, seen) for mask in lesion_masks]
    squares = [
        window_squares(image, own, mask.shape, seen)
        for image, own, mask in zip(images, boxes, lesion_masks, strict=True)
    ]
    views = np.concatenate([symmetry_views(square, n_views) for own in squares for square in own])
    features = feature_network(views)
    per_view = softmax(head_network(features).astype(np.float64) / seen.temperature)
    features = np.split(features, len(images))
    return [
        Classification(seen.classes, own.mean(axis=0), own, maps, windows)
        for own, maps, windows in zip(np.split(per_view, len(images)), features, boxes, strict=True)
    ]


def classify_copies(
    feature_network: Callable[[np.ndarray], np.ndarray],
    head_network: Callable[[np.ndarray], np.ndarray],
    copies: Sequence[np.ndarray],
    boxes: Sequence[Box],
    shape: tuple[int, int],
    seen: ClassifierInput,
) -> np.ndarray:
    """(N, K) probabilities of changed copies of one image, in one view of each of the same windows.

    Args:
        feature_network: as in `classify`.
        head_network: as in `classify`.
        copies: N images, each (h, w, 3) uint8 RGB.
        boxes: the windows, in pixels of a frame of `shape` (H, W), of which the copies may be smaller.
        shape: (H, W).
        seen: the sizes and temperature.
    """
    squares = np.concatenate([window_squares(copy, boxes, shape, seen) for copy in copies])
    logits = head_network(feature_network(squares)).astype(np.float64)
    return softmax(logits / seen.temperature).reshape(len(copies), len(boxes), -1).mean(axis=1)
