"""Decode an image: bytes, a path or an array -> RGB uint8, or an error that says why not; the only loader.

The content decides, never the file name. Pillow and pydicom decode, with the formats pinned and the
size read from the header first; OpenCV never sees a user's bytes. Metadata (EXIF, GPS, DICOM patient
tags, colour profiles) ends here: only pixels, a hash and, from DICOM, the scale are kept.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.images.errors import MAX_PIXELS, ImageError, check_size
from core.images.finding import IMAGE_EXTENSIONS as IMAGE_EXTENSIONS
from core.images.finding import find_images
from core.images.formats import DICOM, identify, strip_blanks
from core.images.modes import to_rgb
from core.images.pillow_io import decode_pillow
from core.images.quality_findings import QualityFinding

NO_COLOUR = QualityFinding(
    "no_colour",
    "The image has no colour. The networks were trained on colour photographs; use the original.",
    "warning",
)
# The largest honest file of MAX_PIXELS: uncompressed, three channels of 16 bits, and room for a header.
MAX_BYTES = MAX_PIXELS * 6 + 16_000_000


@dataclass(frozen=True, eq=False)
class LoadedImage:
    """A decoded image without its metadata.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, upright, contiguous and read-only.
        format: "JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "HEIC", "DICOM" or "array".
        sha256: hex digest of the source bytes; for an array, of its shape and bytes.
        pixel_spacing_mm: millimetres per pixel when a DICOM file states them credibly, else None: no scale.
        name: file name without folders; "" for bytes and arrays.
        findings: found while reading: no colour, mostly transparent, an implausible scale.
    """

    pixels: np.ndarray
    format: str
    sha256: str
    pixel_spacing_mm: float | None = None
    name: str = ""
    findings: tuple[QualityFinding, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(
                f"`pixels` must be (H, W, 3) uint8; got {self.pixels.shape} {self.pixels.dtype}. "
                "Use read_image, which converts."
            )
        pixels = np.ascontiguousarray(self.pixels).view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)


def read_image(source: bytes | bytearray | memoryview | str | Path | np.ndarray) -> LoadedImage:
    """Load one image as upright RGB.

    Args:
        source: encoded bytes, a file's path, or a (H, W, 3), (H, W, 4) or (H, W) uint8 array in RGB(A)
            order. Greyscale, CMYK, palette and 16-bit images are converted; alpha goes over white.

    Returns:
        The image; its `pixels` are a copy that nothing else writes to.

    Raises:
        ImageError: nothing there, not an image we read, damaged, animated or multi-page, over
            `MAX_PIXELS` or under `MIN_SIDE_PX`; see its `reason`.
    """
    if isinstance(source, np.ndarray):
        return _read_array(source)
    return _decode(load_bytes(source), Path(source).name if isinstance(source, str | Path) else "")


def load_bytes(source: bytes | bytearray | memoryview | str | Path) -> bytes:
    """The bytes of a file or an upload, neither empty nor over `MAX_BYTES`.

    Raises:
        ImageError: there are none, too many, or they cannot be read.
    """
    if isinstance(source, str | Path):
        data = _read_file(Path(source))
    elif isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    else:
        raise _no_source(source)
    if not data:
        raise ImageError("The file is empty (0 bytes). Copy or export it again.", "empty")
    if len(data) > MAX_BYTES:
        raise _too_heavy(len(data))
    return data


def _no_source(source: object) -> ImageError:
    return ImageError(
        f"`source` must be bytes, a path or a uint8 array; got {type(source).__name__}. "
        "Pass an upload's bytes: upload.getvalue().",
        "unsupported",
    )


def list_images(path: str | Path) -> list[Path]:
    """The image files at `path`: the file itself, or a folder's, see `core.images.finding`.

    Raises:
        ImageError: `path` does not exist ("missing") or holds no image ("empty").
    """
    return find_images(path).paths


def _read_file(path: Path) -> bytes:
    if path.is_dir():
        raise ImageError(f"{path} is a folder. Pass one file, or use list_images for a folder.", "folder")
    if not path.is_file():
        raise ImageError(f"No file at {path}. Check the path and its spelling.", "missing")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_heavy(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise ImageError(
            f"{path} could not be read: {error.strerror}. Check its rights.", "unreadable"
        ) from None


def _decode(data: bytes, name: str) -> LoadedImage:
    digest = hashlib.sha256(data).hexdigest()
    data = strip_blanks(data)
    if identify(data) is DICOM:
        # pydicom takes a fifth of a page's start; few images need it
        from core.images.dicom_io import decode_dicom

        pixels, spacing_mm, findings = decode_dicom(data)
        format_ = DICOM.name
    else:
        pixels, format_, findings = decode_pillow(data)
        spacing_mm = None
    return LoadedImage(pixels, format_, digest, spacing_mm, name, (*findings, *_judge_colour(pixels)))


def _read_array(array: np.ndarray) -> LoadedImage:
    shape_ok = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not shape_ok:
        raise ImageError(
            f"`source` must be a (H, W, 3), (H, W, 4) or (H, W) uint8 array; got {array.shape} {array.dtype}. "
            "Scale to 0-255, convert with .astype(np.uint8) and put channels last.",
            "bad_array",
        )
    check_size(width=array.shape[1], height=array.shape[0])
    array = np.ascontiguousarray(array)
    digest = hashlib.sha256(str(array.shape).encode())
    digest.update(array)
    # Pillow's own conversions, so an array and a PNG of it give the same pixels; the copy cuts the tie.
    rgb, findings = to_rgb(Image.fromarray(array))
    pixels = np.array(rgb)
    return LoadedImage(pixels, "array", digest.hexdigest(), findings=(*findings, *_judge_colour(pixels)))


def _judge_colour(pixels: np.ndarray) -> tuple[QualityFinding, ...]:
    """A finding if no pixel has a colour; every fourth row and column tell."""
    thinned = pixels[::4, ::4]
    if (thinned != thinned[..., :1]).any():
        return ()
    return (NO_COLOUR,)


def _too_heavy(size_bytes: int) -> ImageError:
    return ImageError(
        f"The file is {size_bytes / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read. Export it as JPEG.",
        "too_large",
    )
