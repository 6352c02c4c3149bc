"""DICOM as cameras and exports write it: the colours, greys and millimetres that come out, or the tag that does not fit."""

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import (
    HEVCMP51,
    MPEG4HP41,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    RLELossless,
)

from core.images.reading import read_image
from tests.core.image_files import HEIGHT, WIDTH, encode, make_dicom, make_pixels, refusal
from tests.data_in.icc import DISPLAY_P3, in_colours_of, make_profile
from tests.fuzz_samples import run_lengths

# pydicom comments on what is odd; that is what these files are.
pytestmark = pytest.mark.filterwarnings("ignore")
LEVELS = make_pixels()[..., 0]
WIDE = LEVELS.astype(np.uint16) * 16  # 12 bits
YCBCR = np.asarray(Image.fromarray(make_pixels()).convert("YCbCr"))


def without(tag: str, values: np.ndarray, photometric: str, **tags) -> bytes:
    """A DICOM file that lacks one tag."""
    return make_dicom(values, photometric, leave_out=tag, **tags)


def difference(data: bytes, expected: np.ndarray) -> float:
    pixels = read_image(data).pixels
    expected = expected if expected.ndim == 3 else np.repeat(expected[..., None], 3, axis=2)
    assert pixels.shape == expected.shape
    return float(np.abs(pixels.astype(int) - expected).mean())


def codes(data: bytes) -> list[str]:
    return [finding.code for finding in read_image(data).findings if finding.code != "no_colour"]


def jpeg_frame(planes: np.ndarray, marked: bool, mode: str = "YCbCr") -> bytes:
    """A JPEG stream of these planes; unmarked without JFIF's and Adobe's segments."""
    frame = encode(
        Image.frombytes(mode, (WIDTH, HEIGHT), planes.tobytes()), "JPEG", quality=95, subsampling=0
    )
    length = int.from_bytes(frame[4:6], "big")
    assert frame[2:4] == b"\xff\xe0"
    return frame if marked else frame[:2] + frame[4 + length :]


# --- colours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("marked", [True, False])
def test_a_jpeg_of_luma_and_chroma_has_its_colours_whatever_the_tag_says(tag, marked):
    data = make_dicom(make_pixels(), tag, frame=jpeg_frame(YCBCR, marked), syntax=JPEGBaseline8Bit)
    assert difference(data, make_pixels()) < 3
    assert codes(data) == (["colours_guessed"] if tag == "RGB" and not marked else [])


def test_an_unmarked_jpeg_of_red_green_and_blue_is_told_by_its_planes():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    shade = 60 + x + y // 4
    rgb = np.stack([shade + 40, shade, shade - 20], axis=2).astype(np.uint8)
    data = make_dicom(rgb, "RGB", frame=jpeg_frame(rgb, marked=False), syntax=JPEGBaseline8Bit)
    assert difference(data, rgb) < 3 and codes(data) == ["colours_guessed"]


@pytest.mark.parametrize("tag", ["RGB", "YBR_RCT", "YBR_ICT", "YBR_FULL"])
def test_a_jpeg_2000_that_transforms_its_colours_is_right_whatever_the_tag_says(tag):
    frame = encode(make_pixels(), "JPEG2000", no_jp2=True, mct=1)
    assert difference(make_dicom(make_pixels(), tag, frame=frame, syntax=JPEG2000Lossless), make_pixels()) < 1


def test_a_jpeg_2000_that_does_not_transform_is_what_the_tag_says():
    plain = encode(make_pixels(), "JPEG2000", no_jp2=True, mct=0)
    assert (
        difference(make_dicom(make_pixels(), "RGB", frame=plain, syntax=JPEG2000Lossless), make_pixels()) == 0
    )
    chroma = encode(Image.fromarray(YCBCR), "JPEG2000", no_jp2=True, mct=0)
    assert (
        difference(
            make_dicom(make_pixels(), "YBR_FULL", frame=chroma, syntax=JPEG2000Lossless), make_pixels()
        )
        < 2
    )


def test_a_jpeg_2000_of_16_bit_grey_keeps_its_levels():
    wide = LEVELS.astype(np.uint16) * 257
    frame = encode(wide, "JPEG2000", no_jp2=True)
    assert difference(make_dicom(wide, "MONOCHROME2", frame=frame, syntax=JPEG2000Lossless), LEVELS) < 1


