"""Phantoms: reproducible, with a mask that tells the truth about the picture."""

import cv2
import numpy as np
import pytest

from core.phantoms.artefacts import ARTEFACTS, smooth_noise
from core.phantoms.layers import TEXTURES, draw_contour, fill_contour, to_density
from core.phantoms.lesions import (
    LESION_COLOURS,
    SAMPLES,
    SKIN_TONES,
    Phantom,
    PhantomSpec,
    draw_phantom,
    draw_sample,
    random_spec,
)

SMALL = (120, 160)


def _random_phantoms(count: int) -> list[tuple[PhantomSpec, Phantom]]:
    rng = np.random.default_rng(20)
    specs = [random_spec(rng) for _ in range(count)]
    return [(spec, draw_phantom(seed, size_px=SMALL, spec=spec)) for seed, spec in enumerate(specs)]


# --- Reproducible


def test_same_seed_and_spec_give_the_same_pixels():
    spec = PhantomSpec(artefacts=tuple(ARTEFACTS))
    first, second = (draw_phantom(7, size_px=SMALL, spec=spec) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.lesion_mask, second.lesion_mask)


def test_other_seed_gives_another_picture_and_another_mask():
    first, second = draw_phantom(1, size_px=SMALL), draw_phantom(2, size_px=SMALL)
    assert (first.image != second.image).any()
    assert (first.lesion_mask != second.lesion_mask).any()


def test_random_spec_repeats_for_the_same_generator_state_and_varies_along_it():
    specs = [random_spec(np.random.default_rng(3)) for _ in range(2)]
    assert specs[0] == specs[1]
    rng = np.random.default_rng(3)
    assert len({random_spec(rng) for _ in range(20)}) == 20


# --- The mask


@pytest.mark.parametrize("size_px", [(450, 600), (600, 450), (150, 200), (97, 311), (16, 16)])
def test_image_and_mask_have_the_asked_size_and_types(size_px):
    phantom = draw_phantom(0, size_px=size_px)
    assert phantom.image.shape == (*size_px, 3) and phantom.image.dtype == np.uint8
    assert phantom.lesion_mask.shape == size_px and phantom.lesion_mask.dtype == bool
    assert phantom.lesion_mask.any() and not phantom.lesion_mask.all()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
def test_mask_area_is_that_of_a_disc_of_the_asked_radius(share):
    # pi * (share * 450)^2 pixels: 6362, 25447 and 57256.
    for seed in range(3):
        phantom = draw_phantom(seed, spec=PhantomSpec(lesion_radius_share=share))
        assert phantom.lesion_mask.sum() == pytest.approx(np.pi * (share * 450) ** 2, rel=0.03)


def test_mask_is_one_piece_without_holes_and_stays_off_the_frame():
    for _, phantom in _random_phantoms(12):
        mask = phantom.lesion_mask
        pieces, _ = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        holes, _ = cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)
        assert (pieces, holes) == (2, 2)  # background and one region, each
        frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert not frame.any()


def test_lesion_too_wide_for_the_frame_is_shrunk_to_fit():
    spec = PhantomSpec(lesion_radius_share=0.45, irregularity=1, asymmetry=1)
    for seed in range(5):
        mask = draw_phantom(seed, size_px=SMALL, spec=spec).lesion_mask
        assert not mask[[0, -1]].any() and not mask[:, [0, -1]].any()


def test_mean_colour_inside_differs_from_outside_for_random_phantoms():
    for spec, phantom in _random_phantoms(30):
        inside, outside = phantom.image[phantom.lesion_mask], phantom.image[~phantom.lesion_mask]
        contrast = np.linalg.norm(inside.mean(axis=0) - outside.mean(axis=0))
        # The black around a round field of view hides some of the contrast with the skin.
        assert contrast > (10 if "dark corners" in spec.artefacts else 25), spec


def test_colour_changes_across_the_border_of_the_mask_and_not_away_from_it():
    phantom = draw_phantom(4, spec=PhantomSpec(colours=("dark brown",), texture="structureless"))
    mask = phantom.lesion_mask.astype(np.uint8)
    green = phantom.image[..., 1].astype(float)

    def ring(inner_px: int, outer_px: int) -> float:
        """Mean green between two distances outside (positive) or inside (negative) of the border."""
        depth = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) - cv2.distanceTransform(mask, cv2.DIST_L2, 5)
        return float(green[(depth > inner_px) & (depth <= outer_px)].mean())

    assert ring(5, 15) - ring(-20, -10) > 30
    assert abs(ring(15, 25) - ring(5, 15)) < 8


