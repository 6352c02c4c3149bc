"""Image -> network input: geometry shared by training and analysis, and clean-up filters.

Coordinates are (x, y) in pixels with the origin at the image's top-left corner, so pixel (0, 0) covers
the square from (0, 0) to (1, 1). A `Box` is a window in those coordinates and may reach beyond the
image, where the image is mirrored.
"""

from dataclasses import dataclass

import cv2
import numpy as np

# Larger images are outlined and measured on a copy with this longer side: the networks' maps are several
# times coarser, and a 12-megapixel photograph would take seconds.
OUTLINE_SIDE_PX = 1024


@dataclass(frozen=True)
class Box:
    """A window (x0, y0) to (x1, y1) in pixel coordinates; may be fractional or reach outside."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width_px(self) -> float:
        return self.x1 - self.x0

    @property
    def height_px(self) -> float:
        return self.y1 - self.y0

    @classmethod
    def whole(cls, image: np.ndarray) -> "Box":
        return cls(0.0, 0.0, float(image.shape[1]), float(image.shape[0]))

    def scaled(self, factor_x: float, factor_y: float) -> "Box":
        """The same window in an image resized by these factors."""
        return Box(self.x0 * factor_x, self.y0 * factor_y, self.x1 * factor_x, self.y1 * factor_y)


# --- geometry ---------------------------------------------------------------------------------------
def limit_long_side(image: np.ndarray, long_side_px: int) -> np.ndarray:
    """Shrink (H, W[, 3]) by area averaging until its longer side is at most `long_side_px`."""
    limited = limit_shape(image.shape[:2], long_side_px)
    return (
        image
        if limited == image.shape[:2]
        else cv2.resize(image, limited[::-1], interpolation=cv2.INTER_AREA)
    )


def limit_shape(shape: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """(H, W) shrunk in proportion until its longer side is at most `long_side_px`.

    >>> limit_shape((3000, 6000), 1024), limit_shape((450, 600), 1024)
    ((512, 1024), (450, 600))
    """
    scale = long_side_px / max(shape)
    return tuple(shape) if scale >= 1 else (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))


def resize_mask(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool mask at another (height, width): a pixel is lesion if most of its area is."""
    if mask.shape == tuple(shape):
        return mask
    shrinks = shape[0] < mask.shape[0] or shape[1] < mask.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=interpolation) > 0.5


def mask_picture(mask: np.ndarray) -> np.ndarray:
    """A bool mask as uint8 of the same shape: 255 where it is True, 0 elsewhere."""
    return mask.astype(np.uint8) * 255


def lesion_box(lesion_mask: np.ndarray, margin: float) -> Box:
    """The square around a lesion, with skin around it.

    Args:
        lesion_mask: (H, W) bool.
        margin: skin added on each side, as a share of the lesion's longer side.

    Returns:
        A square `Box` centred on the lesion's bounding box; the whole image if the mask is empty.
    """
    rows, columns = np.flatnonzero(lesion_mask.any(axis=1)), np.flatnonzero(lesion_mask.any(axis=0))
    if rows.size == 0:
        return Box.whole(lesion_mask)
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    half = max(x1 - x0, y1 - y0) * (0.5 + margin)
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2
    return Box(centre_x - half, centre_y - half, centre_x + half, centre_y + half)


def box_to_square(box: Box, size_px: int) -> np.ndarray:
    """(3, 3) matrix from pixel centres of a `size_px` square to pixel centres of the image."""
    scale_x, scale_y = box.width_px / size_px, box.height_px / size_px
    return np.array(
        [
            [scale_x, 0.0, box.x0 + 0.5 * scale_x - 0.5],
            [0.0, scale_y, box.y0 + 0.5 * scale_y - 0.5],
            [0.0, 0.0, 1.0],
        ]
    )