def test_stored_colours_by_plane_run_length_and_16_bits():
    planes = np.ascontiguousarray(make_pixels().transpose(2, 0, 1))
    by_plane = make_dicom(make_pixels(), "RGB", PlanarConfiguration=1, PixelData=planes.tobytes())
    runs = make_dicom(make_pixels(), "RGB", frame=run_lengths(make_pixels()), syntax=RLELossless)
    wide = make_dicom(make_pixels().astype(np.uint16) * 257, "RGB")
    for data in (by_plane, runs, wide):
        assert difference(data, make_pixels()) == 0
    assert difference(make_dicom(YCBCR, "YBR_FULL"), make_pixels()) < 2


def test_a_profile_in_the_file_is_obeyed():
    stored = in_colours_of(make_pixels(), DISPLAY_P3, 0.0)
    data = make_dicom(stored, "RGB", ICCProfile=make_profile(DISPLAY_P3, 0.0))
    assert difference(data, make_pixels()) < 2


# --- greys ------------------------------------------------------------------------------------------


def test_the_high_bit_is_obeyed_and_bits_outside_are_not_brightness():
    left = make_dicom(WIDE << 4, "MONOCHROME2", BitsStored=12, HighBit=15)
    overlay = make_dicom(WIDE | 0x8000, "MONOCHROME2", BitsStored=12, HighBit=11)
    for data in (left, overlay):
        assert difference(data, LEVELS) < 1.5


@pytest.mark.parametrize("tags", [{"HighBit": 15}, {"HighBit": 7}, {"HighBit": 20}])
def test_a_high_bit_that_contradicts_the_values_is_refused_by_name(tags):
    error = refusal(make_dicom(WIDE | 1, "MONOCHROME2", BitsStored=12, **tags))
    assert error.reason == "unsupported" and "HighBit (0028,0102)" in str(error)


def test_a_window_is_obeyed():
    data = make_dicom(WIDE, "MONOCHROME2", BitsStored=16, WindowCenter=2048, WindowWidth=4096)
    assert difference(data, LEVELS) < 1.5
    inverted = make_dicom(WIDE, "MONOCHROME1", BitsStored=16, WindowCenter=2048, WindowWidth=4096)
    assert difference(inverted, 255 - LEVELS) < 1.5


def test_a_window_counts_in_rescaled_values():
    rescale = {"RescaleSlope": 0.5, "RescaleIntercept": -100}
    data = make_dicom(WIDE, "MONOCHROME2", WindowCenter=924, WindowWidth=2048, **rescale)
    assert difference(data, LEVELS) < 1.5


@pytest.mark.parametrize("function", ["LINEAR_EXACT", "SIGMOID"])
def test_other_window_functions_are_the_standards(function):
    data = make_dicom(WIDE, "MONOCHROME2", WindowCenter=2048, WindowWidth=2048, VOILUTFunction=function)
    share = (WIDE.astype(float) - 2048) / 2048
    expected = share + 0.5 if function == "LINEAR_EXACT" else 1 / (1 + np.exp(-4 * share))
    assert difference(data, np.clip(np.rint(expected * 255), 0, 255)) < 1


def test_a_table_of_brightness_is_refused_by_name():
    from pydicom import Dataset

    item = Dataset()
    item.LUTDescriptor, item.LUTData = [1, 0, 8], [0]
    assert "VOILUTSequence" in str(refusal(make_dicom(WIDE, "MONOCHROME2", VOILUTSequence=[item])))


# --- missing tags, missing preamble -------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag",
    ["PhotometricInterpretation", "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration"],
)
def test_a_missing_tag_with_one_sense_has_it(tag):
    assert difference(without(tag, make_pixels(), "RGB"), make_pixels()) == 0


def test_a_missing_number_of_samples_is_told_from_the_colour_or_the_length():
    assert difference(without("SamplesPerPixel", make_pixels(), "RGB"), make_pixels()) == 0
    assert difference(without("SamplesPerPixel", LEVELS, "MONOCHROME2"), LEVELS) == 0


@pytest.mark.parametrize("tag", ["Rows", "Columns"])
def test_a_missing_size_is_refused_by_its_tag(tag):
    error = refusal(without(tag, make_pixels(), "RGB"))
    assert tag in str(error) and "missing" in str(error) and "attribute" not in str(error)


