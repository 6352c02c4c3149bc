"""Fourteen image corruptions, each at five severities; OpenCV and numpy only.

Start at `corrupt`: a pure function of image, expert mask, corruption, severity and random generator.
Lengths are for a 450 px high frame and scale with the shorter side; noise and JPEG act on the pixels
that are given. Severity changes only how far a change goes, not its direction: with generators of the
same seed, severity 5 is severity 1 taken further.

Reference:
    Hendrycks and Dietterich (2019), Benchmarking neural network robustness to common corruptions and
    perturbations, arXiv:1903.12261. Ours are rewritten for dermoscopy and move the mask where the image moves.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from core.images.preprocessing import mask_picture
from core.phantoms.artefacts import REFERENCE_SIDE_PX, smooth_noise

SEVERITIES = (1, 2, 3, 4, 5)
Filter = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
Warp = Callable[[tuple[int, int], int, np.random.Generator], tuple[np.ndarray, np.ndarray]]


def corrupt(
    image: np.ndarray, mask: np.ndarray, name: str, severity: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Corrupt an image, and its mask alike where the corruption moves the skin.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) bool.
        name: one of `CORRUPTIONS`.
        severity: 1 to 5.
        rng: decides directions, signs and noise.

    Raises:
        ValueError: unknown corruption or severity.
    """
    if name not in CORRUPTIONS or severity not in SEVERITIES:
        raise ValueError(
            f"`name` must be one of {', '.join(CORRUPTIONS)} and `severity` 1 to 5; "
            f"got {name!r} and {severity!r}."
        )
    if name in FILTERS:
        return FILTERS[name](image, severity, rng), mask
    map_xy = WARPS[name](image.shape[:2], severity, rng)
    moved = _remap(mask_picture(mask), map_xy) > 127
    return _remap(image, map_xy), moved


