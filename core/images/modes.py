"""Any mode of a Pillow image -> sRGB: palettes, greys, 16 bits, CMYK, transparency, colour profiles."""

import numpy as np
from PIL import Image

from core.images.colour_profiles import to_srgb
from core.images.errors import ImageError
from core.images.quality_findings import QualityFinding

_MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
# From this share of pixels on, more transparent than not, a picture is a cut-out rather than a photograph.
MOSTLY_TRANSPARENT_SHARE = 0.5


def to_rgb(
    image: Image.Image, profile: bytes | None = None
) -> tuple[Image.Image, tuple[QualityFinding, ...]]:
    """Convert any mode with a fixed white to sRGB, and say what transparency did.

    Alpha goes over white, unless it hides every pixel: then it is ignored. 16 bits become 8.

    Args:
        image: decoded.
        profile: the file's ICC profile.

    Raises:
        ImageError: float, 32-bit or Lab values.
    """
    if image.mode.startswith("I;16"):
        grey = np.asarray(image, dtype=np.uint16)
        image = Image.fromarray(((grey.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if image.mode not in _MODES:
        raise ImageError(
            f"The image stores its pixels as {image.mode!r} (float, 32-bit or Lab values), which has no fixed "
            "white. Export it as 8-bit RGB.",
            "unsupported",
        )
    if not image.has_transparency_data:
        return _convert_colours(image, profile), ()
    rgba = image.convert("RGBA")
    colours = _convert_colours(rgba.convert("RGB"), profile)
    return _lay_over_white(colours, rgba.getchannel("A"))


def _convert_colours(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode not in ("L", "CMYK", "RGB"):
        image = image.convert("RGB")
    colours = to_srgb(image, profile)
    return colours if colours.mode == "RGB" else colours.convert("RGB")  # a copy of 24 MP takes 96 MB


def _lay_over_white(
    colours: Image.Image, alpha: Image.Image
) -> tuple[Image.Image, tuple[QualityFinding, ...]]:
    if alpha.getextrema() == (0, 0):
        return colours, (
            QualityFinding(
                "transparent",
                "The file calls every pixel transparent; the colours beneath are analysed. Check that they "
                "are the picture you mean.",
                "warning",
            ),
        )
    clear_share = float((np.asarray(alpha) < 128).mean())
    colours.putalpha(alpha)
    over_white = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours).convert("RGB")
    if clear_share < MOSTLY_TRANSPARENT_SHARE:
        return over_white, ()
    return over_white, (
        QualityFinding(
            "transparent",
            f"{clear_share:.0%} of the image is transparent and taken for white. Use the photograph, not a "
            "cut-out.",
            "warning",
        ),
    )
