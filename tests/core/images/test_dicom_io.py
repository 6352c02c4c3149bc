"""What `read_image` makes of DICOM files, and what of them it refuses."""

import pickle

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1

from core.images.reading import read_image
from tests.core.image_files import HEIGHT, WIDTH, encode, make_dicom, make_pixels, refusal


def test_dicom_rgb_returns_the_exact_pixels_and_the_scale(tmp_path):
    path = tmp_path / "lesion.dcm"
    path.write_bytes(make_dicom(make_pixels(), "RGB", PixelSpacing=[0.05, 0.05]))
    loaded = read_image(path)
    assert (loaded.format, loaded.name, loaded.pixel_spacing_mm) == ("DICOM", "lesion.dcm", 0.05)
    np.testing.assert_array_equal(loaded.pixels, make_pixels())


def test_dicom_monochrome_is_scaled_and_monochrome1_inverted():
    levels = make_pixels()[..., 0]
    wide = levels.astype(np.uint16) * 257
    for values in (levels, wide, (wide.astype(np.int32) - 2**15).astype(np.int16)):
        np.testing.assert_array_equal(read_image(make_dicom(values, "MONOCHROME2")).pixels[..., 1], levels)
        np.testing.assert_array_equal(
            read_image(make_dicom(values, "MONOCHROME1")).pixels[..., 1], 255 - levels
        )


def test_dicom_12_bits_in_16_use_the_stored_range():
    values = np.full((HEIGHT, WIDTH), 4095, np.uint16)
    assert (read_image(make_dicom(values, "MONOCHROME2", BitsStored=12, HighBit=11)).pixels == 255).all()


def test_dicom_ybr_becomes_rgb():
    ycbcr = np.asarray(Image.fromarray(make_pixels()).convert("YCbCr"))
    pixels = read_image(make_dicom(ycbcr, "YBR_FULL")).pixels
    assert np.abs(pixels.astype(int) - make_pixels()).max() <= 3


@pytest.mark.parametrize(
    ("format_", "syntax", "photometric"),
    [("JPEG", JPEGBaseline8Bit, "YBR_FULL_422"), ("JPEG2000", JPEG2000Lossless, "YBR_RCT")],
)
def test_dicom_compressed_with_jpeg_is_decoded(format_, syntax, photometric):
    frame = encode(make_pixels(), format_, **({"no_jp2": True} if format_ == "JPEG2000" else {"quality": 95}))
    data = make_dicom(make_pixels(), photometric, frame=frame, syntax=syntax)
    assert np.abs(read_image(data).pixels.astype(int) - make_pixels()).mean() < 3


def test_dicom_compressed_greyscale_is_decoded():
    levels = make_pixels()[..., 0]
    data = make_dicom(
        levels, "MONOCHROME2", frame=encode(levels, "JPEG", quality=95), syntax=JPEGBaseline8Bit
    )
    assert np.abs(read_image(data).pixels[..., 2].astype(int) - levels).mean() < 3


@pytest.mark.parametrize(
    ("tags", "expected_mm"),
    [
        ({}, None),
        ({"ImagerPixelSpacing": [0.1, 0.1]}, None),
        ({"PixelSpacing": [0.02, 0.02], "ImagerPixelSpacing": [0.1, 0.1]}, 0.02),
        ({"PixelSpacing": [0, 0]}, None),
        ({"PixelSpacing": [0.1, 0.2]}, None),
    ],
)
def test_dicom_scale_is_read_only_where_it_is_one(tags, expected_mm):
    assert read_image(make_dicom(make_pixels(), "RGB", **tags)).pixel_spacing_mm == expected_mm


def test_dicom_with_a_garbled_scale_is_read_without_one():
    data = make_dicom(make_pixels(), "RGB", PixelSpacing=[0.1, 0.1])
    tag = bytes.fromhex("28003000") + b"DS"
    assert data.count(tag) == 1
    assert read_image(data.replace(tag, tag[:4] + b"D_")).pixel_spacing_mm is None


def test_dicom_identity_does_not_reach_the_result():
    data = make_dicom(
        make_pixels(), "RGB", PatientName="Doe^Jane", PatientID="4711", PatientBirthDate="19700101"
    )
    assert b"Doe^Jane" in data
    kept = pickle.dumps(read_image(data))
    for secret in (b"Doe", b"Jane", b"4711", b"19700101"):
        assert secret not in kept.replace(read_image(data).sha256.encode(), b"")


def test_dicom_refusals():
    rgb = make_dicom(make_pixels(), "RGB")
    frames = make_dicom(make_pixels(), "RGB", NumberOfFrames=2, PixelData=make_pixels().tobytes() * 2)
    lossless = make_dicom(make_pixels(), "RGB", frame=b"\xff\xd8\xff\xd9", syntax=JPEGLosslessSV1)
    assert refusal(frames).reason == "animated"
    assert refusal(lossless).reason == "unsupported"
    assert refusal(make_dicom(make_pixels()[..., 0], "PALETTE COLOR")).reason == "unsupported"
    assert refusal(make_dicom(make_pixels(), "RGB", Rows=9000, Columns=9000)).reason == "too_large"
    assert refusal(make_dicom(make_pixels()[:63], "RGB")).reason == "too_small"
    assert refusal(rgb[: len(rgb) // 2]).reason == "truncated"
    assert refusal(rgb[:140]).reason == "truncated"


def test_dicom_that_understates_its_compressed_size_is_refused():
    frame = encode(np.zeros((400, 500, 3), np.uint8), "JPEG")
    data = make_dicom(make_pixels(), "YBR_FULL_422", frame=frame, syntax=JPEGBaseline8Bit)
    error = refusal(data)
    assert error.reason == "truncated" and "500 x 400" in str(error)


def test_deflated_dicom_is_refused_unread(monkeypatch):
    monkeypatch.setattr(pydicom, "dcmread", lambda *_, **__: pytest.fail("inflated"))
    native = make_dicom(make_pixels(), "RGB")
    data = native.replace(b"1.2.840.10008.1.2.1\0\x02", b"1.2.840.10008.1.2.1.99\x02").replace(
        b"UI\x14\x001.2.840.10008.1.2.1.99", b"UI\x16\x001.2.840.10008.1.2.1.99"
    )
    assert data != native
    error = refusal(data)
    assert error.reason == "unsupported" and "deflated" in str(error)
