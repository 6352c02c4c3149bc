"""DICOM bytes -> RGB uint8 and the scale; of the header only what decoding needs is ever parsed."""

import math
from io import BytesIO

import numpy as np
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels import pixel_array

from core.images.errors import ImageError, check_size, damaged, several_frames
from core.images.pillow_io import open_pillow

# Spacing along rows and columns may differ by this share and still count as one scale (DS rounding).
MAX_SPACING_DIFFERENCE = 0.01

_TAGS = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelSpacing", "ImagerPixelSpacing", "PixelData"),
)
_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
_RLE = "1.2.840.10008.1.2.5"
_JPEG = {f"1.2.840.10008.1.2.4.{code}" for code in (50, 51, 90, 91)}
# Inflated by pydicom before any size can be read, so it is refused unread: a few MB can hide gigabytes.
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_COLOUR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}


def decode_dicom(data: bytes) -> tuple[np.ndarray, float | None]:
    """Decode a single-frame DICOM image; only `_TAGS` are ever parsed."""
    if _DEFLATED in data:
        raise ImageError(
            "This DICOM file is deflated. Export it uncompressed or JPEG-compressed.", "unsupported"
        )
    try:
        dataset = pydicom.dcmread(BytesIO(data), specific_tags=list(_TAGS))
        syntax = str(dataset.file_meta.TransferSyntaxUID)
        width, height = int(dataset.Columns), int(dataset.Rows)
        frames = int(dataset.get("NumberOfFrames") or 1)
        colour = str(dataset.PhotometricInterpretation)
    except Exception as error:  # hostile bytes, as in pillow_io
        raise damaged("DICOM", error) from None
    check_size(width, height)
    if frames != 1:
        raise several_frames("DICOM", frames)
    if syntax not in _NATIVE | _JPEG | {_RLE}:
        raise ImageError(
            f"This DICOM file is compressed in a way Dermalens does not read (transfer syntax {syntax}). "
            "Export it uncompressed, or as JPEG baseline or JPEG 2000.",
            "unsupported",
        )
    if colour not in _COLOUR | {"MONOCHROME1", "MONOCHROME2"}:
        raise ImageError(f"This DICOM file stores colour as {colour}. Export it as RGB.", "unsupported")
    try:
        if syntax in _JPEG:
            _check_frame(dataset, width, height)
        return _to_rgb(pixel_array(dataset), dataset, colour), _pixel_spacing_mm(dataset)
    except ImageError:
        raise
    except Exception as error:  # hostile bytes, as in pillow_io
        raise damaged("DICOM", error) from None


def _check_frame(dataset: pydicom.Dataset, width: int, height: int) -> None:
    """Refuse a JPEG stream whose size is not the header's: the cap would otherwise be checked on a claim."""
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    size = open_pillow(frame, ("JPEG", "JPEG2000")).size
    if size != (width, height):
        raise damaged("DICOM", f"its header says {width} x {height} px, its picture {size[0]} x {size[1]} px")


def _to_rgb(values: np.ndarray, dataset: pydicom.Dataset, colour: str) -> np.ndarray:
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
