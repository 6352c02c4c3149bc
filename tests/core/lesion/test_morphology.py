"""Morphology on shapes of known answer: discs, ellipses, rectangles, triangles and edge cases."""

import math
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from core.lesion.morphology import REFERENCE_COLOURS_LAB, measure_lesion
from core.lesion.morphology_table import abcd_rows

SKIN = (220, 180, 170)
PIGMENT = (90, 55, 40)


def _disc(height: int, width: int, cx: float, cy: float, radius: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (x - cx) ** 2 + (y - cy) ** 2 <= radius**2


def _ellipse(height: int, width: int, a: float, b: float, degrees: float) -> np.ndarray:
    """Half axes a and b about the picture's middle, the a axis `degrees` from +x towards +y."""
    y, x = np.mgrid[:height, :width]
    x, y = x - (width - 1) / 2, y - (height - 1) / 2
    t = math.radians(degrees)
    u, v = x * math.cos(t) + y * math.sin(t), -x * math.sin(t) + y * math.cos(t)
    return (u / a) ** 2 + (v / b) ** 2 <= 1


def _paint(mask: np.ndarray, lesion=PIGMENT, skin=SKIN) -> np.ndarray:
    return np.where(mask[..., None], np.uint8(lesion), np.uint8(skin))


def _measure(mask: np.ndarray, **kwargs):
    return measure_lesion(_paint(mask), mask, **kwargs)


def _irregular(height: int = 150, width: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """A lopsided blob on an image of smooth random colours."""
    mask = _ellipse(height, width, 50, 30, 20) | _disc(height, width, 130, 50, 18)
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.normal(size=(height, width, 3)).astype(np.float32), (0, 0), 10)
    image = _paint(mask) + 25 * noise / noise.std()
    return np.clip(image, 0, 255).astype(np.uint8), mask


def _symmetry(array: np.ndarray, k: int) -> np.ndarray:
    turned = np.rot90(array, k % 4)
    return np.ascontiguousarray(turned[:, ::-1] if k >= 4 else turned)


def test_empty_mask_has_no_morphology():
    assert _measure(np.zeros((20, 30), bool)) is None


def test_disc_has_the_measures_of_a_circle():
    m = _measure(_disc(200, 300, 140, 90, 60))
    assert m.area_px == pytest.approx(math.pi * 60**2, rel=0.01)
    assert m.area_share == m.area_px / 60_000
    assert (m.centroid_x_px, m.centroid_y_px) == (140, 90)
    assert m.diameter_px == pytest.approx(121, abs=1)  # 121 pixels along the axis
    assert m.major_axis_px == pytest.approx(120, rel=0.01) and m.minor_axis_px == pytest.approx(120, rel=0.01)
    assert m.perimeter_px == pytest.approx(2 * math.pi * 60, rel=0.02)
    assert m.compactness == pytest.approx(1, abs=0.03)
    assert m.asymmetry_major < 0.01 and m.asymmetry_minor < 0.01
    assert m.fractal_dimension == pytest.approx(1, abs=0.1)
    assert math.isnan(m.principal_axis_deg)  # all directions alike
    assert m.cut_share == 0


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135])
def test_ellipse_axes_direction_and_symmetry(degrees):
    m = _measure(_ellipse(220, 260, 80, 40, degrees))
    assert m.major_axis_px == pytest.approx(160, rel=0.01)
    assert m.minor_axis_px == pytest.approx(80, rel=0.01)
    assert abs((m.principal_axis_deg - degrees + 90) % 180 - 90) < 0.5
    assert m.asymmetry_major < 0.02 and m.asymmetry_minor < 0.02
    assert m.diameter_px == pytest.approx(160, abs=2)
    # Ramanujan's second perimeter formula with h = ((a - b) / (a + b))^2.
    h = (40 / 120) ** 2
    perimeter = math.pi * 120 * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))
    assert m.perimeter_px == pytest.approx(perimeter, rel=0.03)


def test_rectangle_axes_and_perimeter():
    mask = np.zeros((100, 160), bool)
    mask[30:60, 40:120] = True  # 30 rows, 80 columns
    m = _measure(mask)
    # A uniform side of s has variance s^2 / 12, and the axis is 4 standard deviations.
    assert m.major_axis_px == pytest.approx(4 * 80 / math.sqrt(12))
    assert m.minor_axis_px == pytest.approx(4 * 30 / math.sqrt(12))
    assert (m.centroid_x_px, m.centroid_y_px) == (79.5, 44.5)
    assert m.principal_axis_deg == 0
    assert m.asymmetry_major == 0 and m.asymmetry_minor == 0
    # Two crossings on each of 30 rows, 80 columns and 30 + 80 - 1 lines along either diagonal.
    crossings = 2 * 30 + 2 * 80 + 2 * 2 * (30 + 80 - 1) / math.sqrt(2)
    assert m.perimeter_px == pytest.approx(math.pi / 8 * crossings)


