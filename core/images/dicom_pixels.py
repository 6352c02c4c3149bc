"""The stored values of a single-frame DICOM image -> RGB uint8: missing tags, colours, bits, windows.

A tag that is missing and has one sensible meaning is taken to have it. A tag that contradicts the pixels
is refused by its name.
"""

import math

import numpy as np
import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.encaps import generate_frames
from pydicom.pixels import convert_color_space, pixel_array
from pydicom.tag import Tag

from core.images.errors import ImageError, damaged
from core.images.pillow_io import load_pillow, open_as
from core.images.quality_findings import QualityFinding

_JPEG_BASELINE, _JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
_JPEG_2000 = {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"}
# Planes of a red, green and blue picture go up and down together; luma and chroma do not.
_MIN_RGB_CORRELATION = 0.8
_GUESSED = QualityFinding(
    "colours_guessed",
    "The DICOM file calls its JPEG picture RGB, and the JPEG picture itself does not say; its colours were "
    "told from the pixels. Check that they look right.",
    "warning",
)


def read_pixels(dataset: pydicom.Dataset) -> tuple[np.ndarray, tuple[QualityFinding, ...]]:
    """(H, W, 3) uint8 RGB of a checked header's pixels, and what to know about them.

    Raises:
        ImageError: a tag is missing or makes no sense, or the pixels are not of the size it states.
    """
    _fill_missing(dataset)
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if syntax in (_JPEG_BASELINE, _JPEG_EXTENDED):
        return _read_jpeg(dataset)
    values = _read_jpeg_2000(dataset) if syntax in _JPEG_2000 else _read_stored(dataset)
    colour = str(dataset.PhotometricInterpretation)
    levels = _to_unsigned(values, dataset, shifted=syntax not in _JPEG_2000)
    if values.ndim == 2:
        return _grey_to_rgb(levels, dataset), ()
    pixels = _to_8_bits(levels / (2 ** int(dataset.BitsStored) - 1))
    return (convert_color_space(pixels, colour, "RGB") if colour.startswith("YBR_FULL") else pixels), ()


def lacks_sense(dataset: pydicom.Dataset, tag: str, why: str = "") -> ImageError:
    """The refusal of a file whose `tag` is missing or cannot be obeyed."""
    value = dataset.get(tag)
    state = "is missing" if value is None or value == "" else f"is {value}"
    name = f"{tag} {Tag(tag_for_keyword(tag))}"
    return ImageError(
        f"The DICOM file's tag {name} {state}{why and f', {why}'}. Export it again, uncompressed as RGB.",
        "unsupported",
    )


def _fill_missing(dataset: pydicom.Dataset) -> None:
    """Fill in missing tags where the others leave one meaning; else refuse by name."""
    size = int(dataset.Rows) * int(dataset.Columns)
    colour = str(dataset.get("PhotometricInterpretation") or "")
    compressed = dataset.file_meta.TransferSyntaxUID.is_compressed
    n_bytes = len(dataset.PixelData)
    if not dataset.get("SamplesPerPixel"):
        if not colour and compressed:
            raise lacks_sense(dataset, "SamplesPerPixel")
        grey = colour.startswith("MONOCHROME") if colour else n_bytes < 3 * size
        dataset.SamplesPerPixel = 1 if grey else 3
    samples = int(dataset.SamplesPerPixel)
    if samples not in (1, 3):
        raise lacks_sense(dataset, "SamplesPerPixel", "neither 1 (grey) nor 3 (colour)")
    if not colour:
        dataset.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    elif colour.startswith("MONOCHROME") != (samples == 1):
        raise lacks_sense(dataset, "SamplesPerPixel", f"which does not go with {colour}")
    if not dataset.get("BitsAllocated"):
        dataset.BitsAllocated = 8 if compressed or n_bytes < 2 * samples * size else 16
    for tag, usual in (("BitsStored", dataset.BitsAllocated), ("PixelRepresentation", 0)):
        if dataset.get(tag) in (None, ""):
            setattr(dataset, tag, usual)
    if not 1 <= int(dataset.BitsStored) <= int(dataset.BitsAllocated):
        raise lacks_sense(dataset, "BitsStored", f"of {dataset.BitsAllocated} bits")
    if dataset.get("HighBit") in (None, ""):
        dataset.HighBit = int(dataset.BitsStored) - 1
    if samples == 3 and dataset.get("PlanarConfiguration") in (None, ""):
        dataset.PlanarConfiguration = 0


def _read_jpeg(dataset: pydicom.Dataset) -> tuple[np.ndarray, tuple[QualityFinding, ...]]:
    """A JPEG's own markers say whether it is YCbCr or RGB; the DICOM tag often says something else."""
    if int(dataset.BitsStored) > 8:
        raise lacks_sense(dataset, "BitsStored", "and JPEG is read with 8 bits only")
    frame = _frame_of(dataset, "JPEG")
    image, _ = load_pillow(frame)
    if image.mode == "L":
        grey = np.asarray(image)
        return _grey_to_rgb(_to_unsigned(grey, dataset, shifted=False), dataset), ()
    unmarked = "jfif" not in image.info and "adobe" not in image.info
    if not unmarked or dataset.PhotometricInterpretation != "RGB":
        return np.array(image.convert("RGB")), ()
    stored = open_as(frame, ("JPEG",), "DICOM")
    stored.draft("YCbCr", stored.size)  # the planes as they are stored, whatever they mean
    planes = np.asarray(stored)
    return (planes.copy() if _look_like_rgb(planes) else np.array(image.convert("RGB"))), (_GUESSED,)


def _look_like_rgb(planes: np.ndarray) -> bool:
    thinned = planes[::4, ::4].reshape(-1, 3).astype(np.float64)
    if (thinned.std(axis=0) == 0).any():
        return False
    return bool(np.corrcoef(thinned.T)[0, 1:].min() >= _MIN_RGB_CORRELATION)


def _read_stored(dataset: pydicom.Dataset) -> np.ndarray:
    """Values with all their bits: which of them count is for HighBit to say, and pydicom does not ask it."""
    return pixel_array(dataset, raw=True, correct_unused_bits=False)


def _read_jpeg_2000(dataset: pydicom.Dataset) -> np.ndarray:
    """Stored values; the codestream says what they are: its colour transform is undone while decoding."""
    frame = _frame_of(dataset, "JPEG2000")
    start = frame.find(b"\xff\x4f\xff\x51")  # SOC and SIZ; behind boxes where someone wrapped them
    coding = frame.find(b"\xff\x52", start)  # COD
    if start < 0 or coding < 0:
        raise damaged("DICOM", "its JPEG 2000 picture has no header")
    precision, transformed = (frame[start + 42] & 0x7F) + 1, frame[coding + 8] == 1
    if int(dataset.SamplesPerPixel) == 3 and precision > 8:
        raise ImageError(
            f"This DICOM file holds a colour JPEG 2000 picture of {precision} bits, which Dermalens does not "
            "read. Export it with 8 bits.",
            "unsupported",
        )
    if transformed or not str(dataset.PhotometricInterpretation).startswith("YBR_FULL"):
        dataset.PhotometricInterpretation = (
            "RGB" if int(dataset.SamplesPerPixel) == 3 else dataset.PhotometricInterpretation
        )
    dataset.BitsStored = precision
    dataset.BitsAllocated = 8 if precision <= 8 else 16
    return pixel_array(dataset, raw=True)


def _frame_of(dataset: pydicom.Dataset, format_: str) -> bytes:
    """The compressed picture; its size must be the header's, or the cap would be checked on a claim."""
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    width, height = open_as(frame, (format_,), "DICOM").size
    if (width, height) != (dataset.Columns, dataset.Rows):
        stated = f"{dataset.Columns} x {dataset.Rows} px"
        raise damaged("DICOM", f"its header says {stated}, its picture {width} x {height} px")
    return frame


def _to_unsigned(values: np.ndarray, dataset: pydicom.Dataset, *, shifted: bool) -> np.ndarray:
    """Stored values as 0 ... 2^BitsStored - 1, darkest first, out of the bits that HighBit points to."""
    bits, high = int(dataset.BitsStored), int(dataset.HighBit)
    raw = values.view(f"u{values.dtype.itemsize}")
    shift = high + 1 - bits if shifted else 0
    if shift < 0 or (high >= int(dataset.BitsAllocated) and shifted):
        raise lacks_sense(dataset, "HighBit", f"with {bits} of {dataset.BitsAllocated} bits stored")
    if shift and (raw & np.array((1 << shift) - 1, raw.dtype)).any():
        raise lacks_sense(dataset, "HighBit", "yet the bits below hold values too")
    levels = (raw >> shift) & np.array((1 << bits) - 1, raw.dtype)
    return levels ^ np.array(1 << (bits - 1), raw.dtype) if int(dataset.PixelRepresentation) else levels


def _grey_to_rgb(levels: np.ndarray, dataset: pydicom.Dataset) -> np.ndarray:
    """Scale grey values to 8 bits by the file's window if it states one, else by their full range."""
    for tag in ("ModalityLUTSequence", "VOILUTSequence"):
        if dataset.get(tag):
            raise ImageError(
                f"This DICOM file's brightness goes through a table ({tag}), which Dermalens does not read. "
                "Export it as it is displayed.",
                "unsupported",
            )
    white = 2 ** int(dataset.BitsStored) - 1
    slope, intercept = _number(dataset, "RescaleSlope", 1.0), _number(dataset, "RescaleIntercept", 0.0)
    centre, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    if not math.isnan(centre) and width >= 1:
        offset = (white + 1) // 2 if int(dataset.PixelRepresentation) else 0
        share = _window((levels.astype(np.float32) - offset) * slope + intercept, centre, width, dataset)
    else:
        share = levels / np.float32(white)
        share = 1 - share if slope < 0 else share
    grey = _to_8_bits(share)
    if dataset.PhotometricInterpretation == "MONOCHROME1":  # low values are bright
        grey = 255 - grey
    return np.repeat(grey[..., None], 3, axis=2)


def _window(values: np.ndarray, centre: float, width: float, dataset: pydicom.Dataset) -> np.ndarray:
    """Share of white by DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3."""
    function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR_EXACT":
        return (values - centre) / width + 0.5
    if function != "LINEAR":
        raise lacks_sense(dataset, "VOILUTFunction", "which is none of the standard's")
    return (values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5


def _number(dataset: pydicom.Dataset, tag: str, default: float = math.nan) -> float:
    """The first value of a numeric tag; the default where it is missing or not a finite number."""
    value = dataset.get(tag)
    if isinstance(value, pydicom.multival.MultiValue | list):
        value = value[0] if value else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return default
    return number if math.isfinite(number) else default


def _to_8_bits(share: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(share * 255), 0, 255).astype(np.uint8)
