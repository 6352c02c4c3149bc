"""JPEG, PNG, WebP, BMP, TIFF, AVIF and HEIC bytes -> RGB uint8, through Pillow with the formats pinned."""

import functools
import hashlib
import threading
import warnings
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from core.images.containers import without_metadata
from core.images.errors import MIN_SIDE_PX, ImageError, check_size, damaged, several_frames, too_large
from core.images.formats import HEIC, FileKind, find_picture_inside, identify
from core.images.modes import to_rgb
from core.images.pages import choose_page
from core.images.quality_findings import QualityFinding

_PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF")
_ACCEPTED = "Accepted are JPEG, PNG, WebP, BMP, TIFF, AVIF and DICOM."
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_NO_PICTURES = {"text", "XML", "JSON", "Base64", "SVG", "web page", "Git LFS pointer", "macOS side file"}
_JPEG_END = b"\xff\xd9"

STRIP_PX = 256
_OPEN_LOCK = threading.Lock()


def decode_pillow(data: bytes) -> tuple[np.ndarray, str, tuple[QualityFinding, ...]]:
    """Decode one image: (H, W, 3) uint8 upright sRGB, its format's name, and findings about it."""
    image, format_ = load_pillow(data)
    try:
        rgb, findings = to_rgb(image, image.info.get("icc_profile"))
        return _to_array(rgb), format_, findings
    except ImageError:
        raise
    except Exception as error:  # hostile bytes, as in _load
        raise damaged(format_, error) from None


def _to_array(rgb: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8, strip by strip: at once, NumPy would hold 24 megapixels three times, 72 MB each."""
    pixels = np.empty((rgb.height, rgb.width, 3), np.uint8)
    for top in range(0, rgb.height, STRIP_PX):
        bottom = min(top + STRIP_PX, rgb.height)
        pixels[top:bottom] = rgb.crop((0, top, rgb.width, bottom))
    return pixels


def load_pillow(data: bytes, smallest: int = MIN_SIDE_PX) -> tuple[Image.Image, str]:
    """Decode one image, upright and in its own mode, and its format's name.

    Where damaged metadata or a missing end marker prevents decoding complete pixels, they are read without it.
    """
    try:
        return _load(data, smallest)
    except ImageError as error:
        if error.reason != "truncated":
            raise
        refusal = error
    for mended in _mend(data):
        try:
            return _load(mended, smallest)
        except ImageError:
            continue
    raise refusal


def open_as(data: bytes, formats: tuple[str, ...], name: str) -> Image.Image:
    """Parse the header only, as one of Pillow's formats; `size` is then known and nothing is decoded yet."""
    try:
        # The lock, because catch_warnings swaps a global list; Pillow's own bomb limits (89 and 179 MP)
        # lie above ours and must speak through ImageError alone.
        with _OPEN_LOCK, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(BytesIO(data), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large("over 89") from None
    except Exception as error:  # hostile bytes, as in _load
        # "cannot identify image file <BytesIO object at 0x...>" says nothing, and never twice the same.
        unnamed = isinstance(error, UnidentifiedImageError)
        raise damaged(name, "its header makes no sense" if unnamed else error) from None


def _open(data: bytes) -> Image.Image:
    kind = identify(data)
    if kind is HEIC and reads_heif():
        return open_as(data, ("HEIF",), kind.name)
    if kind is None or not kind.readable:
        raise _refuse(data, kind)
    return open_as(data, _PILLOW_FORMATS, kind.name)


def _load(data: bytes, smallest: int) -> tuple[Image.Image, str]:
    image = _open(data)
    # A phone's MPO is a JPEG with a depth map or second view behind it: the first frame is the photo.
    format_ = {"MPO": "JPEG", "HEIF": "HEIC"}.get(image.format, image.format)
    try:
        if format_ == "TIFF":
            choose_page(image)
        check_size(*image.size, smallest)
        frames = 1 if format_ in ("JPEG", "TIFF") else getattr(image, "n_frames", 1)
        if frames != 1:
            raise several_frames(format_, frames)
        image.load()
        return _turn_upright(image), format_
    except ImageError:
        raise
    # Decoders meet hostile bytes here and fail in many ways (struct.error, zlib.error, KeyError, ...).
    except Exception as error:
        raise damaged(format_, error) from None


def _mend(data: bytes) -> Iterator[bytes]:
    yield from without_metadata(data)
    if data.startswith(b"\xff\xd8") and _lacks_only_its_end(data):
        yield data + _JPEG_END


def _lacks_only_its_end(data: bytes) -> bool:
    """Whether a JPEG holds all its pixels: then what stands before an added end marker changes none of them."""
    digests = set()
    for filler in (b"", b"\x55" * 64):
        try:
            image, _ = _load(data + filler + _JPEG_END, MIN_SIDE_PX)
        except ImageError:
            return False
        digests.add(hashlib.sha256(np.asarray(image)).digest())
    return len(digests) == 1


def _turn_upright(image: Image.Image) -> Image.Image:
    """Undo the orientation that EXIF or XMP states; garbage there states none."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
        turn = _TURNS.get(orientation[0] if isinstance(orientation, tuple) else orientation)
    except Exception:  # hostile bytes, as in _load
        turn = None
    if turn is None:
        return image
    turned = image.transpose(turn)
    turned.info = image.info
    return turned


@functools.cache
def reads_heif() -> bool:
    """Whether HEIC can be read: pillow-heif is a choice of whoever installs, for its codecs' licences."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def _refuse(data: bytes, kind: FileKind | None) -> ImageError:
    if not data.strip(b"\0"):
        return ImageError(
            "The file holds nothing but zeros: a copy that failed. Copy it again.", "not_an_image"
        )
    if kind is None:
        inside = find_picture_inside(data)
        if inside is not None:
            picture, position = inside
            return ImageError(
                f"{position:,} bytes of something else stand before {picture.words} in this file, as a broken "
                "upload or export leaves them. Copy or export it again.",
                "not_an_image",
            )
        return ImageError(f"This is not an image ({len(data):,} bytes of something else). {_ACCEPTED}")
    if kind.name in _NO_PICTURES:
        return ImageError(f"This is not an image but {kind.words}. {kind.advice}", "not_an_image")
    return ImageError(f"This is {kind.words}, which Dermalens does not read. {kind.advice}", "unsupported")
