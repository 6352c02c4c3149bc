"""DICOM: colours and greys as in rgb.dcm, credible millimetres, refusals by name."""

from pathlib import Path

import numpy as np

from core.images.reading import LoadedImage, read_image
from tests.odd_files.images import Check, Result, any_of, judge_picture, looks_like, read, refused, warned
from tests.odd_files.registry import Outcome, judges


def as_bright_as(reference: str, within: float = 4.0) -> Check:
    """The same grey levels as another file's luminance, as far as both are of one size."""

    def check(case: Path, result: Result) -> bool:
        expected = read_image(case.parent / reference).pixels @ np.array([0.299, 0.587, 0.114])
        if not isinstance(result, LoadedImage) or result.pixels.shape[:2] != expected.shape:
            return False
        return float(np.abs(result.pixels[..., 1] - expected).mean()) <= within

    return check


def without_scale(case: Path, result: Result) -> bool:
    return isinstance(result, LoadedImage) and result.pixel_spacing_mm is None


_SAME = looks_like("rgb.dcm")
_GREY = as_bright_as("rgb.dcm")
_CASES: dict[str, Check] = {
    "rgb.dcm": read,
    **{f"{name}.dcm": _SAME for name in ("planar1", "ybr_full_native", "jpeg_called_rgb_jfif", "rle_rgb")},
    **{f"{name}.dcm": _SAME for name in ("j2k_rct", "j2k_called_rgb_mct1", "j2k_ybr_full_mct0")},
    **{f"{name}.dcm": _SAME for name in ("frames_zero", "long_pixels", "mentions_deflated")},
    "j2k_called_ybr_full_but_mct1.dcm": _SAME,
    "jpeg_called_rgb_no_app.dcm": any_of(_SAME, warned("colours_guessed")),
    "mono2_12in16.dcm": _GREY,
    "mono2_highbit15_left.dcm": any_of(_GREY, refused("HighBit")),
    "rgb16.dcm": read,  # of another size than rgb.dcm: its colours are judged by the tests in tests/data_in
    "no_photometric.dcm": any_of(_SAME, refused("PhotometricInterpretation")),
    "no_pixelrepresentation.dcm": any_of(_SAME, refused("PixelRepresentation")),
    "no_bitsstored.dcm": any_of(_SAME, refused("BitsStored")),
    "palette.dcm": refused("PALETTE COLOR"),
    "no_preamble_meta.dcm": _SAME,
    "no_preamble_implicit.dcm": _SAME,
    "spacing_0_0.dcm": without_scale,
    "spacing_cm.dcm": without_scale,
    "jpegls.dcm": refused("JPEG-LS"),
    "video_mpeg.dcm": refused("video"),
    "report_no_pixels.dcm": refused("no picture"),
}


@judges("dicom")
def judge_dicom(case: Path, expectation: str) -> Outcome:
    return judge_picture(case, expectation, _CASES)
