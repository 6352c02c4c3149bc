"""Why an image is refused: the error, the limits every decoder checks, and their messages."""

from core.errors import DermalensError

# 40 MP: above every dermatoscope camera and most phones (48 MP sensors store 12 MP by default), and
# 120 MB once decoded, which two sessions of a small server can still hold at once.
MAX_PIXELS = 40_000_000
# 64 px: under a third of the 200 x 150 px the networks were first trained on, a lesion's structure is gone.
MIN_SIDE_PX = 64


class ImageError(DermalensError):
    """An image was refused; the message says what was received and what to do.

    `reason` is one of: "empty", "not_an_image", "unsupported", "truncated", "animated", "too_large",
    "too_small", "missing", "folder", "unreadable", "bad_array", "mask_shape".
    """

    # The default keeps the error picklable (batch workers): unpickling passes the message alone.
    def __init__(self, message: str, reason: str = "not_an_image") -> None:
        super().__init__(message)
        self.reason = reason


def check_size(width: int, height: int, smallest: int = MIN_SIDE_PX) -> None:
    """Refuse, by the size its header states, an image that is too large or too small."""
    if width * height > MAX_PIXELS:
        raise too_large(f"{width * height / 1e6:.0f}")
    if min(width, height) < smallest:
        raise ImageError(
            f"The image is {width} x {height} px; at least {smallest} px on the shorter side are needed. "
            "Use the original, not a thumbnail.",
            "too_small",
        )


def too_large(megapixels: str) -> ImageError:
    """The refusal of an image over `MAX_PIXELS`."""
    limit = MAX_PIXELS // 1_000_000
    return ImageError(
        f"The image has {megapixels} megapixels; at most {limit} are read. Crop to the lesion or scale it down.",
        "too_large",
    )


def damaged(what: str, cause: object) -> ImageError:
    """The refusal of a file that starts like an image and cannot be decoded."""
    return ImageError(
        f"The {what} file is damaged or cut short ({cause}). Copy or export it again.", "truncated"
    )


def several_frames(what: str, frames: int) -> ImageError:
    """The refusal of an animation or of several pages."""
    return ImageError(
        f"The {what} file holds {frames} frames or pages. Export the one to analyse as a single image.",
        "animated",
    )
