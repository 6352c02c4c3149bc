"""What is wrong with expert masks: unreadable, empty, full, of another shape, probably inverted."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from core.images.errors import ImageError
from core.images.masks import read_lesion_mask

_READERS = 2
# An inverted mask is lesion along the border and not in the middle; a lesion that fills the picture is both.
_INVERTED_BORDER, _INVERTED_MIDDLE = 0.9, 0.1


def find_mask_problems(frame: pd.DataFrame, shapes: np.ndarray) -> pd.DataFrame:
    """Read every expert mask and say what is wrong with it.

    Args:
        frame: as `core.datasets.layouts.read_dataset` gives it.
        shapes: (N, 2) height and width of each image in pixels, 0 where it could not be read.

    Returns:
        A row a mask with a problem: `image_id`, `mask_path`, `problem`.
    """
    rows = np.flatnonzero(frame["mask_path"] != "")
    paths = frame["mask_path"].to_numpy(object)[rows]
    with ThreadPoolExecutor(_READERS) as readers:
        problems = list(readers.map(_find_problem, paths, shapes[rows]))
    found = [k for k, problem in enumerate(problems) if problem]
    table = frame.iloc[rows[found]][["image_id", "mask_path"]].reset_index(drop=True)
    return table.assign(problem=[problems[k] for k in found])


def _find_problem(path: str, shape: np.ndarray) -> str:
    try:
        mask = read_lesion_mask(path, tuple(map(int, shape)) if shape.all() else None)
    except ImageError as error:
        return str(error)
    return describe_problem(mask)


def describe_problem(mask: np.ndarray) -> str:
    """What is wrong with a (H, W) bool mask, "" if nothing.

    >>> describe_problem(np.zeros((9, 9), bool)), describe_problem(np.ones((9, 9), bool))
    ('empty: no lesion', 'full: lesion everywhere')
    """
    if not mask.any():
        return "empty: no lesion"
    if mask.all():
        return "full: lesion everywhere"
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    height, width = mask.shape
    middle = mask[height * 2 // 5 : -(height * 2 // 5) or None, width * 2 // 5 : -(width * 2 // 5) or None]
    if border.mean() >= _INVERTED_BORDER and middle.mean() <= _INVERTED_MIDDLE:
        return "probably inverted: the border is lesion and the middle is not"
    return ""