def test_a_file_without_preamble_is_read():
    data = make_dicom(make_pixels(), "RGB", PixelSpacing=[0.02, 0.02])
    for cut in (data[132:], data[128:]):
        assert difference(cut, make_pixels()) == 0 and read_image(cut).pixel_spacing_mm == 0.02


def test_trailing_bytes_and_no_frames_are_one_picture():
    data = make_dicom(make_pixels(), "RGB", PixelData=make_pixels().tobytes() + bytes(500), NumberOfFrames=0)
    assert difference(data, make_pixels()) == 0


# --- proportions and millimetres ----------------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "shape"), [([2, 1], (160, 100)), ([1, 2], (80, 200)), ([1, 1], (80, 100))])
def test_pixels_that_are_not_square_are_stretched(ratio, shape):
    data = make_dicom(make_pixels(), "RGB", PixelAspectRatio=ratio)
    pixels = read_image(data).pixels
    assert pixels.shape == (*shape, 3)
    shrunk = np.asarray(Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BOX))
    assert np.abs(shrunk.astype(int) - make_pixels()).mean() < 2


@pytest.mark.parametrize("spacing", [0.001, 0.007, 0.05, 0.2])
def test_a_credible_scale_is_read(spacing):
    loaded = read_image(make_dicom(make_pixels(), "RGB", PixelSpacing=[spacing, spacing]))
    assert loaded.pixel_spacing_mm == spacing and loaded.findings == ()


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"PixelSpacing": [25.4, 25.4]}, "25.4"),
        ({"PixelSpacing": [1.0, 1.0]}, "placeholder"),
        ({"PixelSpacing": [0.264583, 0.264583]}, "screen"),
        ({"PixelSpacing": [0.21, 0.21]}, "implausible"),
        ({"PixelSpacing": [0.0009, 0.0009]}, "implausible"),
        ({"PixelSpacing": [1e-9, 1e-9]}, "implausible"),
        ({"ImagerPixelSpacing": [0.05, 0.05]}, "sensor"),
        ({"NominalScannedPixelSpacing": [0.05, 0.05]}, "scanner"),
        ({"PixelSpacing": [0.05, 0.05], "ImagerPixelSpacing": [0.05, 0.05]}, "sensor"),
        ({"PixelSpacing": [0.05, 0.1]}, "differs"),
    ],
)
def test_a_scale_that_is_not_of_the_skin_gives_no_millimetres_and_says_why(tags, why):
    loaded = read_image(make_dicom(make_pixels(), "RGB", **tags))
    assert loaded.pixel_spacing_mm is None
    [finding] = loaded.findings
    assert finding.code == "no_scale" and why in finding.message


def test_a_calibrated_scale_may_equal_the_sensors():
    tags = {"PixelSpacing": [0.05, 0.05], "ImagerPixelSpacing": [0.05, 0.05]}
    data = make_dicom(make_pixels(), "RGB", **tags, PixelSpacingCalibrationType="FIDUCIAL")
    assert read_image(data).pixel_spacing_mm == 0.05


# --- refused by name ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("syntax", "word"),
    [
        (MPEG4HP41, "video"),
        (HEVCMP51, "video"),
        (JPEGLSLossless, "JPEG-LS"),
        (JPEGExtended12Bit, "BitsStored"),
    ],
)
def test_what_is_not_decoded_is_named(syntax, word):
    values = WIDE if syntax == JPEGExtended12Bit else make_pixels()
    photometric = "MONOCHROME2" if values.ndim == 2 else "RGB"
    error = refusal(make_dicom(values, photometric, frame=b"\xff\xd8\xff\xd9", syntax=syntax))
    assert error.reason == "unsupported" and word in str(error)


@pytest.mark.parametrize(
    ("class_uid", "word"),
    [
        ("1.2.840.10008.1.3.10", "DICOMDIR"),
        ("1.2.840.10008.5.1.4.1.1.88.11", "structured report"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "Encapsulated PDF"),
    ],
)
def test_dicom_without_a_picture_is_called_what_it_is(class_uid, word):
    error = refusal(without("PixelData", make_pixels(), "RGB", SOPClassUID=class_uid))
    assert error.reason == "unsupported" and word in str(error)


def test_a_file_that_only_mentions_the_deflated_syntax_is_read():
    data = make_dicom(make_pixels(), "RGB", ImageComments="not 1.2.840.10008.1.2.1.99")
    assert difference(data, make_pixels()) == 0
