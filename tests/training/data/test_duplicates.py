"""Pictures of one lesion under two names: found turned and scaled, not confused with another lesion."""

import cv2
import numpy as np

from core.phantoms.lesions import draw_phantom
from training.data.duplicates import (
    MIN_KEYPOINTS,
    count_matched_keypoints,
    find_candidates,
    thumbnail_vector,
)


def draw(seed: int) -> np.ndarray:
    """A drawn lesion with freckles of its own, which keypoints can hold on to."""
    image = draw_phantom(seed, size_px=(240, 320)).image.copy()
    rng = np.random.default_rng(seed)
    for x, y, radius in zip(
        rng.integers(10, 310, 90), rng.integers(10, 230, 90), rng.integers(2, 6, 90), strict=True
    ):
        cv2.circle(image, (int(x), int(y)), int(radius), tuple(map(int, rng.integers(30, 200, 3))), -1)
    return image


def test_a_turned_and_scaled_copy_shares_keypoints_and_another_lesion_does_not():
    image = draw(1)
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 50, 0.9)
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    assert count_matched_keypoints(image, turned) >= MIN_KEYPOINTS
    assert count_matched_keypoints(image, turned[:, ::-1]) >= MIN_KEYPOINTS
    assert count_matched_keypoints(image, draw(2)) < MIN_KEYPOINTS


def test_candidates_are_look_alikes_of_another_set_of_which_one_is_judged():
    first, second, other = draw(1), np.rot90(draw(1), axes=(0, 1)), draw(3)
    vectors = np.stack([thumbnail_vector(np.ascontiguousarray(i)) for i in (first, second, other)])
    sets = np.array(["ham10000", "milk10k", "milk10k"])
    assert find_candidates(vectors, sets, np.array([True, False, False])).tolist() == [[0, 1]]
    assert len(find_candidates(vectors, sets, np.zeros(3, bool))) == 0
    assert len(find_candidates(vectors, np.full(3, "ham10000"), np.ones(3, bool))) == 0
