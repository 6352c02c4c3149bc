"""Find the image among a TIFF's pages; reduced copies and masks of it do not count as further images."""

import numpy as np
from PIL import Image

from core.images.errors import check_size, several_frames

_NEW_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 254, 255
_REDUCED, _MASK, _OLD_REDUCED = 1, 4, 2
_MAX_PAGES = 32  # of a pyramid of copies; more are a document
_LOOK_PX = 16
_MAX_LOOK_DIFFERENCE = 12.0  # grey levels on average, between a picture and its small copy
_MAX_ASPECT_DIFFERENCE = 0.03


def choose_page(image: Image.Image) -> None:
    """Go to the one full picture of an opened TIFF.

    Raises:
        ImageError: it holds several pictures, or one that is too large.
    """
    n_pages = getattr(image, "n_frames", 1)
    if n_pages == 1:
        return
    if n_pages > _MAX_PAGES:
        raise several_frames("TIFF", n_pages)
    full = [page for page in range(n_pages) if not _is_side_page(image, page)]
    if len(full) > 1:
        full = _drop_copies(image, full)
    if len(full) != 1:
        raise several_frames("TIFF", n_pages)
    image.seek(full[0])


def _is_side_page(image: Image.Image, page: int) -> bool:
    image.seek(page)
    new, old = image.tag_v2.get(_NEW_SUBFILE_TYPE, 0), image.tag_v2.get(_OLD_SUBFILE_TYPE, 0)
    return bool(new & (_REDUCED | _MASK)) or old == _OLD_REDUCED


def _drop_copies(image: Image.Image, pages: list[int]) -> list[int]:
    """The pages without smaller ones that look like the largest, whether or not they are marked as copies."""
    sizes = {page: _size_of(image, page) for page in pages}
    largest = max(pages, key=lambda page: sizes[page][0] * sizes[page][1])
    width, height = sizes[largest]
    check_size(width, height)
    copies = [
        page
        for page in pages
        if sizes[page][0] < width
        and sizes[page][1] < height
        and abs(sizes[page][0] * height / (sizes[page][1] * width) - 1) <= _MAX_ASPECT_DIFFERENCE
    ]
    if not copies:
        return pages
    look = _look_of(image, largest)
    return [
        page
        for page in pages
        if page not in copies or np.abs(_look_of(image, page) - look).mean() > _MAX_LOOK_DIFFERENCE
    ]


def _size_of(image: Image.Image, page: int) -> tuple[int, int]:
    image.seek(page)
    return image.size


def _look_of(image: Image.Image, page: int) -> np.ndarray:
    image.seek(page)
    small = image.convert("L").resize((_LOOK_PX, _LOOK_PX), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)