def corrupt_each(
    images: Sequence[np.ndarray], masks: Sequence[np.ndarray], severities: Sequence[int], seed: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Every image and its mask corrupted once; direction and strength are drawn for each, from `seed` and position."""
    changed = []
    for place, (image, mask) in enumerate(zip(images, masks, strict=True)):
        rng = np.random.default_rng((seed, place))
        name, severity = rng.choice(CORRUPTIONS), int(rng.choice(severities))
        changed.append(corrupt(image, mask, str(name), severity, rng))
    images, masks = zip(*changed, strict=True)
    return list(images), list(masks)


# --- focus and motion -------------------------------------------------------------------------------
def defocus_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Out of focus: the mean over a disc."""
    radius = _pick(severity, 3, 5, 8, 12, 17) * _scale(image.shape)
    x, y = _kernel_grid(radius)
    return _filter(image, np.clip(radius + 0.5 - np.hypot(x, y), 0, 1))


def gaussian_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """A soft lens or a smeared contact plate."""
    return cv2.GaussianBlur(image, (0, 0), _pick(severity, 2, 4, 6, 9, 13) * _scale(image.shape))


def motion_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """The hand moved in a straight line of random direction."""
    half = _pick(severity, 8, 14, 22, 32, 45) * _scale(image.shape) / 2
    angle = rng.uniform(0, np.pi)
    x, y = _kernel_grid(half)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return _filter(image, np.clip(half + 0.5 - abs(along), 0, 1) * np.clip(1 - abs(across), 0, 1))


def zoom_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """The distance changed both ways during the exposure, so that the outline stays where it was."""
    reach = np.log(_pick(severity, 1.03, 1.06, 1.1, 1.16, 1.24))
    centre = ((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2)
    views = [
        _warp(image, cv2.getRotationMatrix2D(centre, 0, zoom))
        for zoom in np.exp(np.linspace(-reach, reach, 15))
    ]
    return _to_uint8(np.mean(views, axis=0))


# --- noise and loss of detail -----------------------------------------------------------------------
def gaussian_noise(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Read-out noise of a sensor, the same everywhere."""
    deviation = 255 * _pick(severity, 0.03, 0.06, 0.1, 0.15, 0.22)
    return _to_uint8(image + deviation * rng.standard_normal(image.shape, dtype=np.float32))


def shot_noise(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Few photons: Poisson noise, so that white holds 200 of them at first and 10 in the end."""
    photons = _pick(severity, 200, 80, 40, 20, 10)
    return _to_uint8(rng.poisson(image / 255 * photons) / photons * 255)


def jpeg(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Blocks and ringing of strong JPEG compression."""
    quality = int(_pick(severity, 50, 30, 18, 10, 5))
    # Decoding with OpenCV is safe here: these bytes are our own.
    _, packed = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])


def low_resolution(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """A camera with 1.5 to 6 times fewer pixels a side."""
    height, width = image.shape[:2]
    factor = _pick(severity, 1.5, 2, 3, 4, 6)
    few = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(image, few, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


# --- light and colour -------------------------------------------------------------------------------
def brightness(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Over- or underexposure by up to a whole stop."""
    gain = _pick(severity, 1.1, 1.25, 1.45, 1.7, 2.0)
    return _to_uint8(image * (gain if rng.random() < 0.5 else 1 / gain))


def contrast(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Flat light: everything moves towards the mean level."""
    mean = image.mean()
    return _to_uint8(mean + (image - mean) * _pick(severity, 0.75, 0.6, 0.45, 0.3, 0.2))


def saturation(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Colours too strong or too pale, and their hue turned by up to 25 degrees either way."""
    more = rng.random() < 0.5
    factor = _pick(severity, 1.2, 1.4, 1.7, 2.1, 2.6) if more else _pick(severity, 0.8, 0.6, 0.4, 0.25, 0.1)
    turn = _pick(severity, 5, 9, 14, 19, 25) * rng.choice([-1, 1])
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + turn) % 360
    hsv[..., 1] = np.minimum(hsv[..., 1] * factor, 1)
    return _to_uint8(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255)


def colour_cast(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """A wrong white balance: red against blue, and green on its own."""
    strength = _pick(severity, 0.05, 0.1, 0.16, 0.23, 0.3)
    warm, green = rng.choice([-1, 1]), rng.uniform(-0.5, 0.5)
    return _to_uint8(image * (1 + strength * np.array([warm, green, -warm])))


# --- shape ------------------------------------------------------------------------------------------
def elastic_map(shape: tuple[int, int], severity: int, rng: np.random.Generator):
    """Skin pulled and pressed: where each pixel is read from, as two (H, W) float32 arrays."""
    scale = _scale(shape)
    reach = _pick(severity, 1.5, 3, 5, 7, 9) * scale
    x, y = _pixel_grid(shape)
    cell_px = 60 * scale
    return x + reach * smooth_noise(rng, shape, cell_px), y + reach * smooth_noise(rng, shape, cell_px)


def tilt_map(shape: tuple[int, int], severity: int, rng: np.random.Generator):
    """The camera leans by 8 to 40 degrees to a random side, at 1.5 frame widths from the skin."""
    height, width = shape
    lean = np.deg2rad(_pick(severity, 8, 15, 22, 30, 40))
    side, distance = rng.uniform(0, 2 * np.pi), 1.5 * width
    direction = np.array([np.cos(side), np.sin(side)])
    x, y = _pixel_grid(shape)
    offset = np.stack([x - (width - 1) / 2, y - (height - 1) / 2])
    # The ray through a pixel meets the leaning skin plane; along `direction` it is stretched by 1 / cos.
    along = np.tensordot(direction, offset, axes=1)
    depth = 1 / (1 - along * np.tan(lean) / distance)
    across = offset - direction[:, None, None] * along
    on_skin = (across + direction[:, None, None] * along / np.cos(lean)) * depth
    source_x, source_y = on_skin + np.array([(width - 1) / 2, (height - 1) / 2])[:, None, None]
    return source_x.astype(np.float32), source_y.astype(np.float32)


FILTERS: dict[str, Filter] = {
    "defocus blur": defocus_blur,
    "Gaussian blur": gaussian_blur,
    "motion blur": motion_blur,
    "zoom blur": zoom_blur,
    "Gaussian noise": gaussian_noise,
    "shot noise": shot_noise,
    "JPEG": jpeg,
    "low resolution": low_resolution,
    "brightness": brightness,
    "contrast": contrast,
    "saturation and hue": saturation,
    "colour cast": colour_cast,
}
WARPS: dict[str, Warp] = {"elastic": elastic_map, "tilt": tilt_map}
CORRUPTIONS = (*FILTERS, *WARPS)


# --- helpers ----------------------------------------------------------------------------------------
def _pick(severity: int, *values: float) -> float:
    return values[severity - 1]


def _scale(shape: tuple[int, ...]) -> float:
    return min(shape[:2]) / REFERENCE_SIDE_PX


def _pixel_grid(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The x and the y of every pixel centre, (H, W) float32 each."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return x, y


def _kernel_grid(reach_px: float) -> tuple[np.ndarray, np.ndarray]:
    half = int(np.ceil(reach_px + 0.5))
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    return x, y


def _filter(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)


def _warp(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT_101)


def _remap(image: np.ndarray, map_xy: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return cv2.remap(image, *map_xy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
