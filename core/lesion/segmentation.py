"""Image -> lesion probability map at any size, by the bundle's U-Net."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from core.images.preprocessing import Box, crop_square, limit_long_side
from core.images.symmetry import N_SYMMETRIES, merge_views, symmetry_views


def predict_masks(
    network: Callable[[np.ndarray], np.ndarray],
    images: Sequence[np.ndarray],
    shapes: Sequence[tuple[int, int]] | None = None,
    *,
    input_size_px: int,
    long_side_px: int,
    n_views: int = N_SYMMETRIES,
) -> list[np.ndarray]:
    """Lesion probability maps of several images, all views in one stack of batches.

    The image is shrunk to the resolution the network was trained at, squeezed to its square input,
    seen in `n_views` symmetric views, and the mean of the aligned answers is stretched back.

    Args:
        network: (N, S, S, 3) uint8 -> (N, S, S, 1) float32 in [0, 1].
        images: each (h, w, 3) uint8 RGB, of any size.
        shapes: (H, W) of each map; the images' own sizes if None.
        input_size_px: S.
        long_side_px: resolution the network was trained at.
        n_views: 8 with test-time augmentation, 1 without.

    Returns:
        For each image (H, W) float32 in [0, 1].
    """
    shapes = shapes or [image.shape[:2] for image in images]
    squares = [
        crop_square(small, Box.whole(small), input_size_px)
        for small in (limit_long_side(image, long_side_px) for image in images)
    ]
    batch = np.concatenate([symmetry_views(square, n_views) for square in squares])
    answers = network(batch)[..., 0].reshape(len(images), n_views, input_size_px, input_size_px)
    return [stretch_map(merge_views(views), shape) for views, shape in zip(answers, shapes, strict=True)]


def stretch_map(square: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize a (h, w) map in [0, 1] to (H, W) float32, still in [0, 1]."""
    if square.shape == tuple(shape) and square.dtype == np.float32:
        return square
    resized = cv2.resize(square.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(resized, 0.0, 1.0, out=resized)
