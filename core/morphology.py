"""Measure a lesion's asymmetry, border, colours and diameter from its mask and image.

These are measurements: no score is formed from them and they are no diagnosis. The classifier does not
see them.

After the ABCD rule of dermatoscopy (Stolz et al. 1994, Eur J Dermatol 4:521; Nachbar et al. 1994, J Am
Acad Dermatol 30:551, doi:10.1016/S0190-9622(94)70061-3), in which a reader judges by eye. What we changed:

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
from dataclasses import dataclass

import cv2
import numpy as np

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


@dataclass(frozen=True)
class MorphologyRow:
    """One line of the measurement table: what, how much with its unit, and what that means."""

    label: str
    value: str
    explanation: str


@dataclass(frozen=True)
class _Moments:
    """Centroid, axes and direction of a mask, from whole-number sums: exact under flips and turns."""

    x: float
    y: float
    major_px: float
    minor_px: float
    axis_rad: float  # NaN where all directions are alike


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
    moments = _compute_moments(lesion_mask)
    outline = _outline_pixels(lesion_mask)
    cut_share = _cut_share(outline, lesion_mask.shape)
    diameter_px = _feret_diameter(outline)
    area_px = int(lesion_mask.sum())
    has_shape = moments.minor_px >= MIN_WIDTH_PX and cut_share <= MAX_CUT_SHARE
    perimeter_px = _crofton_perimeter(lesion_mask) if has_shape else NAN
    asymmetry = _asymmetry(lesion_mask, moments) if has_shape else (NAN, NAN)
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
        diameter_mm=None if pixel_spacing_mm is None else diameter_px * pixel_spacing_mm,
        cut_share=cut_share,
        asymmetry_major=asymmetry[0],
        asymmetry_minor=asymmetry[1],
        perimeter_px=perimeter_px,
        compactness=perimeter_px**2 / (4 * math.pi * area_px),
        fractal_dimension=_fractal_dimension(outline) if has_shape else NAN,
        border_steps_delta_e=steps,
        abrupt_segments=sum(step >= ABRUPT_STEP_DELTA_E for step in steps) if measured else None,
        measured_segments=measured,
        colour_shares=colour_shares,
        colour_count=sum(share >= MIN_COLOUR_SHARE for _, share in colour_shares),
    )


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


# --- size and position


def _compute_moments(mask: np.ndarray) -> _Moments:
    ys, xs = np.nonzero(mask)
    n, sx, sy = len(xs), int(xs.sum()), int(ys.sum())
    # Python's whole numbers do not overflow, and n * sum(x^2) - (sum x)^2 has no rounding.
    xx = (n * int((xs * xs).sum()) - sx * sx) / n**2 + 1 / 12  # a pixel is a unit square
    yy = (n * int((ys * ys).sum()) - sy * sy) / n**2 + 1 / 12
    xy = (n * int((xs * ys).sum()) - sx * sy) / n**2
    split = math.hypot((xx - yy) / 2, xy)
    axis_rad = math.atan2(2 * xy, xx - yy) / 2 if split > 0 else NAN
    mean = (xx + yy) / 2
    return _Moments(
        sx / n, sy / n, 4 * math.sqrt(mean + split), 4 * math.sqrt(max(mean - split, 0)), axis_rad
    )


def _outline_pixels(mask: np.ndarray) -> np.ndarray:
    """(N, 2) int64 (x, y): lesion pixels with a 4-neighbour outside the lesion or the picture."""
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    ys, xs = np.nonzero(mask & ~inside)
    return np.stack([xs, ys], axis=1)


def _cut_share(outline: np.ndarray, shape: tuple[int, ...]) -> float:
    height, width = shape
    x, y = outline.T
    return float(np.mean((x == 0) | (y == 0) | (x == width - 1) | (y == height - 1)))


def _feret_diameter(outline: np.ndarray) -> float:
    """Largest distance between two edge midpoints of lesion pixels (one pixel: 1 px), in pixels."""
    halves = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    doubled = (2 * outline[:, None] + halves).reshape(-1, 2).astype(np.int32)
    hull = cv2.convexHull(doubled).reshape(-1, 2).astype(np.float64)
    squared = ((hull[:, None] - hull) ** 2).sum(axis=-1)
    return float(np.sqrt(squared.max()) / 2)


# --- A: asymmetry


def _asymmetry(mask: np.ndarray, moments: _Moments) -> tuple[float, float]:
    """Share of the area missed by the mirror image about the major and the minor axis.

    A shape whose moments have no direction (a square, a disc) is mirrored about the picture's axes.
    """
    axis = 0.0 if math.isnan(moments.axis_rad) else moments.axis_rad
    ys, xs = np.nonzero(mask)
    reach = math.ceil(np.hypot(xs - moments.x, ys - moments.y).max()) + 2
    x0, y0 = math.floor(moments.x), math.floor(moments.y)
    canvas = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    canvas[ys - y0 + reach, xs - x0 + reach] = 255
    centre = np.array([moments.x - x0 + reach, moments.y - y0 + reach])
    area = len(xs)
    shares = []
    for angle in (axis, axis + math.pi / 2):
        mirror = np.array(
            [[math.cos(2 * angle), math.sin(2 * angle)], [math.sin(2 * angle), -math.cos(2 * angle)]]
        )
        matrix = np.column_stack([mirror, centre - mirror @ centre])
        mirrored = cv2.warpAffine(canvas, matrix, canvas.shape, flags=cv2.INTER_LINEAR)
        overlap = np.count_nonzero((mirrored >= 128) & (canvas > 0))
        shares.append(float(1 - overlap / area))
    return shares[0], shares[1]


# --- B: border


def _crofton_perimeter(mask: np.ndarray) -> float:
    """Perimeter in pixels from crossings along rows, columns and both diagonals (Cauchy-Crofton).

    Unbiased for a disc, about 5 % short for an upright square, unchanged by flips and quarter-turns.
    """
    grid = np.pad(mask, 1)
    straight = np.count_nonzero(grid[:, 1:] != grid[:, :-1]) + np.count_nonzero(grid[1:] != grid[:-1])
    diagonal = np.count_nonzero(grid[1:, 1:] != grid[:-1, :-1])
    diagonal += np.count_nonzero(grid[1:, :-1] != grid[:-1, 1:])
    return float(math.pi / 8 * (straight + diagonal / math.sqrt(2)))


def _fractal_dimension(outline: np.ndarray) -> float:
    """Box-counting dimension: slope of log(boxes) against -log(side), sides 2, 4, ... up to extent / 4.

    Boxes are laid from each corner of the bounding box and averaged, so that a flip changes nothing.
    NaN below three sides.
    """
    low, high = outline.min(axis=0), outline.max(axis=0)
    extent = int((high - low).max()) + 1
    sides = [2**k for k in range(1, 12) if 2**k <= extent / 4]
    if len(sides) < 3:
        return NAN
    x = (outline[:, 0] - low[0], high[0] - outline[:, 0])
    y = (outline[:, 1] - low[1], high[1] - outline[:, 1])
    counts = [
        np.mean([len(np.unique((u // side) * (extent + 1) + v // side)) for u in x for v in y])
        for side in sides
    ]
    u, v = np.log(sides) - np.mean(np.log(sides)), np.log(counts)
    return float(-(u * v).sum() / (u * u).sum())


def _border_steps(image: np.ndarray, mask: np.ndarray, moments: _Moments) -> tuple[float, ...]:
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


# --- C: colour


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


# --- the table


def abcd_rows(morphology: Morphology) -> list[MorphologyRow]:
    """The measurements as table rows, in the order A, B, C, D; used by page, report and command line."""
    m = morphology
    at_least = "at least " if m.cut_share > 0 else ""
    cut_note = " The picture's edge cuts the lesion, so its true size is larger." if m.cut_share > 0 else ""
    millimetres = "no scale" if m.diameter_mm is None else f"{m.diameter_mm:.1f} mm"
    colours = ", ".join(m.colours_present) or "none"
    abrupt = (
        "not measurable" if m.abrupt_segments is None else f"{m.abrupt_segments} of {m.measured_segments}"
    )
    return [
        MorphologyRow(
            "A · Asymmetry about the long axis",
            _percent(m.asymmetry_major),
            "Share of the lesion that its mirror image about its long axis misses; 0 % is symmetric.",
        ),
        MorphologyRow(
            "A · Asymmetry about the short axis",
            _percent(m.asymmetry_minor),
            "The same about the short axis, at right angles to the long one.",
        ),
        MorphologyRow(
            "B · Abrupt border segments",
            abrupt,
            "Eighths of the outline where the colour ends with a sharp step instead of fading out.",
        ),
        MorphologyRow(
            "B · Compactness",
            _number(m.compactness),
            "Outline length against area: 1 for a circle, higher for an elongated or ragged outline.",
        ),
        MorphologyRow(
            "B · Fractal dimension",
            _number(m.fractal_dimension),
            "How much finer detail the outline shows on a closer look: about 1 when smooth.",
        ),
        MorphologyRow(
            "C · Colours",
            f"{m.colour_count} of {len(m.colour_shares)}: {colours}",
            f"Dermoscopic colours that fill at least {MIN_COLOUR_SHARE:.0%} of the lesion; lighting and "
            "white balance affect them.",
        ),
        MorphologyRow(
            "D · Largest diameter",
            f"{at_least}{m.diameter_px:.0f} px ({millimetres})",
            "Longest distance across the lesion; millimetres only where the picture's scale is known."
            + cut_note,
        ),
        MorphologyRow(
            "Long and short axis",
            f"{m.major_axis_px:.0f} × {m.minor_axis_px:.0f} px",
            "Axes of the ellipse that spreads as the lesion does.",
        ),
        MorphologyRow(
            "Area",
            f"{at_least}{m.area_px:,} px ({m.area_share:.1%} of the picture)",
            "Size of the outlined lesion.",
        ),
    ]


def _percent(share: float) -> str:
    return "not measurable" if math.isnan(share) else f"{share:.0%}"


def _number(value: float) -> str:
    return "not measurable" if math.isnan(value) else f"{value:.2f}"