def test_isosceles_triangle_is_symmetric_about_one_axis_only():
    # Height 90 along x, base 60: rows are mirror images about y = 75, columns are not.
    y, x = np.mgrid[:150, :200]
    mask = (x >= 50) & (x < 140) & (np.abs(y - 75) <= (x - 50) / 3)
    m = _measure(mask)
    assert m.asymmetry_major < 0.01
    # Let t in [0, 1] run from tip to base, with density 2t and the centroid at t = 2/3; the mirror image
    # of t is 4/3 - t. Missed are t < 1/3, where the mirror image ends: integral of 2t = 1/9; and on
    # [2/3, 1] the excess: integral of 2t - 2(4/3 - t) = 2/9. Together 1/3.
    assert m.asymmetry_minor == pytest.approx(1 / 3, abs=0.02)


def test_sawtooth_border_raises_compactness_and_fractal_dimension():
    y, x = np.mgrid[:300, :300] - 149.5
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    smooth = _measure(radius <= 90)
    ragged = _measure(radius <= 90 + 18 * np.sin(24 * angle))
    assert ragged.compactness > 1.5 * smooth.compactness
    assert ragged.fractal_dimension > smooth.fractal_dimension + 0.05


def test_millimetres_only_with_a_known_scale():
    mask = _disc(100, 100, 50, 50, 30)
    assert _measure(mask).diameter_mm is None
    m = _measure(mask, pixel_spacing_mm=0.02)
    assert m.diameter_mm == pytest.approx(0.02 * m.diameter_px)
    texts = [row.value for row in abcd_rows(_measure(mask))]
    assert any("no scale" in text for text in texts) and not any("mm" in text for text in texts)


def test_every_measure_is_the_same_in_all_eight_symmetries():
    image, mask = _irregular()
    m = measure_lesion(image, mask)
    for k in range(1, 8):
        moved = measure_lesion(_symmetry(image, k), _symmetry(mask, k))
        for name in ("area_px", "cut_share", "colour_count", "abrupt_segments", "measured_segments"):
            assert getattr(moved, name) == getattr(m, name), name
        for name in ("major_axis_px", "minor_axis_px", "diameter_px", "perimeter_px", "fractal_dimension"):
            assert getattr(moved, name) == pytest.approx(getattr(m, name)), name
        assert moved.asymmetry_major == pytest.approx(m.asymmetry_major, abs=0.005)
        assert moved.asymmetry_minor == pytest.approx(m.asymmetry_minor, abs=0.005)
        assert dict(moved.colour_shares) == pytest.approx(dict(m.colour_shares))
        np.testing.assert_allclose(
            sorted(moved.border_steps_delta_e), sorted(m.border_steps_delta_e), rtol=0.02
        )


def test_sharp_border_is_abrupt_and_faded_border_is_not():
    mask = _disc(200, 200, 100, 100, 60)
    sharp = _measure(mask)
    assert sharp.abrupt_segments == 8 and sharp.measured_segments == 8
    y, x = np.mgrid[:200, :200]
    weight = 1 / (1 + np.exp((np.hypot(x - 100, y - 100) - 60) / 25))[..., None]
    faded = (weight * np.array(PIGMENT) + (1 - weight) * np.array(SKIN)).astype(np.uint8)
    assert measure_lesion(faded, mask).abrupt_segments == 0


def test_border_step_is_the_colour_difference_of_the_two_sides():
    m = _measure(_disc(200, 200, 100, 100, 60))
    pair = np.array([[PIGMENT, SKIN]], np.uint8).astype(np.float32) / 255
    lab = cv2.cvtColor(pair, cv2.COLOR_RGB2LAB)[0]
    assert m.border_steps_delta_e == pytest.approx([np.linalg.norm(lab[0] - lab[1])] * 8, rel=1e-3)


def test_half_sharp_border_counts_half_the_segments():
    # The right half of the surround has the lesion's own colour.
    mask = _ellipse(200, 240, 80, 50, 0)
    image = _paint(mask)
    image[:, 120:] = PIGMENT
    assert measure_lesion(image, mask).abrupt_segments == 4


@pytest.mark.parametrize("name", list(REFERENCE_COLOURS_LAB))
def test_each_reference_colour_is_recognised(name):
    lab = np.array(REFERENCE_COLOURS_LAB[name], np.float32).reshape(1, 1, 3)
    rgb = np.rint(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255).astype(np.uint8)[0, 0]
    mask = _disc(60, 60, 30, 30, 20)
    m = measure_lesion(_paint(mask, lesion=tuple(rgb)), mask)
    assert m.colours_present == (name,) and m.colour_count == 1
    assert dict(m.colour_shares)[name] == 1


