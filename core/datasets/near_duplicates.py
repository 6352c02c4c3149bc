"""Near-duplicate images: candidates by a perceptual hash, confirmed by their fine detail.

The hash keeps the signs of the 8 x 8 lowest frequencies, which survive resizing, compression and changes
of brightness or colour, but not turning or mirroring. Dermoscopy photographs are alike at that
scale (a dark spot in the middle), so the hash alone reports hundreds of unrelated pairs; hairs, dots and
gel bubbles, which differ between photographs, decide.

Reference:
    perceptual hash by cosine transform: Zauner (2010), Implementation and benchmarking of perceptual image
    hash functions. The confirmation is ours.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from core.images.reading import read_image

# Of 64 bits. On HAM10000 (10,015 images), 5,516 pairs of different lesions lie within 8 bits; four of
# them have a detail correlation over 0.45 and are the same skin by eye, with the next pair at 0.36.
# Of the 190 pairs of one lesion within 8 bits, 157 reach it.
MAX_DISTANCE_BITS = 8
MIN_DETAIL = 0.45
_HASH_SIDE, _HASH_FROM_PX = 8, 32
_DETAIL_SIDE_PX, _BORDER_PX, _SHIFT_PX = 96, 8, 8
_BLOCK_ROWS = 256


def perceptual_hash(image: np.ndarray) -> np.uint64:
    """64 bits: which of the lowest 8 x 8 cosine frequencies lie above their median.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    low = cv2.dct(_small_grey(image, _HASH_FROM_PX))[:_HASH_SIDE, :_HASH_SIDE].ravel()
    # The first coefficient is the mean brightness, far above all others.
    return np.packbits(low > np.median(low[1:])).view(np.uint64)[0]


def near_pairs(hashes: np.ndarray, max_distance: int = MAX_DISTANCE_BITS) -> np.ndarray:
    """(P, 3) int rows (row, later row, bits) of the (N,) uint64 hashes at most `max_distance` bits apart.

    All pairs are compared, a block of rows at a time: exact, and 10,000 images take about a second.

    >>> near_pairs(np.array([0b0, 0b1111, 0b1], np.uint64), max_distance=1).tolist()
    [[0, 2, 1]]
    """
    found = [np.empty((0, 3), np.int64)]
    for start in range(0, len(hashes), _BLOCK_ROWS):
        bits = np.bitwise_count(hashes[start : start + _BLOCK_ROWS, None] ^ hashes[None, start:])
        first, second = np.nonzero(np.triu(bits <= max_distance, k=1))
        found.append(np.stack([first + start, second + start, bits[first, second]], axis=1))
    return np.concatenate(found)


def detail_correlations(paths: Sequence[str], pairs: np.ndarray) -> np.ndarray:
    """(P,) correlation of the fine detail of two images, for (P, 2) pairs of numbers of `paths`.

    1 for the same picture, below 0.4 for two skins; the images may be shifted by a few per cent.

    Raises:
        ImageError: an image of a pair cannot be read.
    """
    details = {k: fine_detail(read_image(paths[k]).pixels) for k in np.unique(pairs)}
    inner = slice(_SHIFT_PX, -_SHIFT_PX)
    return np.array(
        [
            cv2.matchTemplate(details[a], details[b][inner, inner], cv2.TM_CCOEFF_NORMED).max()
            for a, b in pairs
        ],
        dtype=np.float64,
    )


def fine_detail(image: np.ndarray) -> np.ndarray:
    """(80, 80) uint8 what is finer than 2 % of an image, at even local contrast, without its border.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    grey = _small_grey(image, _DETAIL_SIDE_PX)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 2)
    # Even contrast: else the edge of a dark field of view, which many images share, outweighs the rest.
    contrast = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 4))
    inner = (fine / (contrast + 1))[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX]
    return np.clip(128 + 32 * inner, 0, 255).astype(np.uint8)  # a quarter of the memory, for thousands


def _small_grey(image: np.ndarray, side_px: int) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(np.float32)
