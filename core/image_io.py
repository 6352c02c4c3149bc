"""Bytes, a path or an array -> RGB uint8, or a clear refusal: the one way to load an image.

The content decides, never the file name. Pillow and pydicom decode, with the formats pinned and the
size read from the header first; OpenCV never sees a user's bytes. Metadata (EXIF, GPS, DICOM patient
tags, colour profiles) ends here: only pixels, a hash and, from DICOM, the scale travel on.
"""

import hashlib
import math
import threading
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageOps
from pydicom.encaps import generate_frames
from pydicom.pixels import pixel_array

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".dcm")

# 40 MP: above every dermatoscope camera and most phones (48 MP sensors store 12 MP by default), and
# 120 MB once decoded, which two sessions of a small server can still hold side by side.
MAX_PIXELS = 40_000_000
# 64 px: under a third of the 200 x 150 px the networks learned from, a lesion's structure is gone.
MIN_SIDE_PX = 64
# The largest honest file of MAX_PIXELS: uncompressed, three channels of 16 bits, and room for a header.
MAX_BYTES = MAX_PIXELS * 6 + 16_000_000
# Spacing along rows and columns may differ by this share and still count as one scale (DS rounding).
MAX_SPACING_DIFFERENCE = 0.01

_PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_PILLOW_MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
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
_DICOM_TAGS = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelSpacing", "ImagerPixelSpacing", "PixelData"),
)
_DICOM_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
_DICOM_RLE = "1.2.840.10008.1.2.5"
_DICOM_JPEG = {f"1.2.840.10008.1.2.4.{code}" for code in (50, 51, 90, 91)}
# Inflated by pydicom before any size can be read, so it is refused unread: a few MB can hide gigabytes.
_DICOM_DEFLATED = b"1.2.840.10008.1.2.1.99"
_DICOM_COLOUR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}

_OPEN_LOCK = threading.Lock()


class ImageError(ValueError):
    """An image was refused; the message says what came and what to do.

    `reason` is one of: "empty", "not_an_image", "unsupported", "truncated", "animated", "too_large",
    "too_small", "missing", "folder", "unreadable", "bad_array".
    """

    # The default keeps the error picklable (batch workers): unpickling passes the message alone.
    def __init__(self, message: str, reason: str = "not_an_image") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class LoadedImage:
    """A decoded image without its metadata.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, upright, contiguous and read-only.
        format: "JPEG", "PNG", "WEBP", "BMP", "TIFF", "DICOM" or "array".
        sha256: hex digest of the source bytes; for an array, of its shape and bytes.
        pixel_spacing_mm: millimetres per pixel when a DICOM file states them, else None: no scale.
        name: file name without folders; "" for bytes and arrays.
    """

    pixels: np.ndarray
    format: str
    sha256: str
    pixel_spacing_mm: float | None = None
    name: str = ""

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
    if isinstance(source, str | Path):
        path = Path(source)
        return _read_bytes(_read_file(path), path.name)
    if isinstance(source, bytes | bytearray | memoryview):
        return _read_bytes(bytes(source), "")
    raise ImageError(
        f"`source` must be bytes, a path or a uint8 array; got {type(source).__name__}. "
        "Pass an upload's bytes: upload.getvalue().",
        "unsupported",
    )