def test_colour_below_the_minimum_share_is_not_counted():
    mask = np.zeros((40, 60), bool)
    mask[10:30, 10:60] = True  # 1000 pixels
    image = _paint(mask, lesion=(30, 28, 27))
    image[10:12, 10:30] = (240, 225, 228)  # 40 white pixels: 4 %
    m = measure_lesion(image, mask)
    assert dict(m.colour_shares)["white"] == pytest.approx(0.04) and m.colour_count == 1
    image[12, 10:20] = (240, 225, 228)  # 50 white pixels: 5 %, the minimum
    assert measure_lesion(image, mask).colours_present == ("white", "black")
    assert sum(share for _, share in m.colour_shares) == pytest.approx(1)


@pytest.mark.parametrize("shape", ["pixel", "row", "column", "diagonal"])
def test_shapes_without_an_inside_have_no_shape_measures(shape):
    mask = np.zeros((60, 80), bool)
    if shape == "pixel":
        mask[30, 40] = True
    elif shape == "row":
        mask[30, 20:60] = True
    elif shape == "column":
        mask[20:50, 40] = True
    else:
        mask[np.arange(10, 40), np.arange(10, 40)] = True
    m = _measure(mask)
    for value in (m.asymmetry_major, m.asymmetry_minor, m.perimeter_px, m.compactness, m.fractal_dimension):
        assert math.isnan(value)
    assert m.abrupt_segments is None and m.measured_segments == 0
    assert m.area_px == mask.sum() and m.colour_count == 1
    expected = {"pixel": 1, "row": 40, "column": 30, "diagonal": 29 * math.sqrt(2)}[shape]
    assert m.diameter_px == pytest.approx(expected, abs=1)
    assert [row.value for row in abcd_rows(m)].count("not measurable") == 5


def test_whole_image_mask_has_size_but_no_shape():
    m = _measure(np.ones((60, 80), bool))
    assert m.area_share == 1 and m.cut_share == 1
    assert math.isnan(m.asymmetry_major) and math.isnan(m.compactness) and math.isnan(m.fractal_dimension)
    assert m.abrupt_segments is None and len(m.border_steps_delta_e) == 8
    assert any(row.value.startswith("at least") for row in abcd_rows(m))


def test_lesion_cut_by_the_edge_leaves_the_hidden_octants_out():
    # Half a disc on the left edge: nearly half of its outline is the picture's.
    m = _measure(_disc(200, 200, 0, 100, 60))
    assert m.cut_share > 0.1 and math.isnan(m.compactness)
    assert 0 < m.measured_segments < 8
    assert m.abrupt_segments == m.measured_segments
    assert f"{m.abrupt_segments} of {m.measured_segments}" in [row.value for row in abcd_rows(m)]


def test_lesion_touching_the_edge_in_a_few_pixels_keeps_its_shape():
    m = _measure(_disc(200, 200, 60, 100, 60))  # its leftmost pixels lie in column 0
    assert 0 < m.cut_share <= 0.1
    assert m.compactness == pytest.approx(1, abs=0.03) and m.measured_segments == 8


def test_rows_name_every_letter_and_explain_themselves():
    image, mask = _irregular()
    rows = abcd_rows(measure_lesion(image, mask))
    assert {row.label[0] for row in rows if " · " in row.label} == set("ABCD")
    assert len({row.label for row in rows}) == len(rows)
    assert all(row.value and row.explanation.endswith(".") for row in rows)
    assert not any("nan" in row.value for row in rows)


def test_rows_give_the_range_over_plausible_outlines_and_the_drawn_value_beside_it():
    tight, drawn, wide = (
        replace(_measure(_disc(200, 200, 100, 100, radius)), diameter_mm=2 * radius * 0.02)
        for radius in (30, 40, 50)
    )
    [row] = [row for row in abcd_rows(drawn, (drawn, tight, wide)) if "diameter" in row.label]
    assert row.value == "61\u2013101 px (1.2\u20132.0 mm)" and "gives 81 px" in row.explanation
    [single] = [row for row in abcd_rows(drawn) if "diameter" in row.label]
    assert single.value == "81 px (1.6 mm)"


def test_morphology_holds_plain_numbers_only():
    image, mask = _irregular()
    m = measure_lesion(image, mask)
    for field in fields(m):
        assert not isinstance(getattr(m, field.name), (np.ndarray, np.generic)), field.name


@pytest.mark.parametrize(
    ("image", "mask", "spacing", "message"),
    [
        (np.zeros((4, 4), np.uint8), np.ones((4, 4), bool), None, "`image`"),
        (np.zeros((4, 4, 3), np.float32), np.ones((4, 4), bool), None, "`image`"),
        (np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.uint8), None, "`lesion_mask`"),
        (np.zeros((4, 4, 3), np.uint8), np.ones((4, 5), bool), None, "`lesion_mask`"),
        (np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), bool), 0.0, "`pixel_spacing_mm`"),
        (np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), bool), math.nan, "`pixel_spacing_mm`"),
    ],
)
def test_bad_arguments_are_refused(image, mask, spacing, message):
    with pytest.raises(ValueError, match=message):
        measure_lesion(image, mask, spacing)
