"""The eight views: distinct, reversible and averaged back in place."""

import numpy as np
import pytest

from core.images.symmetry import N_SYMMETRIES, apply_symmetry, merge_views, symmetry_views, undo_symmetry

SQUARE = np.arange(9).reshape(3, 3)  # no symmetry of its own


@pytest.mark.parametrize("view", range(N_SYMMETRIES))
@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (4, 3, 2)])
def test_undoing_a_view_is_identity(view, shape):
    image = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(undo_symmetry(apply_symmetry(image, view), view), image)


def test_views_are_distinct_and_start_with_the_image():
    views = symmetry_views(SQUARE)
    assert views.shape == (8, 3, 3)
    assert len({view.tobytes() for view in views}) == N_SYMMETRIES
    np.testing.assert_array_equal(views[0], SQUARE)


def test_view_one_is_a_quarter_turn_counter_clockwise_and_view_four_a_mirror():
    # 0 1 2      2 5 8
    # 3 4 5  ->  1 4 7
    # 6 7 8      0 3 6
    np.testing.assert_array_equal(apply_symmetry(SQUARE, 1), [[2, 5, 8], [1, 4, 7], [0, 3, 6]])
    np.testing.assert_array_equal(apply_symmetry(SQUARE, 4), [[2, 1, 0], [5, 4, 3], [8, 7, 6]])


@pytest.mark.parametrize("n_views", [1, 4, 8])
def test_merging_the_views_of_an_array_gives_it_back(n_views):
    square = np.random.default_rng(0).random((5, 5, 2))
    np.testing.assert_allclose(merge_views(symmetry_views(square, n_views)), square)


def test_merging_averages_what_lies_in_the_same_place():
    views = symmetry_views(SQUARE.astype(float), 2)
    views[1] += 1.0
    np.testing.assert_allclose(merge_views(views), SQUARE + 0.5)
