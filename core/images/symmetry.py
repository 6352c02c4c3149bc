"""The eight symmetries of a square: views for test-time augmentation, and their inverses.

View v is the image flipped left to right if v >= 4, then turned counter-clockwise by v % 4 quarters.
"""

import numpy as np

N_SYMMETRIES = 8


def apply_symmetry(image: np.ndarray, view: int) -> np.ndarray:
    """View `view` (0 to 7) of an array whose first two axes are height and width."""
    flipped = image[:, ::-1] if view >= 4 else image
    return np.rot90(flipped, view % 4)


def undo_symmetry(image: np.ndarray, view: int) -> np.ndarray:
    """The inverse of `apply_symmetry`."""
    turned = np.rot90(image, -(view % 4))
    return turned[:, ::-1] if view >= 4 else turned


def symmetry_views(square: np.ndarray, n_views: int = N_SYMMETRIES) -> np.ndarray:
    """(n_views, S, S, ...) stack of the first `n_views` views of a (S, S, ...) square."""
    return np.stack([apply_symmetry(square, view) for view in range(n_views)])


def merge_views(views: np.ndarray) -> np.ndarray:
    """Bring (V, S, S, ...) outputs of the first V views back to the original frame and average them."""
    return np.mean([undo_symmetry(output, view) for view, output in enumerate(views)], axis=0)
