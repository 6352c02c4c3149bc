"""DICOM bytes -> RGB uint8 and the scale; of the header only what decoding needs is ever parsed."""

from io import BytesIO

import cv2
import numpy as np
import pydicom
from PIL import Image
from pydicom.filereader import read_dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from core.images.colour_profiles import to_srgb
from core.images.dicom_pixels import lacks_sense, read_pixels
from core.images.dicom_scale import read_pixel_aspect, read_scale
from core.images.errors import ImageError, check_size, damaged, several_frames
from core.images.quality_findings import QualityFinding

_TAGS = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelSpacingCalibrationType"),
    *("PixelAspectRatio", "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "ICCProfile", "SOPClassUID", "PixelData"),
)
_SYNTAXES = {
    *("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"),
    *(f"1.2.840.10008.1.2.4.{code}" for code in (50, 51, 90, 91)),
}
# Inflated by pydicom before any size can be read, so it is refused unread: a few MB can hide gigabytes.
_DEFLATED = "1.2.840.10008.1.2.1.99"
_DICOMDIR = "1.2.840.10008.1.3.10"
_COLOUR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
_PREAMBLE = bytes(128) + b"DICM"


def decode_dicom(data: bytes) -> tuple[np.ndarray, float | None, tuple[QualityFinding, ...]]:
    """Decode a single-frame DICOM image, with or without its preamble; only `_TAGS` are ever parsed.

    Returns:
        (H, W, 3) uint8 RGB with square pixels, millimetres per pixel or None, and what to know about it.
    """
    try:
        dataset = _read_header(data)
        _check_header(dataset)
        pixels, findings = read_pixels(dataset)
        profile = dataset.get("ICCProfile")
        if profile:
            pixels = np.asarray(to_srgb(Image.fromarray(pixels), profile))
        scale_mm, scale_findings = read_scale(dataset)
        aspect = read_pixel_aspect(dataset)
    except ImageError:
        raise
    except Exception as error:  # hostile bytes, as in pillow_io
        raise damaged("DICOM", error) from None
    if aspect != 1:
        pixels, scale_mm = _make_square(pixels, aspect), None
    return pixels, scale_mm, (*findings, *scale_findings)


def _read_header(data: bytes) -> pydicom.Dataset:
    if data.startswith(b"DICM"):
        data = bytes(128) + data
    syntax = _read_syntax(data)
    if syntax == _DEFLATED:
        raise ImageError(
            "This DICOM file is deflated. Export it uncompressed or JPEG-compressed.", "unsupported"
        )
    # Old camera systems and some exports leave out the preamble, which `force` puts up with.
    dataset = pydicom.dcmread(BytesIO(data), specific_tags=list(_TAGS), force=True)
    if not syntax:
        implicit, little = dataset.original_encoding
        big_or_little = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else big_or_little
    return dataset


def _read_syntax(data: bytes) -> str:
    """The transfer syntax that the file's meta group states; "" without one."""
    stream = BytesIO(data)
    if data[128:132] == b"DICM":
        stream.seek(len(_PREAMBLE))
    if data[stream.tell() :][:2] != b"\x02\x00":
        return ""
    meta = read_dataset(stream, False, True, stop_when=lambda tag, *_: tag.group != 2)
    return str(meta.get("TransferSyntaxUID") or "")


def _check_header(dataset: pydicom.Dataset) -> None:
    """Refuse by name what is no single picture of a kind that is read."""
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    if "MPEG" in syntax.name or "HEVC" in syntax.name:
        raise ImageError("This DICOM file is a video. Export one frame of it as an image.", "unsupported")
    if not dataset.get("PixelData"):
        raise _no_picture(dataset)
    for tag in ("Rows", "Columns"):
        if not dataset.get(tag):
            raise lacks_sense(dataset, tag)
    check_size(int(dataset.Columns), int(dataset.Rows))
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise several_frames("DICOM", frames)
    dataset.NumberOfFrames = 1  # some write 0
    if syntax not in _SYNTAXES:
        raise ImageError(
            f"This DICOM file is compressed in a way Dermalens does not read ({syntax.name}, transfer syntax "
            f"{syntax}). Export it uncompressed, or as JPEG baseline or JPEG 2000.",
            "unsupported",
        )
    colour = str(dataset.get("PhotometricInterpretation") or "")
    if colour and colour not in _COLOUR | {"MONOCHROME1", "MONOCHROME2"}:
        raise ImageError(f"This DICOM file stores colour as {colour}. Export it as RGB.", "unsupported")


def _no_picture(dataset: pydicom.Dataset) -> ImageError:
    class_uid = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    if not class_uid:
        return damaged("DICOM", "it has neither a picture nor a kind")
    if class_uid == _DICOMDIR:
        what = "a DICOMDIR, the table of contents of a medium: choose the files that it lists"
    else:
        name = UID(str(class_uid)).name
        report = ": a structured report" if " SR " in name or name.endswith(" SR Storage") else ""
        what = f"its kind is {name.removesuffix(' Storage')}{report}. Choose the image itself"
    return ImageError(f"This DICOM file holds no picture; {what}.", "unsupported")


def _make_square(pixels: np.ndarray, aspect: float) -> np.ndarray:
    """Stretch pixels that are `aspect` times as high as wide along their longer side."""
    height, width = pixels.shape[:2]
    shape = (round(height * aspect), width) if aspect > 1 else (height, round(width / aspect))
    check_size(width=shape[1], height=shape[0])
    return cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_LINEAR)
