"""An expert's lesion mask from any way that tools write one: lesion is what is not background."""

from pathlib import Path

import numpy as np
from PIL import Image

from core.images.errors import ImageError, damaged
from core.images.pillow_io import load_pillow
from core.images.preprocessing import resize_mask
from core.images.reading import load_bytes

# Width over height of mask and picture may differ by this share: sizes are rounded when pictures are shrunk.
MAX_ASPECT_DIFFERENCE = 0.02
# Values below this are numbers of labels (0 background, 1 lesion, 2 another), not brightness.
_MAX_LABEL_NUMBER = 15
# A mask whose darkest pixel is this close to its brightest is all lesion; what varies is compression noise.
_FLAT_SHARE = 0.9


def read_lesion_mask(source: bytes | str | Path, shape: tuple[int, int] | None = None) -> np.ndarray:
    """Read an expert mask, whichever way its tool writes lesion and background.

    The alpha channel if it varies, else the brightest of the colour channels, cut halfway between its
    lowest and highest level: 0/1, 0/127, 0/255, 16 bits, palettes and cut-outs all give the same mask.

    Args:
        source: encoded bytes or a file's path. A mask may be smaller than a picture may be.
        shape: (H, W) of the picture that it belongs to; a mask of another size is stretched to it.

    Returns:
        (H, W) bool, True on the lesion; all False if the mask is empty.

    Raises:
        ImageError: as `read_image`; "mask_shape" if the mask's proportions are not the picture's.
    """
    image, format_ = load_pillow(load_bytes(source), smallest=1)
    try:
        mask = _to_mask(image)
    except ValueError as error:  # a mode that has no colours
        raise damaged(format_, error) from None
    if shape is None:
        return mask
    check_mask_shape(mask.shape, shape)
    return resize_mask(mask, shape)


def check_mask_shape(mask_shape: tuple[int, int], shape: tuple[int, int]) -> None:
    """Refuse a mask whose proportions are not those of its picture; both are (height, width)."""
    (mask_height, mask_width), (height, width) = mask_shape, shape
    # Beside the share, one pixel of rounding: small masks are rounded more coarsely.
    allowed = max(MAX_ASPECT_DIFFERENCE * mask_width * height, width, height)
    if abs(mask_width * height - mask_height * width) > allowed:
        raise ImageError(
            f"The mask is {mask_width} x {mask_height} px and its picture {width} x {height} px: not the same "
            "proportions, so it belongs to another picture or another crop. Export it again.",
            "mask_shape",
        )


def _to_mask(image: Image.Image) -> np.ndarray:
    """(H, W) bool of a decoded mask in any mode."""
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
        if not _is_flat(alpha):
            return _cut(alpha)
    values = np.asarray(image)
    if values.ndim == 2 and image.mode != "P":
        return _cut(values)
    colours = np.asarray(image.convert("RGB"))
    if not _is_flat(colours.max(axis=2)):
        return _cut(colours.max(axis=2))
    if colours.min() < colours.max():
        return _cut(_distance_from_edge_colour(colours))
    # A palette may paint all its entries alike; their numbers still tell them apart.
    return _cut(values if image.mode == "P" and not _is_flat(values) else colours.max(axis=2))


def _distance_from_edge_colour(colours: np.ndarray) -> np.ndarray:
    """(H, W): how far each pixel's colour lies from the usual one at the picture's edge; red on white, say."""
    edge = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    return np.abs(colours - np.median(edge, axis=0)).max(axis=2)


def _cut(values: np.ndarray) -> np.ndarray:
    """Split (H, W) values between their lowest and highest level; flat values are all lesion unless zero."""
    levels = np.nan_to_num(values.astype(np.float32))
    low, high = float(levels.min()), float(levels.max())
    if _is_flat(levels):
        return np.full(levels.shape, high > 0)
    return levels > (low if high <= _MAX_LABEL_NUMBER else (low + high) / 2)


def _is_flat(values: np.ndarray) -> bool:
    low, high = float(values.min()), float(values.max())
    return low == high or (low > 0 and high > _MAX_LABEL_NUMBER and low >= _FLAT_SHARE * high)
