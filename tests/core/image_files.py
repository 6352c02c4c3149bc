"""Image files made in memory, for the tests of reading."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian

from core.images.reading import ImageError, read_image

HEIGHT, WIDTH = 80, 100


def make_pixels() -> np.ndarray:
    """(80, 100, 3) smooth RGB with a red top left corner: survives JPEG, shows any turn or swap."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.stack([120 + x // 2, 80 + y // 2, np.full_like(x, 90)], axis=2).astype(np.uint8)
    pixels[:30, :30] = (250, 10, 10)
    return pixels


def encode(image: Image.Image | np.ndarray, format_: str, **options) -> bytes:
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    buffer = BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def refusal(source) -> ImageError:
    with pytest.raises(ImageError) as caught:
        read_image(source)
    assert len(str(caught.value)) > 30  # what came and what to do
    return caught.value


def make_dicom(
    values: np.ndarray,
    photometric: str,
    *,
    frame: bytes | None = None,
    syntax=None,
    leave_out: str = "",
    **tags,
) -> bytes:
    """Encode (H, W) or (H, W, 3) values, or an already compressed `frame` of that shape, as DICOM.

    `tags` are added or replace what the values give; the tag named by `leave_out` is then removed.
    """
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax or ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.4"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel = 3 if values.ndim == 3 else 1
    if values.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = dataset.BitsStored = values.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PixelData = values.tobytes() if frame is None else encapsulate([frame])
    dataset["PixelData"].VR = "OB" if values.itemsize == 1 else "OW"
    for name, value in tags.items():
        setattr(dataset, name, value)
    if leave_out:
        delattr(dataset, leave_out)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
