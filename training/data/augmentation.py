"""Random changes of a training image, on uint8 arrays with OpenCV: cheap enough for two cores.

Geometry is one affine matrix, so resizing, cropping, flipping, turning, zooming, shifting and shearing
cost a single bilinear read, and the mask goes through the same matrix.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from core.images.preprocessing import Box, box_to_square, limit_long_side, sample_square
from core.phantoms.artefacts import ARTEFACTS
from training.data.corruptions import FILTERS

# Corruptions used in training; the others of `training.measure.robustness` are kept for testing.
TRAINING_CORRUPTIONS = ("Gaussian noise", "JPEG", "low resolution", "brightness", "saturation and hue")
TRAINING_SEVERITIES = (1, 2, 3)
# As in `core.images.preprocessing.crop_square`: coarser reading would alias.
COARSE_STEP_PX = 1.5


@dataclass(frozen=True)
class Augmentation:
    """How strongly to change a training image; ranges are uniform unless stated.

    Attributes:
        flip: mirror left to right, half of the time.
        rotation_degrees: turn by up to this much either way.
        zoom: (smallest, largest) factor by which the content appears enlarged, log-uniform.
        stretch: largest log-ratio between the two axes' zooms.
        shift: largest shift as a share of the window's side.
        shear: largest shear.
        brightness, contrast, saturation: largest relative change.
        channel_gain: largest relative change of each colour channel on its own (white balance).
        gamma: largest log of the exponent.
        vignette: probability of darkened corners.
        blur: probability of a Gaussian blur.
        overlay: probability of a drawn artefact: hair, dark corners, ruler, gel bubbles or ink.
        corruption: probability of one of `TRAINING_CORRUPTIONS`, at a severity of `TRAINING_SEVERITIES`.
    """

    flip: bool = True
    rotation_degrees: float = 180.0
    zoom: tuple[float, float] = (0.8, 1.3)
    stretch: float = 0.1
    shift: float = 0.08
    shear: float = 0.08
    brightness: float = 0.15
    contrast: float = 0.2
    saturation: float = 0.25
    channel_gain: float = 0.08
    gamma: float = 0.15
    vignette: float = 0.1
    blur: float = 0.1
    overlay: float = 0.0
    corruption: float = 0.0


def augment_window(
    image: np.ndarray, box: Box, size_px: int, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """All changes at once: ((S, S, 3) uint8 of `box`, the (3, 3) matrix from that square to the image)."""
    if augmentation.corruption and rng.random() < augmentation.corruption:
        image = corrupt_photograph(image, rng)
    matrix = random_affine(box, size_px, augmentation, rng)
    return change_appearance(shrink_and_sample(image, matrix, size_px), augmentation, rng), matrix


def shrink_and_sample(image: np.ndarray, square_to_image: np.ndarray, size_px: int) -> np.ndarray:
    """`sample_square`, behind a shrinking by area averages where the square is far coarser than the image.

    Args:
        image: (H, W[, 3]) uint8.
        square_to_image: (3, 3) affine matrix, not changed.
        size_px: side of the square.
    """
    step_px = np.sqrt(abs(np.linalg.det(square_to_image[:2, :2])))  # image pixels a square's pixel
    if step_px > COARSE_STEP_PX:
        height, width = image.shape[:2]
        image = limit_long_side(image, max(1, round(max(height, width) / step_px)))
        scale = np.diag([image.shape[1] / width, image.shape[0] / height, 1.0])
        scale[:2, 2] = (np.diag(scale)[:2] - 1) / 2  # pixel centres lie at whole numbers
        square_to_image = scale @ square_to_image
    return sample_square(image, square_to_image, size_px)


def corrupt_photograph(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A worse camera, before anything is cut out: noise and blocks have the size of the image's own pixels."""
    own = np.random.default_rng(int(rng.uniform(0, 2**31)))
    return FILTERS[own.choice(TRAINING_CORRUPTIONS)](image, int(own.choice(TRAINING_SEVERITIES)), own)


def random_affine(box: Box, size_px: int, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """(3, 3) matrix from a square of side `size_px` to the image, randomly changed around `box`."""
    a = augmentation
    angle = np.deg2rad(rng.uniform(-a.rotation_degrees, a.rotation_degrees))
    zoom = np.exp(rng.uniform(*np.log(a.zoom)))
    ratio = np.exp(rng.uniform(-a.stretch, a.stretch) / 2)
    mirror = -1.0 if a.flip and rng.random() < 0.5 else 1.0
    shear = rng.uniform(-a.shear, a.shear)
    cosine, sine = np.cos(angle), np.sin(angle)
    change = np.eye(3)
    change[:2, :2] = (
        np.array([[cosine, -sine], [sine, cosine]])
        @ np.array([[1.0, shear], [0.0, 1.0]])
        @ np.diag([mirror * ratio / zoom, 1 / (ratio * zoom)])
    )
    change[:2, 2] = rng.uniform(-a.shift, a.shift, 2) * size_px
    centre = (size_px - 1) / 2
    to_centre, back = np.eye(3), np.eye(3)
    to_centre[:2, 2], back[:2, 2] = -centre, centre
    return box_to_square(box, size_px) @ back @ change @ to_centre


def change_colours(image: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Random brightness, contrast, white balance, gamma and saturation of (S, S, 3) uint8."""
    a = augmentation
    gain = 1 + rng.uniform(-a.brightness, a.brightness) + rng.uniform(-a.channel_gain, a.channel_gain, 3)
    contrast = 1 + rng.uniform(-a.contrast, a.contrast)
    gamma = np.exp(rng.uniform(-a.gamma, a.gamma))
    ramp = (np.arange(256) / 255) ** gamma * 255
    mean = image.mean()
    tables = (ramp[:, None] * gain - mean) * contrast + mean
    tables = np.clip(tables, 0, 255).astype(np.uint8)
    image = cv2.LUT(image, tables[:, None, :])
    saturation = 1 + rng.uniform(-a.saturation, a.saturation)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, saturation, grey, 1 - saturation, 0)


def darken_corners(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The round shadow of a dermatoscope's tube, with a soft edge and a slightly shifted centre."""
    side = image.shape[0]
    rows, columns = np.ogrid[:side, :side]
    centre = side * (0.5 + rng.uniform(-0.05, 0.05, 2))
    radius = side * rng.uniform(0.48, 0.62)
    distance = np.sqrt((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2)
    softness = side * rng.uniform(0.01, 0.1)
    shade = 1 - rng.uniform(0.5, 1.0) / (1 + np.exp(-np.clip((distance - radius) / softness, -30, 30)))
    return (image * shade[..., None]).astype(np.uint8)


def draw_artefact(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One artefact of `core.phantoms.artefacts`, each as likely as the others. (S, S, 3) uint8."""
    own = np.random.default_rng(int(rng.uniform(0, 2**31)))
    return ARTEFACTS[own.choice(list(ARTEFACTS))](image, own)


def change_appearance(image: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """All changes that leave the mask alone: drawn artefacts, colours, dark corners, blur. (S, S, 3) uint8."""
    if augmentation.overlay and rng.random() < augmentation.overlay:
        image = draw_artefact(image, rng)
    image = change_colours(image, augmentation, rng)
    if rng.random() < augmentation.vignette:
        image = darken_corners(image, rng)
    if rng.random() < augmentation.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
    return image