def sample_square(image: np.ndarray, square_to_image: np.ndarray, size_px: int) -> np.ndarray:
    """Read a (size_px, size_px[, 3]) square from an image through a (3, 3) affine matrix, bilinearly."""
    return cv2.warpAffine(
        image,
        square_to_image[:2],
        (size_px, size_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def crop_square(image: np.ndarray, box: Box, size_px: int) -> np.ndarray:
    """Resample the window `box` of an image to a square of side `size_px`.

    Where the square has far fewer pixels than the window, the image is first shrunk by area averaging,
    so that fine structure does not alias.
    """
    shrink = size_px / max(box.width_px, box.height_px)
    if shrink < 2 / 3:
        height, width = image.shape[:2]
        image = limit_long_side(image, max(1, round(max(height, width) * shrink)))
        box = box.scaled(image.shape[1] / width, image.shape[0] / height)
    return sample_square(image, box_to_square(box, size_px), size_px)


# --- clean-up filters -------------------------------------------------------------------------------
def remove_hair(image: np.ndarray) -> np.ndarray:
    """Paint dark hairs over with the surrounding skin.

    Dark, thin structures stand out in the morphological black-hat of the luminance (closing minus
    image); where it is strong, pixels become the Gaussian mean of those around them that are no hair. The
    element scales with the image. Every step is equivariant to flips and quarter-turns of the image.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8; the input itself where no hair is found.

    Reference:
        Lee et al. (1997), DullRazor, doi:10.1016/S0010-4825(97)00020-6. We use one round element instead of
        three line elements, and fill with a normalised convolution (Knutsson, Westin 1993,
        doi:10.1109/CVPR.1993.341081).
    """
    radius = max(1, round(max(image.shape[:2]) * 0.045) // 2)
    luminance = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    blackhat = cv2.morphologyEx(luminance, cv2.MORPH_BLACKHAT, disc(radius))
    hair = _thin_only((blackhat > 24).astype(np.uint8))
    if not hair.any():
        return image
    hair = cv2.dilate(hair, np.ones((3, 3), np.uint8)).astype(bool)
    skin = (~hair).astype(np.float32)
    around, weight = (
        cv2.GaussianBlur(part, (0, 0), 0.75 * radius) for part in (image * skin[..., None], skin)
    )
    hair &= weight > 1e-4  # where there is skin within reach
    filled = image.copy()
    filled[hair] = (around[hair] / weight[hair][:, None]).round()
    return filled


def disc(radius: int) -> np.ndarray:
    """(2r+1, 2r+1) uint8 disc, symmetric under flips and transposition (OpenCV's ellipse is not)."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * (radius + 1)).astype(np.uint8)


def _thin_only(candidates: np.ndarray) -> np.ndarray:
    """Keep components that are long for their area, as hairs are, and drop specks and pigment."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(candidates, connectivity=8)
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    area = np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    keep = (extent >= 0.06 * max(candidates.shape)) & (extent**2 / area >= 6)
    keep[0] = False
    return keep[labels].astype(np.uint8) if count > 1 else np.zeros_like(candidates)


def equalise_colour(image: np.ndarray, norm: int = 6) -> np.ndarray:
    """Colour constancy by shades of grey: make the Minkowski mean of the three channels equal.

    Args:
        image: (H, W, 3) uint8 RGB.
        norm: order of the Minkowski mean; 1 is grey-world, infinity is white-patch.

    Returns:
        (H, W, 3) uint8, with about the same brightness.

    Reference:
        Finlayson and Trezzi (2004), Shades of gray and colour constancy; norm 6 as in Barata et al.
        (2015), doi:10.1109/JBHI.2014.2336473, on dermoscopy.
    """
    values = np.arange(256, dtype=np.float64) ** norm
    means = np.array(
        [np.average(values, weights=np.bincount(image[..., c].ravel(), minlength=256)) for c in range(3)]
    ) ** (1 / norm)
    if means.min() <= 0:
        return image
    gains = means.mean() / means
    tables = np.clip(np.arange(256)[:, None] * gains, 0, 255).round().astype(np.uint8)
    return cv2.merge([cv2.LUT(np.ascontiguousarray(image[..., c]), tables[:, c]) for c in range(3)])


def enhance_edges(image: np.ndarray, amount: float = 0.6) -> np.ndarray:
    """Unsharp masking of the luminance with a blur that scales with the image; colours stay."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    luminance = lab[..., 0]
    blurred = cv2.GaussianBlur(luminance, (0, 0), sigmaX=max(0.5, max(image.shape[:2]) / 200))
    lab[..., 0] = cv2.addWeighted(luminance, 1 + amount, blurred, -amount, 0)
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


@dataclass(frozen=True)
class PreprocessingSettings:
    """Which filters run before the classifier; the bundle's manifest states the defaults and why."""

    hair_removal: bool = False
    colour_constancy: bool = False
    edge_enhancement: bool = False


def preprocess(image: np.ndarray, settings: PreprocessingSettings) -> np.ndarray:
    """Apply the switched-on filters, in this order: hair, colour, edges. (H, W, 3) uint8 in and out."""
    if settings.hair_removal:
        image = remove_hair(image)
    if settings.colour_constancy:
        image = equalise_colour(image)
    if settings.edge_enhancement:
        image = enhance_edges(image)
    return image
