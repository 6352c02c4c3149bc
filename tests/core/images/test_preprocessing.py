"""Geometry on tiny arrays with known answers; filters on drawn skin."""

import cv2
import numpy as np
import pytest

from core.images import preprocessing
from core.images.preprocessing import (
    Box,
    PreprocessingSettings,
    box_to_square,
    crop_square,
    enhance_edges,
    equalise_colour,
    lesion_box,
    limit_long_side,
    preprocess,
    remove_hair,
    resize_mask,
)
from core.images.symmetry import N_SYMMETRIES, apply_symmetry
from core.phantoms.artefacts import add_hair


def _smooth_image(height: int, width: int) -> np.ndarray:
    """(H, W, 3) uint8, different in every corner and channel, without fine structure."""
    y, x = np.mgrid[:height, :width]
    y, x = y / height, x / width
    channels = (60 + 130 * x, 200 - 120 * y, 90 + 60 * x * y + 50 * np.sin(5 * x))
    return np.stack(channels, axis=-1).astype(np.uint8)


# --- geometry


def test_limit_long_side_shrinks_and_keeps_the_aspect():
    assert limit_long_side(np.zeros((450, 600, 3), np.uint8), 200).shape == (150, 200, 3)
    assert limit_long_side(np.zeros((600, 450), np.uint8), 200).shape == (200, 150)


def test_limit_long_side_never_enlarges():
    image = np.zeros((30, 40, 3), np.uint8)
    assert limit_long_side(image, 40) is image
    assert limit_long_side(image, 500) is image


def test_limit_long_side_averages_areas():
    # Columns 0, 100, 0, 100: a pixel of the half-size image covers one of each, so its mean is 50.
    stripes = np.tile(np.array([0, 100], np.uint8), (4, 2))
    np.testing.assert_array_equal(limit_long_side(stripes, 2), np.full((2, 2), 50))


def test_limit_long_side_of_a_thin_strip_keeps_one_pixel():
    assert limit_long_side(np.zeros((2, 1000), np.uint8), 100).shape == (1, 100)


def test_box_knows_its_size_and_scales_each_axis():
    box = Box(1.0, 2.0, 4.0, 8.0)
    assert (box.width_px, box.height_px) == (3.0, 6.0)
    assert box.scaled(2.0, 0.5) == Box(2.0, 1.0, 8.0, 4.0)
    assert Box.whole(np.zeros((30, 40, 3))) == Box(0.0, 0.0, 40.0, 30.0)


def test_lesion_box_is_a_square_centred_on_the_lesion():
    mask = np.zeros((50, 80), bool)
    mask[10:20, 30:60] = True  # 30 wide, 10 high, its middle at (45, 15)
    # Half the longer side is 15; a margin of 0.3 adds 9 on each side: 24 either way.
    assert lesion_box(mask, margin=0.3) == Box(45 - 24, 15 - 24, 45 + 24, 15 + 24)


def test_lesion_box_of_one_pixel_is_that_pixel():
    mask = np.zeros((5, 5), bool)
    mask[3, 1] = True
    assert lesion_box(mask, margin=0.0) == Box(1.0, 3.0, 2.0, 4.0)


def test_lesion_box_without_a_lesion_is_the_whole_image():
    assert lesion_box(np.zeros((30, 40), bool), margin=0.3) == Box(0.0, 0.0, 40.0, 30.0)


def test_square_of_the_same_size_is_read_without_resampling():
    image = np.random.default_rng(0).integers(0, 256, (17, 17, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop_square(image, Box.whole(image), 17), image)


def test_box_to_square_maps_corner_pixels_to_the_box():
    # Eight pixels over a box of 4 from x0 = 10: pixel centre -0.5 lies on 10 and 7.5 on 14, minus one
    # half each for the image's own pixel centres.
    matrix = box_to_square(Box(10.0, 0.0, 14.0, 4.0), 8)
    np.testing.assert_allclose(matrix @ [-0.5, -0.5, 1], [9.5, -0.5, 1])
    np.testing.assert_allclose(matrix @ [7.5, 7.5, 1], [13.5, 3.5, 1])


def test_beyond_the_edge_the_image_is_mirrored():
    image = np.tile(np.array([10, 20, 30, 40], np.uint8), (4, 1))
    # Columns -2 and -1 mirror about column 0, which is not repeated: 30, 20, then 10, 20.
    np.testing.assert_array_equal(crop_square(image, Box(-2, 0, 2, 4), 4)[0], [30, 20, 10, 20])


def test_fine_structure_does_not_alias_in_a_much_smaller_square():
    # Stripes of 1 px, five to a pixel: a point sample hits 0 or 200, the area holds 2 or 3 of 5 white ones.
    stripes = np.tile(np.array([0, 200], np.uint8), (120, 60))
    assert np.abs(crop_square(stripes, Box.whole(stripes), 24).astype(int) - 100).max() <= 20


@pytest.mark.parametrize("size_px", [16, 64, 96], ids=["shrunk", "about the same", "enlarged"])
@pytest.mark.parametrize("view", range(N_SYMMETRIES))
def test_cropping_commutes_with_the_eight_symmetries(view, size_px):
    image = _smooth_image(60, 90)
    mask = np.zeros((60, 90), bool)
    mask[12:41, 20:63] = True
    expected = apply_symmetry(crop_square(image, lesion_box(mask, 0.3), size_px), view)
    turned, turned_mask = (np.ascontiguousarray(apply_symmetry(a, view)) for a in (image, mask))
    found = crop_square(turned, lesion_box(turned_mask, 0.3), size_px)
    assert np.abs(found.astype(int) - expected).max() <= 2  # OpenCV interpolates in steps of 1/32 px


def test_a_resized_pixel_is_lesion_if_most_of_its_area_is():
    # Four blocks of 2 x 2 with 3, 2, 1 and 4 lesion pixels: half is not most.
    mask = np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 0, 1, 1], [0, 0, 1, 1]], bool)
    np.testing.assert_array_equal(resize_mask(mask, (2, 2)), [[True, False], [False, True]])
    assert resize_mask(mask, (4, 4)) is mask


