"""Does a heatmap matter to the answer? Cover parts of the image and ask the classifier again.

`occlusion_map` covers one place after another: where the probability of a class falls, the place mattered.
`deletion_curve` covers more and more of the image in a heatmap's order. A heatmap that matters makes the
probability fall sooner than random orders of the same cells do.

Covered cells get the colour of the skin. Both need the classifier some hundred times, so callers say how it is
asked: `predict` takes N copies (h, w, 3) uint8 and answers (N,) probabilities of the class in question.

Reference:
    Zeiler and Fergus (2014), Visualizing and understanding convolutional networks, arXiv:1311.2901, section 4.2;
    Petsiuk et al. (2018), RISE, arXiv:1806.07421, section 4.2 (deletion). We cover cells instead of pixels, so
    that a heatmap's order and a random one leave the same kind of edges.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

Predict = Callable[[Sequence[np.ndarray]], np.ndarray]
Progress = Callable[[float], None]
OCCLUSION_CELLS, DELETION_CELLS = 12, 24  # along the longer side
N_STEPS, N_RANDOM = 16, 3
BATCH = 12  # copies a call: what fits between two reports of progress


@dataclass(frozen=True, eq=False)
class DeletionCurve:
    """Probability of the class against the share of the image that is covered, both (S + 1,), from 0 to 1."""

    shares: np.ndarray
    probabilities: np.ndarray

    @property
    def area(self) -> float:
        """Area under the curve: small if the probability falls early."""
        return float(np.trapezoid(self.probabilities, self.shares))

    def at(self, share: float) -> float:
        """Probability after this share of the image was covered."""
        return float(np.interp(share, self.shares, self.probabilities))


def skin_colour(image: np.ndarray, lesion_mask: np.ndarray) -> np.ndarray:
    """(3,) uint8: the median colour outside the lesion, of the whole image if that leaves nothing.

    Args:
        image: (h, w, 3) uint8.
        lesion_mask: (H, W) bool of the same picture, of any size.
    """
    small = cv2.resize(lesion_mask.astype(np.uint8), image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    outside = image[small == 0]
    return np.median(outside if len(outside) else image.reshape(-1, 3), axis=0).astype(np.uint8)


def grid_shape(shape: tuple[int, int], long_cells: int) -> tuple[int, int]:
    """(rows, columns) of about square cells, `long_cells` along the longer side.

    >>> grid_shape((450, 600), 12)
    (9, 12)
    """
    side_px = max(shape[:2]) / long_cells
    return max(round(shape[0] / side_px), 1), max(round(shape[1] / side_px), 1)


def occlusion_map(image: np.ndarray, fill: np.ndarray, predict: Predict) -> np.ndarray:
    """How far the probability falls when each place is covered by a patch of two by two cells.

    Args:
        image: (h, w, 3) uint8, as the classifier sees it.
        fill: (3,) colour of the patch.
        predict: see the module.

    Returns:
        (rows, columns) float32 of probability before minus after; negative where covering raises it.
    """
    rows, columns = grid_shape(image.shape, OCCLUSION_CELLS)

    def copies() -> Iterator[np.ndarray]:
        yield image
        height, width = image.shape[0] / rows, image.shape[1] / columns
        for row in range(rows):
            for column in range(columns):
                covered = image.copy()
                top, bottom = (max(round((row + k) * height), 0) for k in (-0.5, 1.5))
                left, right = (max(round((column + k) * width), 0) for k in (-0.5, 1.5))
                covered[top:bottom, left:right] = fill
                yield covered

    found = _ask(copies(), rows * columns + 1, predict)
    return (found[0] - found[1:]).reshape(rows, columns).astype(np.float32)


def heatmap_order(heatmap: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Numbers of the deletion cells of an image of `shape`, those with the highest mean of the heatmap first."""
    rows, columns = grid_shape(shape, DELETION_CELLS)
    enlarged = heatmap.shape[0] < rows
    method = cv2.INTER_LINEAR if enlarged else cv2.INTER_AREA
    means = cv2.resize(heatmap.astype(np.float32), (columns, rows), interpolation=method)
    return np.argsort(-means.ravel(), kind="stable")


def random_order(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Numbers of the deletion cells in an order that means nothing."""
    return np.random.default_rng(seed).permutation(np.prod(grid_shape(shape, DELETION_CELLS)))


def deletion_curve(image: np.ndarray, order: np.ndarray, fill: np.ndarray, predict: Predict) -> DeletionCurve:
    """Cover the cells of `order` in `N_STEPS` steps until nothing is left; arguments as in `occlusion_map`."""
    grid = grid_shape(image.shape, DELETION_CELLS)
    shares = np.linspace(0, 1, N_STEPS + 1)

    def copies() -> Iterator[np.ndarray]:
        for share in shares:
            covered = np.zeros(len(order), np.uint8)
            covered[order[: round(share * len(order))]] = 1
            where = cv2.resize(covered.reshape(grid), image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
            yield np.where(where[..., None] == 1, fill, image).astype(np.uint8)

    return DeletionCurve(shares, _ask(copies(), len(shares), predict))


@dataclass(frozen=True, eq=False)
class HeatmapCheck:
    """What covering parts of one image told about one class.

    Attributes:
        occlusion: see `occlusion_map`.
        curves: name of the order -> its curve: "gradcam" and "occlusion".
        random: curves of orders that mean nothing.
    """

    occlusion: np.ndarray
    curves: dict[str, DeletionCurve]
    random: tuple[DeletionCurve, ...]

    def matters(self, name: str) -> bool:
        """Whether the probability falls earlier by this order than by every random one."""
        return self.curves[name].area < min(curve.area for curve in self.random)


def count_copies(shape: tuple[int, int]) -> int:
    """How many copies of an image `check_heatmap` asks the classifier about."""
    return int(np.prod(grid_shape(shape, OCCLUSION_CELLS))) + 1 + (2 + N_RANDOM) * (N_STEPS + 1)


def check_heatmap(
    image: np.ndarray,
    gradcam: np.ndarray,
    fill: np.ndarray,
    predict: Predict,
    progress: Progress = lambda done: None,
) -> HeatmapCheck:
    """Measure occlusion, and the deletion curves of Grad-CAM, of occlusion and of random orders.

    Args:
        image: (h, w, 3) uint8, as the classifier sees it.
        gradcam: the heatmap in question, of any size.
        fill: (3,) colour of what is covered.
        predict: see the module.
        progress: called with the share that is done.
    """
    total, asked = count_copies(image.shape), 0

    def counted(copies: Sequence[np.ndarray]) -> np.ndarray:
        nonlocal asked
        found = predict(copies)
        asked += len(copies)
        progress(asked / total)
        return found

    occlusion = occlusion_map(image, fill, counted)
    shape = image.shape[:2]
    orders = {"gradcam": heatmap_order(gradcam, shape), "occlusion": heatmap_order(occlusion, shape)}
    curves = {name: deletion_curve(image, order, fill, counted) for name, order in orders.items()}
    random = (deletion_curve(image, random_order(shape, seed), fill, counted) for seed in range(N_RANDOM))
    return HeatmapCheck(occlusion, curves, tuple(random))


def _ask(copies: Iterator[np.ndarray], count: int, predict: Predict) -> np.ndarray:
    """(count,) float64, in batches, so that not all copies are in memory at once."""
    answers: list[float] = []
    batch: list[np.ndarray] = []
    for copy in copies:
        batch.append(copy)
        if len(batch) == BATCH or len(answers) + len(batch) == count:
            answers += [float(probability) for probability in predict(batch)]
            batch = []
    return np.array(answers)
