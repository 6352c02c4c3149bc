"""A picture's colours in sRGB, by the colour profile (ICC) that its file carries.

A profile that cannot be read, is of another colour space than the pixels or is too large is ignored, and the
pixels are taken as sRGB. A profile that is sRGB leaves every pixel unchanged.
"""

import functools
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

# Printers' CMYK profiles have 0.5 to 3 MB.
MAX_PROFILE_BYTES = 8_000_000
# A profile whose conversion moves no colour by more than this counts as sRGB: vendors round
# the primaries and the curve differently.
SRGB_LEVELS = 2
# What a profile says it is for, and the mode of pixels that it fits.
_MODE_OF_SPACE = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an "RGB", "L" or "CMYK" picture to sRGB by its profile; the picture itself if it is sRGB."""
    if not profile or len(profile) > MAX_PROFILE_BYTES:
        return image
    transform = _build_transform(bytes(profile), image.mode)
    return image if transform is None else ImageCms.applyTransform(image, transform)


@functools.lru_cache(maxsize=16)
def _build_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB, or None where there is nothing to do or the profile is unusable."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if _MODE_OF_SPACE.get(source.profile.xcolor_space) != mode:
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode != "CMYK" and _changes_nothing(transform, mode) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether colours all over the cube stay where they are."""
    steps = np.linspace(0, 255, 16).astype(np.uint8)
    if mode == "L":
        probe = np.arange(256, dtype=np.uint8)[None]
    else:
        probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    before = Image.fromarray(probe)
    after = ImageCms.applyTransform(before, transform)
    moved = np.abs(np.asarray(before.convert("RGB"), int) - np.asarray(after, int))
    return bool(moved.max() <= SRGB_LEVELS)