def list_images(path: str | Path) -> list[Path]:
    """Find the image files at `path`: the file itself, or a folder's by extension, recursively.

    Hidden files are passed over (macOS leaves `._name.jpg` beside every image it copies). A file named
    outright is returned whatever its extension: `read_image` judges the content.

    Raises:
        ImageError: `path` does not exist ("missing") or holds no image ("empty").
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ImageError(f"No file or folder at {path}. Check the path.", "missing")
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in IMAGE_EXTENSIONS and not file.name.startswith(".") and file.is_file()
    )
    if not found:
        raise ImageError(
            f"{path} holds no images. Looked for {', '.join(IMAGE_EXTENSIONS)} in it and below it.", "empty"
        )
    return found


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


def _read_bytes(data: bytes, name: str) -> LoadedImage:
    if not data:
        raise ImageError("The file is empty (0 bytes). Copy or export it again.", "empty")
    if len(data) > MAX_BYTES:
        raise _too_heavy(len(data))
    if data[128:132] == b"DICM":
        pixels, spacing_mm = _decode_dicom(data)
        format_ = "DICOM"
    else:
        pixels, format_ = _decode_pillow(data)
        spacing_mm = None
    return LoadedImage(pixels, format_, hashlib.sha256(data).hexdigest(), spacing_mm, name)


def _read_array(array: np.ndarray) -> LoadedImage:
    shape_ok = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not shape_ok:
        raise ImageError(
            f"`source` must be a (H, W, 3), (H, W, 4) or (H, W) uint8 array; got {array.shape} {array.dtype}. "
            "Scale to 0-255, convert with .astype(np.uint8) and put channels last.",
            "bad_array",
        )
    _check_size(width=array.shape[1], height=array.shape[0])
    array = np.ascontiguousarray(array)
    digest = hashlib.sha256(str(array.shape).encode())
    digest.update(array)
    # Pillow's own conversions, so an array and a PNG of it give the same pixels; the copy cuts the tie.
    pixels = np.array(_to_rgb(Image.fromarray(array)))
    return LoadedImage(pixels, "array", digest.hexdigest())


def _decode_pillow(data: bytes) -> tuple[np.ndarray, str]:
    image = _open_pillow(data, _PILLOW_FORMATS)
    # A phone's MPO is a JPEG with a depth map or second view behind it: the first frame is the photo.
    format_ = "JPEG" if image.format == "MPO" else image.format
    _check_size(*image.size)
    try:
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        if frames == 1:
            image.load()
            rgb = np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except ImageError:
        raise
    # Decoders meet hostile bytes here and fail in many ways (struct.error, zlib.error, KeyError, ...).
    except Exception as error:
        raise _damaged(format_, error) from None
    if frames != 1:
        raise _several_frames(format_, frames)
    return rgb, format_


def _open_pillow(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Parse the header only; `size` is then known and nothing is decoded yet."""
    try:
        # The lock, because catch_warnings swaps a global list; Pillow's own bomb limits (89 and 179 MP)
        # lie above ours and must speak through ImageError alone.
        with _OPEN_LOCK, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(BytesIO(data), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large("over 89") from None
    except Exception as error:  # as in _decode_pillow
        if data.startswith(_OUR_SIGNATURES):
            raise _damaged("image", error) from None
    for offset, signature, what in _FOREIGN_SIGNATURES:
        if data[offset:].startswith(signature):
            raise ImageError(
                f"This is {what}, which Dermalens does not read. Export it as JPEG or PNG.", "unsupported"
            )
    raise ImageError(f"This is not an image ({len(data):,} bytes of something else). {_ACCEPTED}")


def _to_rgb(image: Image.Image) -> Image.Image:
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


def _decode_dicom(data: bytes) -> tuple[np.ndarray, float | None]:
    """Decode a single-frame DICOM image; only `_DICOM_TAGS` are ever parsed."""
    if _DICOM_DEFLATED in data:
        raise ImageError(
            "This DICOM file is deflated. Export it uncompressed or JPEG-compressed.", "unsupported"
        )
    try:
        dataset = pydicom.dcmread(BytesIO(data), specific_tags=list(_DICOM_TAGS))
        syntax = str(dataset.file_meta.TransferSyntaxUID)
        width, height = int(dataset.Columns), int(dataset.Rows)
        frames = int(dataset.get("NumberOfFrames") or 1)
        colour = str(dataset.PhotometricInterpretation)
    except Exception as error:  # as in _decode_pillow
        raise _damaged("DICOM", error) from None
    _check_size(width, height)
    if frames != 1:
        raise _several_frames("DICOM", frames)
    if syntax not in _DICOM_NATIVE | _DICOM_JPEG | {_DICOM_RLE}:
        raise ImageError(
            f"This DICOM file is compressed in a way Dermalens does not read (transfer syntax {syntax}). "
            "Export it uncompressed, or as JPEG baseline or JPEG 2000.",
            "unsupported",
        )
    if colour not in _DICOM_COLOUR | {"MONOCHROME1", "MONOCHROME2"}:
        raise ImageError(f"This DICOM file stores colour as {colour}. Export it as RGB.", "unsupported")
    try:
        if syntax in _DICOM_JPEG:
            _check_dicom_frame(dataset, width, height)
        return _dicom_to_rgb(pixel_array(dataset), dataset, colour), _pixel_spacing_mm(dataset)
    except ImageError:
        raise
    except Exception as error:  # as in _decode_pillow
        raise _damaged("DICOM", error) from None


def _check_dicom_frame(dataset: pydicom.Dataset, width: int, height: int) -> None:
    """Refuse a JPEG stream whose size is not the header's: the cap would otherwise be checked on a claim."""
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    size = _open_pillow(frame, ("JPEG", "JPEG2000")).size
    if size != (width, height):
        raise _damaged(
            "DICOM", f"its header says {width} x {height} px, its picture {size[0]} x {size[1]} px"
        )


def _dicom_to_rgb(values: np.ndarray, dataset: pydicom.Dataset, colour: str) -> np.ndarray:
    """Scale stored values to 8 bits by their full range (no windowing) and put them in RGB."""
    bits = int(dataset.BitsStored)
    signed_offset = 2 ** (bits - 1) if int(dataset.PixelRepresentation) else 0
    white = 2**bits - 1
    scaled = (values.astype(np.float32) + signed_offset) * (255 / white)
    pixels = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    if colour == "MONOCHROME1":  # low values are bright
        pixels = 255 - pixels
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _pixel_spacing_mm(dataset: pydicom.Dataset) -> float | None:
    """Millimetres per pixel, or None when absent, nonsense or not the same along both axes."""
    for tag in ("PixelSpacing", "ImagerPixelSpacing"):
        try:
            row_mm, column_mm = (float(value) for value in dataset[tag].value)
        except (KeyError, TypeError, ValueError, NotImplementedError):  # the last: an unknown VR
            continue
        if not (math.isfinite(row_mm * column_mm) and min(row_mm, column_mm) > 0):
            continue
        if abs(row_mm - column_mm) <= MAX_SPACING_DIFFERENCE * row_mm:
            return (row_mm + column_mm) / 2
    return None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(f"{width * height / 1e6:.0f}")
    if min(width, height) < MIN_SIDE_PX:
        raise ImageError(
            f"The image is {width} x {height} px; at least {MIN_SIDE_PX} px on the shorter side are needed. "
            "Use the original, not a thumbnail.",
            "too_small",
        )


def _too_large(megapixels: str) -> ImageError:
    limit = MAX_PIXELS // 1_000_000
    return ImageError(
        f"The image has {megapixels} megapixels; at most {limit} are read. Crop to the lesion or scale it down.",
        "too_large",
    )


def _too_heavy(size_bytes: int) -> ImageError:
    return ImageError(
        f"The file is {size_bytes / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read. Export it as JPEG.",
        "too_large",
    )


def _damaged(what: str, cause: object) -> ImageError:
    return ImageError(
        f"The {what} file is damaged or cut short ({cause}). Copy or export it again.", "truncated"
    )


def _several_frames(what: str, frames: int) -> ImageError:
    return ImageError(
        f"The {what} file holds {frames} frames or pages. Export the one to analyse as a single image.",
        "animated",
    )