def test_smooth_border_is_rounder_than_an_irregular_one():
    def roundness(irregularity: float) -> float:
        spec = PhantomSpec(irregularity=irregularity, asymmetry=0)
        mask = draw_phantom(5, spec=spec).lesion_mask.astype(np.uint8)
        (contour,), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return 4 * np.pi * cv2.contourArea(contour) / cv2.arcLength(contour, True) ** 2

    assert roundness(0.0) > roundness(0.4) > roundness(0.9)


def test_mask_ignores_colours_texture_skin_and_artefacts():
    plain = draw_phantom(6, size_px=SMALL)
    other = PhantomSpec("brown", colours=("black",), texture="globules", edge_px=2, artefacts=("hair", "ink"))
    np.testing.assert_array_equal(draw_phantom(6, size_px=SMALL, spec=other).lesion_mask, plain.lesion_mask)


def test_filled_contour_covers_a_known_square():
    # Corners at (2, 3) and (6, 8): x 2..6 and y 3..8, borders included: 5 * 6 pixels.
    square = np.array([[2, 3], [6, 3], [6, 8], [2, 8]], float)
    mask = fill_contour(square, (12, 10))
    assert mask.sum() == 30 and mask[3:9, 2:7].all()


def test_contour_encloses_the_asked_area_in_a_tall_frame():
    contour = draw_contour(
        np.random.default_rng(0), (400, 200), radius_share=0.2, irregularity=0.2, asymmetry=0.2
    )
    assert cv2.contourArea(contour.astype(np.float32)) == pytest.approx(np.pi * 40**2, rel=1e-3)


# --- Artefacts


@pytest.mark.parametrize("name", ARTEFACTS)
def test_artefact_changes_pixels_and_leaves_the_mask_untouched(name):
    plain = draw_phantom(8, size_px=SMALL)
    with_artefact = draw_phantom(8, size_px=SMALL, spec=PhantomSpec(artefacts=(name,)))
    changed = (plain.image != with_artefact.image).any(axis=2).mean()
    assert changed > 0.005
    np.testing.assert_array_equal(plain.lesion_mask, with_artefact.lesion_mask)


@pytest.mark.parametrize("name", ARTEFACTS)
@pytest.mark.parametrize("size_px", [(1, 1), (5, 5), (2, 40), (33, 7)])
def test_artefact_keeps_shape_and_type_of_tiny_images_and_their_input_as_it_is(name, size_px):
    image = np.full((*size_px, 3), 180, np.uint8)
    result = ARTEFACTS[name](image, np.random.default_rng(0))
    assert result.shape == image.shape and result.dtype == np.uint8
    assert (image == 180).all()


@pytest.mark.parametrize("name", ARTEFACTS)
def test_artefact_refuses_a_greyscale_or_float_image_and_says_what_came(name):
    for image in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"`image` must be \(H, W, 3\) uint8"):
            ARTEFACTS[name](image, np.random.default_rng(0))


def test_dark_corners_are_dark_and_the_middle_stays():
    white = np.full((90, 120, 3), 220, np.uint8)
    result = ARTEFACTS["dark corners"](white, np.random.default_rng(0))
    assert max(result[0, 0].max(), result[-1, -1].max(), result[0, -1].max(), result[-1, 0].max()) < 60
    assert result[45, 60].min() > 210


def test_hair_and_ruler_darken_and_bubbles_also_lighten():
    skin = np.full((225, 300, 3), 180, np.uint8)
    drawn = {name: ARTEFACTS[name](skin, np.random.default_rng(0)) for name in ARTEFACTS}
    assert drawn["hair"].max() <= 180 and drawn["hair"].min() < 110
    assert drawn["ruler"].max() <= 180 and drawn["ruler"].min() < 90
    assert drawn["gel bubbles"].max() > 220 and drawn["gel bubbles"].min() < 150


