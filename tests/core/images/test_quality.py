"""What quality findings are raised on, and what they leave alone."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.images.quality import QUALITY_THRESHOLDS, assess_quality

HEIGHT, WIDTH = 150, 200
SKIN, LESION = (205, 160, 150), (110, 65, 55)


def disc(centre_yx=(75, 100), radius_px=35.0, shape=(HEIGHT, WIDTH)) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (y - centre_yx[0]) ** 2 + (x - centre_yx[1]) ** 2 <= radius_px**2


def make_dermoscopy(mask: np.ndarray | None = None, grain: float = 6.0) -> np.ndarray:
    """Draw (H, W, 3) skin with a brown disc and fine and coarse texture, reproducibly."""
    mask = disc() if mask is None else mask
    rng = np.random.default_rng(0)
    texture = rng.normal(0, grain, mask.shape) + cv2.GaussianBlur(
        rng.normal(0, 8 * grain, mask.shape), (0, 0), 3
    )
    image = np.where(mask[..., None], LESION, SKIN) + texture[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


def codes(image: np.ndarray, lesion_mask: np.ndarray | None = None) -> set[str]:
    return {finding.code for finding in assess_quality(image, lesion_mask).findings}


def measures(image: np.ndarray, lesion_mask: np.ndarray | None = None) -> np.ndarray:
    report = assess_quality(image, lesion_mask)
    return np.array([value for name, value in vars(report).items() if name != "findings"], dtype=float)


def test_a_good_image_has_no_findings():
    report = assess_quality(make_dermoscopy(), disc())
    assert report.findings == () and not report.warned
    assert report.border_contact_share == 0
    assert report.dermoscopy_likeness > 0.95


def test_measures_of_a_known_image():
    # Left half black, right half white: nothing is skin, L* is 0 or 100, so its deviation is 50.
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:, 100:] = 255
    report = assess_quality(image)
    # The black half fills two corners: it counts as rim, and exposure is judged on the white half.
    assert report.dark_corner_share == 0.5 and report.white_share == 1 and report.mean_luminance == 1
    assert report.contrast == pytest.approx(50, abs=0.1)
    assert report.dermoscopy_likeness == 0 and report.border_contact_share is None


def test_the_colour_of_an_image_is_that_of_its_lit_pixels():
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:, 100:] = (255, 0, 0)  # CIE L*a*b* 53, 80, 67
    report = assess_quality(image)
    assert (report.redness, report.yellowness) == pytest.approx((80.1, 67.2), abs=0.3)
    assert np.isnan(assess_quality(np.zeros_like(image)).redness)


# --- invariance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("size", [(150, 200), (333, 517), (100, 90)])
def test_turning_and_mirroring_change_no_measure(quarter_turns, mirrored, size):
    mask = disc((0.3 * size[0], 0.1 * size[1]), 0.3 * size[0], size)
    image = make_dermoscopy(mask)
    image[-size[0] // 5 :, -size[1] // 4 :] = 250  # something lopsided and bright
    image[:20, -20:] = image[-20:, -20:] = 10  # two dark corners
    image[size[0] // 2 :, size[1] // 2 :][:12, :12] = 0  # black, in no corner

    def turn(array):
        array = np.rot90(array, quarter_turns)
        return np.ascontiguousarray(array[:, ::-1] if mirrored else array)

    expected = measures(image, mask)
    assert np.isfinite(expected).all() and (expected > 0).all()
    np.testing.assert_allclose(measures(turn(image), turn(mask)), expected, rtol=5e-3, atol=1e-4)


def test_a_larger_copy_measures_the_same():
    mask = disc((75, 25), 40)
    image = make_dermoscopy(mask)
    large = np.repeat(np.repeat(image, 4, axis=0), 4, axis=1)
    large_mask = np.repeat(np.repeat(mask, 4, axis=0), 4, axis=1)
    np.testing.assert_allclose(measures(large, large_mask)[:-1], measures(image, mask)[:-1], rtol=1e-6)
    assert assess_quality(large).shorter_side_px == 4 * HEIGHT


# --- each finding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma_px", [1.5, 2, 3, 5, 8])
def test_a_blur_is_recognised_however_strong(sigma_px):
    blurred = cv2.GaussianBlur(make_dermoscopy(), (0, 0), sigma_px)
    assert codes(blurred) == {"blurred"}


def test_low_contrast_is_not_mistaken_for_blur():
    image = make_dermoscopy()
    pale = np.rint(170 + 0.4 * (image.astype(float) - 170) * (1, 0.8, 0.8)).astype(np.uint8)
    pale[..., 1:] -= 25
    assert assess_quality(pale).contrast < assess_quality(image).contrast
    assert codes(pale) == set()


def test_sharpness_of_a_flat_image_is_undefined_and_no_finding():
    flat = np.full((HEIGHT, WIDTH, 3), SKIN, np.uint8)
    assert np.isnan(assess_quality(flat).sharpness)
    assert "blurred" not in codes(flat)


def test_dark_image_is_underexposed():
    for light in (0.25, 0.1, 0.0):
        dark = (make_dermoscopy() * light).astype(np.uint8)
        assert "underexposed" in codes(dark) and "dark_corners" not in codes(dark)


def test_dark_skin_is_not_called_underexposed():
    # Brown skin (L* about 40) with a darker lesion, evenly lit.
    image = make_dermoscopy().astype(float) * (0.6, 0.52, 0.48)
    assert codes(image.astype(np.uint8)) == set()


def test_washed_out_image_is_overexposed():
    washed = np.clip(make_dermoscopy().astype(int) + 95, 0, 255).astype(np.uint8)
    assert "overexposed" in codes(washed)


def test_small_white_spots_are_glare_and_their_share_is_measured():
    image = make_dermoscopy()
    image[20:120:20, 10:190:6] = image[21:121:20, 10:190:6] = (250, 250, 250)
    spots = (image == 250).all(axis=2).mean()
    report = assess_quality(image)
    assert report.glare_share == pytest.approx(spots, rel=0.05)
    assert "glare" in {finding.code for finding in report.findings}


def test_a_wide_pale_patch_is_not_glare():
    image = make_dermoscopy()
    image[:, 120:] = np.clip(image[:, 120:].astype(int) + 45, 0, 255)
    assert "glare" not in codes(image)


def test_a_dark_rim_is_a_note_and_its_share_is_measured():
    image = make_dermoscopy()
    rim = ~disc(radius_px=105)
    image[rim] = (12, 8, 10)
    report = assess_quality(image, disc())
    assert [(finding.code, finding.severity) for finding in report.findings] == [("dark_corners", "note")]
    assert report.dark_corner_share == pytest.approx(rim.mean()) and not report.warned
    # The rim is left out of the exposure.
    assert report.black_share == 0 and report.mean_luminance > 0.5


@pytest.mark.parametrize("corner_yx", [(0, 0), (0, 199), (149, 0), (149, 199)])
def test_a_black_lesion_in_a_corner_is_not_a_rim(corner_yx):
    mask = disc(corner_yx, 60)
    image = make_dermoscopy(mask)
    image[mask] = (35, 22, 20)
    assert mask.mean() > QUALITY_THRESHOLDS.max_dark_corner_share
    assert codes(image) == set()


def test_a_cut_off_lesion_is_reported_with_the_share_of_its_outline():
    # A 40 x 60 px box on the left edge: its outline has 2 * (40 + 60) - 4 = 196 px, 40 on the edge.
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[50:90, :60] = True
    report = assess_quality(make_dermoscopy(mask), mask)
    assert report.border_contact_share == pytest.approx(40 / 196)
    assert {finding.code for finding in report.findings} == {"lesion_touches_border"}
    assert "20%" in report.findings[0].message


def test_a_lesion_that_fills_the_image_touches_with_its_whole_outline():
    assert assess_quality(make_dermoscopy(), np.ones((HEIGHT, WIDTH), bool)).border_contact_share == 1


def test_without_a_lesion_border_contact_is_undefined():
    empty = assess_quality(make_dermoscopy(), np.zeros((HEIGHT, WIDTH), bool))
    assert empty.border_contact_share is None and empty.findings == ()


def test_a_thumbnail_has_low_resolution():
    thumbnail = cv2.resize(make_dermoscopy(), (160, 120), interpolation=cv2.INTER_AREA)
    assert "low_resolution" in codes(thumbnail)
    assert "low_resolution" not in codes(make_dermoscopy())


# --- dermoscopy or not ----------------------------------------------------------------------------


def draw_page(paper, ink) -> np.ndarray:
    """Draw a page of (pretend) text: broken strokes in lines."""
    rng = np.random.default_rng(3)
    image = np.full((450, 600, 3), paper, np.uint8)
    for top in range(20, 430, 14):
        strokes = rng.random((9, 560)) < 0.4
        image[top : top + 9, 20:580][strokes] = ink
    return image


def gradient(top, bottom, noise=0.0) -> np.ndarray:
    share = np.linspace(0, 1, 450)[:, None, None]
    image = (1 - share) * np.array(top) + share * np.array(bottom) + np.zeros((1, 600, 1))
    image = image + np.random.default_rng(4).normal(0, noise, (450, 600, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


def draw_screenshot() -> np.ndarray:
    image = np.full((450, 600, 3), 245, np.uint8)
    image[:40] = (35, 60, 110)
    image[40:, :120] = (228, 232, 238)
    for top in range(70, 430, 60):
        image[top : top + 40, 150:560] = 255
        image[top + 12 : top + 16, 165:400] = 70
        image[top + 10 : top + 30, 500:545] = (40, 120, 220)
    return image


def draw_lines() -> np.ndarray:
    image = np.full((450, 600, 3), 255, np.uint8)
    y, x = np.mgrid[:450, :600]
    for radius in (60, 120, 180):
        image[np.abs(np.hypot(y - 225, x - 300) - radius) < 1.5] = 0
    image[np.abs(y - 0.7 * x) < 1.5] = 0
    return image


def noise(channels: int) -> np.ndarray:
    values = np.random.default_rng(5).integers(0, 256, (450, 600, channels), dtype=np.uint8)
    return np.repeat(values, 3 // channels, axis=2)


NOT_DERMOSCOPY = {
    "document": draw_page((255, 255, 255), (20, 20, 20)),
    "yellowed document": draw_page((240, 230, 200), (60, 50, 40)),
    "dark-mode page": draw_page((30, 32, 36), (220, 220, 220)),
    "pink page": draw_page((235, 190, 185), (40, 20, 20)),
    "screenshot": draw_screenshot(),
    "line drawing": draw_lines(),
    "blue sky": gradient((70, 130, 210), (190, 215, 240), 2),
    "foliage": gradient((40, 90, 30), (110, 160, 60), 25),
    "colour noise": noise(3),
    "grey noise": noise(1),
    "black": np.zeros((450, 600, 3), np.uint8),
    "white": np.full((450, 600, 3), 255, np.uint8),
    "grey": np.full((450, 600, 3), 128, np.uint8),
    "plain skin colour": np.full((450, 600, 3), SKIN, np.uint8),
    "grey gradient": gradient((0, 0, 0), (255, 255, 255)),
    "greyscale dermoscopy": np.repeat(make_dermoscopy()[..., :1], 3, axis=2),
}


@pytest.mark.parametrize("name", NOT_DERMOSCOPY)
def test_what_is_not_dermoscopy_is_recognised(name):
    report = assess_quality(NOT_DERMOSCOPY[name])
    finding = report.findings[0]  # the most important comes first
    assert (finding.code, finding.severity) == ("not_dermoscopy", "warning")


@pytest.mark.parametrize("index", [0, 1])
def test_photographs_of_other_things_are_recognised(index):
    datasets = pytest.importorskip("sklearn.datasets", reason="two photographs come with scikit-learn")
    photograph = datasets.load_sample_images().images[index]
    assert photograph.shape == (427, 640, 3)
    assert "not_dermoscopy" in codes(photograph)


def test_dermoscopy_in_other_light_is_left_alone():
    for cast in ((1, 1, 1.15), (1, 0.95, 1), (0.9, 0.85, 0.7), (1.1, 1.05, 1.1)):
        image = np.clip(make_dermoscopy() * np.array(cast), 0, 255).astype(np.uint8)
        assert "not_dermoscopy" not in codes(image), cast


# --- contract -------------------------------------------------------------------------------------


def test_thresholds_can_be_replaced():
    strict = replace(QUALITY_THRESHOLDS, min_side_px=1000)
    findings = assess_quality(make_dermoscopy(), thresholds=strict).findings
    assert [finding.code for finding in findings] == ["low_resolution"]


def test_inputs_are_not_changed_and_may_be_read_only():
    image, mask = make_dermoscopy(), disc()
    image.flags.writeable = mask.flags.writeable = False
    assess_quality(image, mask)
    np.testing.assert_array_equal(image, make_dermoscopy())


@pytest.mark.parametrize(
    ("image", "mask", "named"),
    [
        (make_dermoscopy() / 255, None, "`image`"),
        (make_dermoscopy()[..., 0], None, "`image`"),
        (make_dermoscopy(), disc().astype(np.uint8), "`lesion_mask`"),
        (make_dermoscopy(), disc()[:-1], "`lesion_mask`"),
    ],
)
def test_wrong_arguments_are_named(image, mask, named):
    with pytest.raises(ValueError, match=named):
        assess_quality(image, mask)