# --- filters


def _skin(height: int = 150, width: int = 200) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 2, (height, width, 3))
    return np.clip(np.array([212, 164, 172]) + noise, 0, 255).astype(np.uint8)


def test_drawn_hairs_are_painted_over_with_skin():
    skin = _skin()
    hairy = skin.copy()
    cv2.line(hairy, (10, 20), (190, 130), (60, 40, 35), 2, cv2.LINE_AA)
    cv2.line(hairy, (40, 140), (150, 5), (60, 40, 35), 2, cv2.LINE_AA)
    on_hair = np.abs(hairy.astype(int) - skin).max(axis=-1) > 60
    assert on_hair.sum() > 500
    cleaned = remove_hair(hairy).astype(int)
    assert np.abs(cleaned - skin)[on_hair].mean() < 10  # the hair itself was over 60 off
    assert np.abs(cleaned - skin)[on_hair].max() < 60


def test_hairs_of_a_phantom_are_mostly_removed(phantom):
    hairy = add_hair(phantom.image, np.random.default_rng(3))
    before = np.abs(hairy.astype(int) - phantom.image).mean()
    after = np.abs(remove_hair(hairy).astype(int) - phantom.image).mean()
    assert after < 0.6 * before


@pytest.mark.parametrize("number", range(1, N_SYMMETRIES))
def test_hairs_of_a_turned_image_are_removed_alike(phantom, number):
    hairy = add_hair(phantom.image, np.random.default_rng(3))
    turned = np.ascontiguousarray(apply_symmetry(hairy, number))
    difference = remove_hair(turned).astype(int) - apply_symmetry(remove_hair(hairy), number)
    assert np.abs(difference).max() <= 1 and (difference != 0).mean() < 1e-4  # rounding alone


def test_hair_wherever_one_looks_is_not_painted_black():
    hairy = _skin()
    for column in range(2, 200, 5):
        cv2.line(hairy, (column, 0), (column, 149), (60, 40, 35), 2)
    assert remove_hair(hairy).min() >= hairy.min()


def test_skin_without_hair_is_left_alone():
    skin = _skin()
    assert remove_hair(skin) is skin


def test_a_round_mole_is_no_hair():
    image = _skin()
    cv2.circle(image, (100, 75), 30, (110, 64, 54), -1, cv2.LINE_AA)
    np.testing.assert_array_equal(remove_hair(image)[60:90, 85:115], image[60:90, 85:115])


def test_a_colour_cast_is_removed():
    grey = np.linspace(40, 200, 50 * 50).reshape(50, 50, 1)
    cast = (grey * [1.2, 1.0, 0.7]).astype(np.uint8)
    balanced = equalise_colour(cast).astype(int)
    assert np.abs(balanced[..., 0] - balanced[..., 1]).max() <= 2
    assert np.abs(balanced[..., 2] - balanced[..., 1]).max() <= 2
    assert balanced.mean() == pytest.approx(cast.mean(), rel=0.05)


def test_balanced_colours_stay():
    grey = np.repeat(_smooth_image(20, 30)[..., :1], 3, axis=2)
    np.testing.assert_array_equal(equalise_colour(grey), grey)


def test_a_black_channel_cannot_be_balanced():
    image = np.full((4, 4, 3), (90, 80, 0), np.uint8)
    assert equalise_colour(image) is image


def test_edges_are_enhanced_and_flat_areas_stay():
    step = np.full((40, 40, 3), 100, np.uint8)
    step[:, 20:] = 150
    sharpened = enhance_edges(step, amount=1.0).astype(int)
    assert sharpened[20, 19].mean() <= 95 and sharpened[20, 20].mean() >= 155  # over- and undershoot
    assert np.abs(sharpened[:, :10] - 100).max() <= 1 and np.abs(sharpened[:, 30:] - 150).max() <= 1
    assert (step[:, 20:] == 150).all()  # the input is not changed


# --- the chain


def test_all_filters_off_returns_the_image_itself():
    image = _skin()
    assert preprocess(image, PreprocessingSettings()) is image


@pytest.mark.parametrize("hair", [False, True])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("edges", [False, True])
def test_switches_choose_the_filters_and_the_order_is_hair_colour_edges(monkeypatch, hair, colour, edges):
    called = []
    switches = {"remove_hair": hair, "equalise_colour": colour, "enhance_edges": edges}
    for name in switches:
        monkeypatch.setattr(preprocessing, name, lambda image, name=name: called.append(name) or image)
    preprocess(_skin(), PreprocessingSettings(hair, colour, edges))
    assert called == [name for name, on in switches.items() if on]