def test_smooth_noise_has_mean_zero_and_deviation_one_and_is_smooth():
    noise = smooth_noise(np.random.default_rng(0), (100, 130), 12)
    assert noise.shape == (100, 130)
    assert noise.mean() == pytest.approx(0, abs=1e-5) and noise.std() == pytest.approx(1, abs=1e-4)
    assert np.abs(np.diff(noise, axis=1)).max() < 0.8


# --- Specs and samples


@pytest.mark.parametrize("tone", SKIN_TONES)
def test_skin_has_the_asked_tone(tone):
    phantom = draw_phantom(9, size_px=SMALL, spec=PhantomSpec(skin_tone=tone, colours=("black",)))
    far = cv2.dilate(phantom.lesion_mask.astype(np.uint8), np.ones((25, 25), np.uint8)) == 0
    assert np.abs(phantom.image[far].mean(axis=0) - SKIN_TONES[tone]).max() < 25


@pytest.mark.parametrize("texture", TEXTURES)
def test_every_texture_draws_another_lesion_on_the_same_skin(texture):
    drawn = draw_phantom(9, size_px=SMALL, spec=PhantomSpec(texture=texture))
    other = draw_phantom(9, size_px=SMALL, spec=PhantomSpec(texture=TEXTURES[TEXTURES.index(texture) - 1]))
    differs = (drawn.image != other.image).any(axis=2)
    assert differs[drawn.lesion_mask].mean() > 0.5
    assert not differs[[0, -1]].any()


def test_lesion_colour_sets_the_colour_of_the_lesion():
    drawn = {c: draw_phantom(9, size_px=SMALL, spec=PhantomSpec(colours=(c,))) for c in LESION_COLOURS}
    mean = {c: phantom.image[phantom.lesion_mask].mean(axis=0) for c, phantom in drawn.items()}
    brightness = [mean[c].mean() for c in ("black", "dark brown", "light brown", "white")]
    assert brightness == sorted(brightness)
    redness = {c: rgb[0] - rgb[1:].mean() for c, rgb in mean.items()}
    assert max(redness, key=redness.get) == "red"


def test_density_of_half_the_light_is_the_natural_logarithm_of_two():
    assert to_density((255, 255, 255)).tolist() == [0, 0, 0]
    assert to_density((127.5, 255, 0))[0] == pytest.approx(np.log(2))
    assert np.isfinite(to_density((0, 0, 0))).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"skin_tone": "green"},
        {"colours": ("gold",)},
        {"colours": ()},
        {"texture": "stripes"},
        {"artefacts": ("glare",)},
        {"lesion_radius_share": 0.6},
        {"irregularity": -0.1},
        {"asymmetry": float("nan")},
        {"edge_px": 0.0},
    ],
)
def test_spec_refuses_what_cannot_be_drawn_and_names_the_field(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}`"):
        PhantomSpec(**wrong)


def test_too_small_a_size_is_refused():
    with pytest.raises(ValueError, match="`size_px`"):
        draw_phantom(0, size_px=(15, 200))


def test_six_samples_are_distinct_in_name_and_picture():
    phantoms = [draw_sample(sample.name, size_px=SMALL) for sample in SAMPLES]
    assert len(phantoms) == 6
    assert [phantom.name for phantom in phantoms] == [sample.name for sample in SAMPLES]
    assert len({phantom.name for phantom in phantoms}) == 6
    assert len({phantom.image.tobytes() for phantom in phantoms}) == 6
    assert len({phantom.lesion_mask.tobytes() for phantom in phantoms}) == 6


def test_every_phantom_is_described_as_drawn_and_not_a_patient():
    phantoms = [draw_sample(sample.name, size_px=SMALL) for sample in SAMPLES]
    for phantom in [*phantoms, draw_phantom(0, size_px=SMALL)]:
        assert "Drawn" in phantom.description and "not a patient" in phantom.description


def test_samples_keep_their_lesion_in_place_at_any_size():
    for sample in SAMPLES:
        large, small = (
            draw_sample(sample.name, size_px=size).lesion_mask for size in ((450, 600), (150, 200))
        )
        shrunk = cv2.resize(large.astype(np.float32), (200, 150), interpolation=cv2.INTER_AREA) > 0.5
        assert 2 * (shrunk & small).sum() / (shrunk.sum() + small.sum()) > 0.96


def test_unknown_sample_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="Under hair"):
        draw_sample("Over hair")
