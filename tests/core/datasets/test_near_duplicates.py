"""Nearly the same picture: textured skin with a dark spot, changed as copies are and as strangers are."""

from itertools import combinations

import cv2
import numpy as np
import pytest
from PIL import Image

from core.datasets.near_duplicates import (
    _BLOCK_ROWS,
    MAX_DISTANCE_BITS,
    MIN_DETAIL,
    detail_correlations,
    near_pairs,
    perceptual_hash,
)

HEIGHT, WIDTH = 150, 200


def draw_skin(seed: int) -> np.ndarray:
    """(150, 200, 3) uint8: the same dark spot on light skin for every seed, with grain of its own."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    spot = 110 * np.exp(-(((x - 90) / 30) ** 2) - ((y - 80) / 22) ** 2)
    grain = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 60, (HEIGHT, WIDTH)), (0, 0), 2)
    grey = np.clip(200 - spot - 0.2 * x + 0.1 * y + grain, 0, 255)
    return np.stack([grey, grey * 0.8, grey * 0.75], axis=2).astype(np.uint8)


def bits(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.bitwise_count(perceptual_hash(first) ^ perceptual_hash(second)))


COPIES = {
    "smaller": lambda image: cv2.resize(image, (120, 90), interpolation=cv2.INTER_AREA),
    "darker": lambda image: (image * 0.7).astype(np.uint8),
    "another colour": lambda image: np.clip(image * [1.1, 1.0, 0.6], 0, 255).astype(np.uint8),
    "shifted": lambda image: np.roll(image, (2, 4), axis=(0, 1)),
    "the same": lambda image: image,
}


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
def test_a_copy_is_near_by_hash_and_by_detail(change, tmp_path):
    image = draw_skin(1)
    copy = change(image)
    assert bits(image, copy) <= MAX_DISTANCE_BITS
    assert correlation(image, copy, tmp_path) > MIN_DETAIL


def test_skin_with_grain_of_its_own_may_be_near_by_hash_but_not_by_detail(tmp_path):
    first, second = draw_skin(1), draw_skin(2)
    assert bits(first, second) <= MAX_DISTANCE_BITS  # what the hash alone would call a duplicate
    assert correlation(first, second, tmp_path) < MIN_DETAIL


def correlation(first: np.ndarray, second: np.ndarray, folder) -> float:
    paths = [str(folder / f"{k}.png") for k in range(2)]
    for path, image in zip(paths, (first, second), strict=True):
        Image.fromarray(image).save(path)
    [value] = detail_correlations(paths, np.array([[0, 1]]))
    return value


def test_another_picture_is_far_by_hash():
    assert bits(draw_skin(1), draw_skin(1)[:, ::-1].transpose(1, 0, 2)) > MAX_DISTANCE_BITS


def test_an_image_of_one_colour_has_a_hash():
    assert perceptual_hash(np.full((70, 80, 3), 9, np.uint8)).dtype == np.uint64


def test_pairs_agree_with_counting_bits_one_pair_at_a_time():
    # 1,500 rows make several blocks; few distinct bits give pairs within and across them.
    hashes = np.random.default_rng(0).integers(0, 2**12, 1500, dtype=np.uint64)
    expected = {
        (i, j, n)
        for i, j in combinations(range(1500), 2)
        if (n := (int(hashes[i]) ^ int(hashes[j])).bit_count()) <= 1
    }
    found = near_pairs(hashes, 1)
    assert set(map(tuple, found.tolist())) == expected and len(found) == len(expected) > 1000
    assert any(i < _BLOCK_ROWS <= j for i, j, _ in expected) and any(i >= _BLOCK_ROWS for i, _, _ in expected)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_hashes_make_no_pair(n):
    assert near_pairs(np.zeros(n, np.uint64)).shape == (0, 3)


def test_no_pairs_have_no_correlations():
    assert detail_correlations([], np.empty((0, 2), np.int64)).shape == (0,)
