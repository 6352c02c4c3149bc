"""JPEG, PNG, WebP, BMP and TIFF bytes -> RGB uint8, through Pillow with the formats pinned."""

import threading
import warnings
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.images.errors import ImageError, check_size, damaged, several_frames, too_large

_PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_PILLOW_MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
_GREY_MODES = {
    "I",
    "F",
    "I;16",
    "I;16L",
    "I;16B",
    "I;16N",
}  # masks may have any of them, pictures only 16 bits
_ACCEPTED = "Accepted are JPEG, PNG, WebP, BMP, TIFF and DICOM."
# First bytes of what we accept: a file that starts right and does not open is damaged, not foreign.
_OUR_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM", b"II*\x00", b"MM\x00*")
# (offset, bytes, name) of common files that people try and we do not read.
_FOREIGN_SIGNATURES = (
    (0, b"GIF8", "a GIF"),
    (0, b"%PDF", "a PDF"),
    (4, b"ftypheic", "a HEIC photo"),
    (4, b"ftypheix", "a HEIC photo"),
    (4, b"ftypmif1", "a HEIF photo"),
    (4, b"ftypavif", "an AVIF image"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
)

_OPEN_LOCK = threading.Lock()


def decode_pillow(data: bytes) -> tuple[np.ndarray, str]:
    """Decode one image: (H, W, 3) uint8 upright RGB, and its format's name."""
    image = open_pillow(data, _PILLOW_FORMATS)
    # A phone's MPO is a JPEG with a depth map or second view behind it: the first frame is the photo.
    format_ = "JPEG" if image.format == "MPO" else image.format
    check_size(*image.size)
    try:
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        if frames == 1:
            image.load()
            rgb = np.array(to_rgb(ImageOps.exif_transpose(image)))
    except ImageError:
        raise
    # Decoders meet hostile bytes here and fail in many ways (struct.error, zlib.error, KeyError, ...).
    except Exception as error:
        raise damaged(format_, error) from None
    if frames != 1:
        raise several_frames(format_, frames)
    return rgb, format_


def open_mask(data: bytes) -> Image.Image:
    """Decode a mask, upright and in its own mode; it may be smaller than a picture may be."""
    image = open_pillow(data, _PILLOW_FORMATS)
    check_size(*image.size, smallest=1)
    try:
        frames = getattr(image, "n_frames", 1)
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode not in _PILLOW_MODES | _GREY_MODES:
            upright = upright.convert("RGB")
    except Exception as error:  # hostile bytes, as above
        raise damaged("mask", error) from None
    if frames != 1 and image.format != "MPO":
        raise several_frames("mask", frames)
    return upright


def open_pillow(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Parse the header only; `size` is then known and nothing is decoded yet."""
    try:
        # The lock, because catch_warnings swaps a global list; Pillow's own bomb limits (89 and 179 MP)
        # lie above ours and must speak through ImageError alone.
        with _OPEN_LOCK, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(BytesIO(data), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large("over 89") from None
    except Exception as error:  # as in decode_pillow above
        if data.startswith(_OUR_SIGNATURES):
            # "cannot identify image file <BytesIO object at 0x...>" says nothing, and never twice the same.
            unnamed = isinstance(error, UnidentifiedImageError)
            raise damaged("image", "its header makes no sense" if unnamed else error) from None
    for offset, signature, what in _FOREIGN_SIGNATURES:
        if data[offset:].startswith(signature):
            raise ImageError(
                f"This is {what}, which Dermalens does not read. Export it as JPEG or PNG.", "unsupported"
            )
    raise ImageError(f"This is not an image ({len(data):,} bytes of something else). {_ACCEPTED}")


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode with a fixed white to RGB; alpha goes over white, 16 bits become 8."""
    if image.mode.startswith("I;16"):
        grey = np.asarray(image, dtype=np.uint16)
        return Image.fromarray(((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode not in _PILLOW_MODES:
        raise ImageError(
            f"The image stores its pixels as {image.mode!r} (float, 32-bit or Lab values), which has no fixed "
            "white. Export it as 8-bit RGB.",
            "unsupported",
        )
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert("RGB")
