"""Measure a lesion's asymmetry, border, colours and diameter from its mask and image.

These are measurements, not a diagnosis: no score is computed from them, and the classifier does not use them.

After the ABCD rule of dermatoscopy (Stolz et al. 1994, Eur J Dermatol 4:521; Nachbar et al. 1994, J Am
Acad Dermatol 30:551, doi:10.1016/S0190-9622(94)70061-3), in which a reader rates by eye. What we changed:

* Asymmetry is that of the outline alone, as a share of the area per axis instead of 0, 1 or 2 points;
  the rule also looks at colour and structure.
* Border keeps the rule's eight segments and its 0-8 count, but "abrupt" is a colour step above a stated
  limit; compactness and fractal dimension are added.
* Colour keeps the rule's six colours, each pixel going to the nearest reference in CIELAB.
* D is here the diameter. The rule's D, differential structures, is not measured.

Undefined is NaN (None for counts), never a number: shapes thinner than `MIN_WIDTH_PX`, and shapes of
which the picture's edge cuts off more than `MAX_CUT_SHARE` of the outline.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.images.preprocessing import OUTLINE_SIDE_PX, limit_long_side, resize_mask
from core.lesion.shape import (
    Moments,
    asymmetry,
    compute_moments,
    crofton_perimeter,
    cut_share,
    feret_diameter,
    fractal_dimension,
    outline_pixels,
)

# Reference colours in CIELAB (D65). The names are the rule's; the values are ours, set on the clusters of
# 140,000 lesion pixels of 700 HAM10000 images, 100 a class (for instance vascular red near 44, 52, 1 and
# reddish-brown nevi near 40, 42, 24, which count as dark brown). They depend on the camera's white balance.
REFERENCE_COLOURS_LAB: dict[str, tuple[float, float, float]] = {
    "white": (90.0, 5.0, 0.0),
    "red": (45.0, 55.0, 10.0),
    "light brown": (60.0, 25.0, 12.0),
    "dark brown": (34.0, 28.0, 17.0),
    "blue-grey": (45.0, 8.0, -12.0),
    "black": (10.0, 5.0, 0.0),
}
# A colour counts as present from this share of the lesion (convention): below it lie hairs and glare.
MIN_COLOUR_SHARE = 0.05
# Narrower than three pixels a mask has no inside, and every shape measure describes the pixel grid.
MIN_WIDTH_PX = 3.0
# With more than a tenth of the outline on the picture's edge, the shape is the picture's (convention).
MAX_CUT_SHARE = 0.10
# Width of the bands compared on either side of the outline, as a share of the equivalent diameter.
BAND_SHARE = 0.04
MIN_BAND_PX = 2.0
# Mean colours of the two bands at least this far apart (CIE76) are an abrupt end of the pigment. Convention:
# on 700 HAM10000 images it makes 2.4 of 8 segments abrupt in melanomas, 1.2 in nevi and 0.1 in basal cell
# carcinomas, on average.
ABRUPT_STEP_DELTA_E = 10.0
# Fewer pixels than this in either band say nothing about an octant.
MIN_OCTANT_PIXELS = 5

NAN = math.nan


@dataclass(frozen=True)
class Morphology:
    """Measurements of one lesion; coordinates (x, y) in pixels, y downwards. NaN or None: undefined.

    Attributes:
        area_px, area_share: lesion pixels, and their share of the image.
        centroid_x_px, centroid_y_px: mean position of the lesion's pixels.
        major_axis_px, minor_axis_px: full axes of the ellipse with the same second moments.
        principal_axis_deg: direction of the major axis from +x towards +y, in [0, 180); NaN if none.
        diameter_px, diameter_mm: largest Feret diameter; mm is None without a known pixel spacing.
        cut_share: share of the outline that lies on the picture's edge; above 0 sizes are lower bounds.
        asymmetry_major, asymmetry_minor: share of the area that its mirror image about the major or
            minor axis misses; 0 is symmetric.
        perimeter_px: Crofton perimeter from four directions.
        compactness: perimeter^2 / (4 pi area); 1 for a disc.
        fractal_dimension: box-counting dimension of the outline; 1 for a smooth curve.
        border_steps_delta_e: colour step (CIE76) across the outline in each octant, counted from the
            major axis from +x towards +y.
        abrupt_segments, measured_segments: octants with a step of `ABRUPT_STEP_DELTA_E` or more, and those
            that could be measured; `abrupt_segments` is None when none could.
        colour_shares: (name, share of the lesion), in the order of `REFERENCE_COLOURS_LAB`; sums to 1.
        colour_count: colours with at least `MIN_COLOUR_SHARE`.
    """

    area_px: int
    area_share: float
    centroid_x_px: float
    centroid_y_px: float
    major_axis_px: float
    minor_axis_px: float
    principal_axis_deg: float
    diameter_px: float
    diameter_mm: float | None
    cut_share: float
    asymmetry_major: float
    asymmetry_minor: float
    perimeter_px: float
    compactness: float
    fractal_dimension: float
    border_steps_delta_e: tuple[float, ...]
    abrupt_segments: int | None
    measured_segments: int
    colour_shares: tuple[tuple[str, float], ...]
    colour_count: int

    @property
    def colours_present(self) -> tuple[str, ...]:
        """Names of the colours that count as present."""
        return tuple(name for name, share in self.colour_shares if share >= MIN_COLOUR_SHARE)


def measure_lesion(
    image: np.ndarray, lesion_mask: np.ndarray, pixel_spacing_mm: float | None = None
) -> Morphology | None:
    """Measure the ABCD properties of a lesion.

    Args:
        image: (H, W, 3) uint8 RGB.
        lesion_mask: (H, W) bool, one region as `refine_mask` returns it; several are measured together.
        pixel_spacing_mm: side of a pixel in mm where it is known, for instance from DICOM.

    Returns:
        The measurements, or None when the mask is empty.

    Raises:
        ValueError: shape or dtype of an argument, or a spacing that is not positive and finite.
    """
    _check_arguments(image, lesion_mask, pixel_spacing_mm)
    if not lesion_mask.any():
        return None
    small = limit_long_side(image, OUTLINE_SIDE_PX)
    small_mask = resize_mask(lesion_mask, small.shape[:2])
    if not small_mask.any():  # a speck that does not survive shrinking
        small, small_mask = image, lesion_mask
    measured = _enlarge(_measure(small, small_mask), image.shape[1] / small.shape[1])
    return replace(
        measured,
        area_px=int(lesion_mask.sum()),
        diameter_mm=None if pixel_spacing_mm is None else measured.diameter_px * pixel_spacing_mm,
    )


def _measure(image: np.ndarray, lesion_mask: np.ndarray) -> Morphology:
    """The measurements of one region in pixels of this image, without a scale."""
    moments = compute_moments(lesion_mask)
    outline = outline_pixels(lesion_mask)
    cut = cut_share(outline, lesion_mask.shape)
    diameter_px = feret_diameter(outline)
    area_px = int(lesion_mask.sum())
    has_shape = moments.minor_px >= MIN_WIDTH_PX and cut <= MAX_CUT_SHARE
    perimeter_px = crofton_perimeter(lesion_mask) if has_shape else NAN
    missed = asymmetry(lesion_mask, moments) if has_shape else (NAN, NAN)
    steps = _border_steps(image, lesion_mask, moments) if moments.minor_px >= MIN_WIDTH_PX else (NAN,) * 8
    measured = sum(not math.isnan(step) for step in steps)
    colour_shares = _colour_shares(image, lesion_mask)
    return Morphology(
        area_px=area_px,
        area_share=area_px / lesion_mask.size,
        centroid_x_px=moments.x,
        centroid_y_px=moments.y,
        major_axis_px=moments.major_px,
        minor_axis_px=moments.minor_px,
        principal_axis_deg=math.degrees(moments.axis_rad) % 180.0,
        diameter_px=diameter_px,
        diameter_mm=None,
        cut_share=cut,
        asymmetry_major=missed[0],
        asymmetry_minor=missed[1],
        perimeter_px=perimeter_px,
        compactness=perimeter_px**2 / (4 * math.pi * area_px),
        fractal_dimension=fractal_dimension(outline) if has_shape else NAN,
        border_steps_delta_e=steps,
        abrupt_segments=sum(step >= ABRUPT_STEP_DELTA_E for step in steps) if measured else None,
        measured_segments=measured,
        colour_shares=colour_shares,
        colour_count=sum(share >= MIN_COLOUR_SHARE for _, share in colour_shares),
    )


def _enlarge(morphology: Morphology, factor: float) -> Morphology:
    """The same measurements in the pixels of an image `factor` times as wide."""
    if factor == 1:
        return morphology
    lengths = (
        "centroid_x_px",
        "centroid_y_px",
        "major_axis_px",
        "minor_axis_px",
        "diameter_px",
        "perimeter_px",
    )
    return replace(morphology, **{name: getattr(morphology, name) * factor for name in lengths})


def _check_arguments(image: np.ndarray, lesion_mask: np.ndarray, pixel_spacing_mm: float | None) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"`image` must be (H, W, 3) uint8 RGB; got {image.shape} {image.dtype}.")
    if lesion_mask.shape != image.shape[:2] or lesion_mask.dtype != np.bool_:
        raise ValueError(
            f"`lesion_mask` must be {image.shape[:2]} bool like the image; got {lesion_mask.shape} "
            f"{lesion_mask.dtype}. Binarise with `refine_mask` and resize it to the image first."
        )
    if pixel_spacing_mm is not None and not (math.isfinite(pixel_spacing_mm) and pixel_spacing_mm > 0):
        raise ValueError(
            f"`pixel_spacing_mm` must be a positive number or None; got {pixel_spacing_mm}. "
            "Pass None when the scale is not known."
        )


# --- border


def _border_steps(image: np.ndarray, mask: np.ndarray, moments: Moments) -> tuple[float, ...]:
    """CIE76 distance between the mean colours just inside and just outside, per octant; NaN: unmeasured.

    Distances count from the nearest pixel of the other kind within the picture, so that the picture's edge
    is no border: octants that it cuts off stay NaN.
    """
    width = max(MIN_BAND_PX, BAND_SHARE * 2 * math.sqrt(mask.sum() / math.pi))
    margin = math.ceil(width) + 1
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    crop = (slice(top, rows[-1] + margin + 1), slice(left, columns[-1] + margin + 1))
    axis = 0.0 if math.isnan(moments.axis_rad) else moments.axis_rad

    def mean_lab_per_octant(region: np.ndarray) -> np.ndarray:
        depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        ys, xs = np.nonzero(region & (depth <= width))
        angle = np.arctan2(ys + top - moments.y, xs + left - moments.x) - axis
        octants = np.floor(angle / (math.pi / 4)).astype(int) % 8
        counts = np.bincount(octants, minlength=8)
        lab = _to_lab(image[crop][ys, xs])
        sums = np.stack([np.bincount(octants, weights=lab[:, c], minlength=8) for c in range(3)], axis=1)
        return sums / np.where(counts >= MIN_OCTANT_PIXELS, counts, NAN)[:, None]

    inside = mask[crop]
    if inside.all():  # the whole picture is lesion: there is no other side
        return (NAN,) * 8
    difference = mean_lab_per_octant(inside) - mean_lab_per_octant(~inside)
    return tuple(np.linalg.norm(difference, axis=1).tolist())


# --- colour


def _to_lab(pixels: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 sRGB -> (..., 3) float32 CIELAB, L* in [0, 100]."""
    flat = (pixels.reshape(-1, 1, 3) / np.float32(255)).astype(np.float32)
    return cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(pixels.shape)


def _colour_shares(image: np.ndarray, mask: np.ndarray) -> tuple[tuple[str, float], ...]:
    names = tuple(REFERENCE_COLOURS_LAB)
    references = np.array([REFERENCE_COLOURS_LAB[name] for name in names], np.float32)
    lab = _to_lab(image[mask])
    # |p - r|^2 without |p|^2, which is the same for every reference. One colour at a time: faster
    # than a (N, 6) product, which wakes the threads of the matrix library.
    distances = [
        (r**2).sum() - 2 * (r[0] * lab[:, 0] + r[1] * lab[:, 1] + r[2] * lab[:, 2]) for r in references
    ]
    shares = np.bincount(np.argmin(distances, axis=0), minlength=len(names)) / len(lab)
    return tuple(zip(names, shares.tolist(), strict=True))
