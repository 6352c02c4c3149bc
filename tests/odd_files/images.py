"""Pictures: what `read_image` must make of each, or how it must refuse."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.images.errors import ImageError
from core.images.quality import assess_quality
from core.images.reading import LoadedImage, read_image
from tests.odd_files.registry import Outcome, judges

Result = LoadedImage | ImageError
Check = Callable[[Path, Result], bool]


def looks_like(reference: str, within: float = 4.0) -> Check:
    """The same picture as another of the folder, to `within` levels on average over the pixels."""

    def check(case: Path, result: Result) -> bool:
        if isinstance(result, ImageError):
            return False
        expected = read_image(case.parent / reference).pixels
        if result.pixels.shape != expected.shape:
            return False
        return float(np.abs(result.pixels.astype(int) - expected).mean()) <= within

    return check


def refused(pattern: str) -> Check:
    return lambda _, result: isinstance(result, ImageError) and bool(re.search(pattern, str(result), re.I))


def warned(*codes: str) -> Check:
    """Read, with a finding of one of these codes."""

    def check(_: Path, result: Result) -> bool:
        if isinstance(result, ImageError):
            return False
        findings = (*result.findings, *assess_quality(result.pixels).findings)
        return any(finding.code in codes for finding in findings)

    return check


def has_shape(height: int, width: int) -> Check:
    return lambda _, result: isinstance(result, LoadedImage) and result.pixels.shape == (height, width, 3)


def read(_: Path, result: Result) -> bool:
    return isinstance(result, LoadedImage)


def any_of(*checks: Check) -> Check:
    return lambda case, result: any(check(case, result) for check in checks)


def judge_picture(case: Path, expectation: str, table: dict[str, Check]) -> Outcome:
    """Judge by the table; a name that is not in it by the first word of its expectation."""
    try:
        result: Result = read_image(case)
        height, width, _ = result.pixels.shape
        text = f"{result.format} {width} x {height}, {result.pixel_spacing_mm or 'no'} mm/px"
        text += "".join(f"; {finding.code}" for finding in result.findings)
    except ImageError as error:
        result, text = error, f"refused ({error.reason}): {error}"
    check = table.get(case.name) or (refused(".") if expectation.startswith("refus") else read)
    return Outcome(text, check(case, result))


_HEIF = any_of(refused(r"HEIC|HEIF|AVIF"))
_CASES: dict[str, dict[str, Check]] = {
    "alpha": {"png_alpha_zero.png": any_of(refused("transparent"), warned("transparent"))},
    "exif": {
        "orientation6.jpg": looks_like("plain.jpg"),
        "exif_empty.jpg": looks_like("plain.jpg"),
        "exif_doubled_header.jpg": looks_like("plain.jpg"),
        "orientation_two_values.jpg": looks_like("plain.jpg"),
        "xmp_orientation.jpg": has_shape(160, 120),
    },
    "frames": {
        "animated.png": refused(r"2 frames"),
        "thumbnail_second.tif": has_shape(72, 96),
        "thumbnail_first.tif": any_of(has_shape(72, 96), refused("thumbnail|frames")),
    },
    "geometry": {
        "skin_only.jpg": read,
        "black_frame.jpg": warned("underexposed"),
        "strip_2400x100.jpg": read,
    },
    "icc": {
        "display_p3.jpg": looks_like("../exif/plain.jpg"),
        "linear_srgb.jpg": looks_like("../exif/plain.jpg"),
        "swapped_gbr.jpg": looks_like("../exif/plain.jpg"),
        "icc_broken.jpg": looks_like("../exif/plain.jpg", 1),
        "icc_cmyk_on_rgb.jpg": looks_like("../exif/plain.jpg", 1),
    },
    "modes": {
        "cmyk_adobe.jpg": looks_like("../exif/plain.jpg", 10),
        "grey.jpg": warned("no_colour", "not_dermoscopy"),
        "rgb48.tif": read,
        "grey16_holds_12bit.png": warned("dark_16_bit", "underexposed"),
    },
    "png_meta": {name: looks_like("plain.png", 0) for name in ("text_2MB.png", "itxt_2MB.png")}
    | {"trailing_bytes.png": looks_like("plain.png", 0)},
    "metadata": {
        "webp_exif_garbage.webp": looks_like("../png_meta/plain.png"),
        "webp_broken_exif_short.webp": looks_like("../png_meta/plain.png"),
        "png_raw_profile_exif_garbage.png": looks_like("../png_meta/plain.png"),
        "jpeg_no_EOI.jpg": looks_like("../png_meta/plain.png"),
    },
    "foreign": {
        **{f"{brand}.heic.jpg": _HEIF for brand in ["heic", "heix", "hevc", "heim", "mif1", "msf1", "avis"]},
        "real.jp2": any_of(refused("JPEG 2000"), read),
        "jxl.jpg": refused("JPEG XL"),
        "jxl_box.jpg": refused("JPEG XL"),
        "page.jpg": refused("web page"),
        "macos_fork.jpg": refused("macOS"),
        "base64.jpg": refused("text"),
        "newline_before_soi.jpg": any_of(read, refused("before")),
    },
}


def _register(folder: str, table: dict[str, Check]) -> None:
    judges(folder)(lambda case, expectation: judge_picture(case, expectation, table))


for _folder, _table in _CASES.items():
    _register(_folder, _table)
