"""Colour profiles, greys, 16 bits and transparency: the right levels, within what rounding costs."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.images.reading import read_image
from tests.core.image_files import HEIGHT, WIDTH, encode, make_pixels
from tests.data_in.icc import (
    ADOBE_RGB,
    D50,
    DISPLAY_P3,
    PROPHOTO,
    SRGB,
    in_colours_of,
    make_grey_profile,
    make_profile,
)

SPACES = {
    "Display P3": (DISPLAY_P3, 0.0),
    "Adobe RGB": (ADOBE_RGB, 2.2),
    "ProPhoto": (PROPHOTO, 1.8, D50),
    "linear sRGB": (SRGB, 1.0),
    "sRGB with swapped channels": ((SRGB[1], SRGB[2], SRGB[0]), 0.0),
}
LITTLE_CMS_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def skin() -> np.ndarray:
    """Smooth colours of skin and lesion, none near black, where eight bits of linear light are coarse."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([150 + x // 2, 90 + y // 2, 80 + (x + y) // 4], axis=2).astype(np.uint8)


def codes(source) -> list[str]:
    return [finding.code for finding in read_image(source).findings]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("format_", ["PNG", "TIFF", "WEBP"])
def test_pictures_of_another_colour_space_come_out_in_srgb(space, format_):
    stored = in_colours_of(skin(), *SPACES[space])
    assert np.abs(stored.astype(int) - skin()).max() > 5  # without the profile the colours are wrong
    options = {"lossless": True} if format_ == "WEBP" else {}
    data = encode(stored, format_, icc_profile=make_profile(*SPACES[space]), **options)
    assert np.abs(read_image(data).pixels.astype(int) - skin()).max() <= 3


def test_a_profile_is_obeyed_in_jpeg_palette_and_cut_out():
    stored, profile = in_colours_of(skin(), DISPLAY_P3, 0.0), make_profile(DISPLAY_P3, 0.0)
    jpeg = read_image(encode(stored, "JPEG", quality=97, icc_profile=profile)).pixels
    assert np.abs(jpeg.astype(int) - skin()).mean() < 2
    opaque = np.dstack([stored, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    rgba = read_image(encode(opaque, "PNG", icc_profile=profile)).pixels
    assert np.abs(rgba.astype(int) - skin()).max() <= 3
    flat = Image.fromarray(np.broadcast_to(stored[:1, :1], (HEIGHT, WIDTH, 3)).copy()).convert("P", palette=1)
    palette = read_image(encode(flat, "PNG", icc_profile=profile)).pixels
    assert np.abs(palette.astype(int) - skin()[0, 0]).max() <= 3


@pytest.mark.parametrize(
    "profile", [LITTLE_CMS_SRGB, make_profile(SRGB, 0.0)], ids=["LittleCMS", "primaries"]
)
def test_an_srgb_profile_changes_no_bit(profile):
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_image(encode(noise, "PNG", icc_profile=profile)).pixels, noise)


@pytest.mark.parametrize(
    "profile",
    [b"no profile at all", make_profile(DISPLAY_P3, 0.0)[:150], make_grey_profile(1.0), bytes(500)],
    ids=["text", "cut short", "of grey", "zeros"],
)
def test_a_profile_that_cannot_be_used_means_srgb(profile):
    data = encode(make_pixels(), "PNG", icc_profile=profile)
    np.testing.assert_array_equal(read_image(data).pixels, make_pixels())


def test_a_grey_profile_is_obeyed():
    levels = np.tile(np.arange(WIDTH, dtype=np.uint8) + 100, (HEIGHT, 1))
    pixels = read_image(encode(levels, "PNG", icc_profile=make_grey_profile(1.0))).pixels
    light = levels / 255
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(pixels[..., 1] - expected).max() <= 2


def test_16_bit_colour_keeps_its_levels():
    import cv2  # Pillow writes no 16-bit RGB

    wide = make_pixels().astype(np.uint16) * 257
    data = cv2.imencode(".png", wide[..., ::-1])[1].tobytes()
    assert np.abs(read_image(data).pixels.astype(int) - make_pixels()).max() <= 1


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_a_picture_without_colour_is_said_to_be_so(mode):
    assert codes(encode(Image.fromarray(make_pixels()).convert(mode), "PNG")) == ["no_colour"]


def test_a_picture_with_little_colour_is_not_called_colourless():
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    pixels[::4, ::4, 0] += 1
    assert codes(encode(pixels, "PNG")) == []


def test_alpha_of_zero_everywhere_is_ignored_and_said():
    clear = np.dstack([make_pixels(), np.zeros((HEIGHT, WIDTH), np.uint8)])
    for source in (encode(clear, "PNG"), encode(clear, "TIFF"), clear):
        np.testing.assert_array_equal(read_image(source).pixels, make_pixels())
        assert codes(source) == ["transparent"]


@pytest.mark.parametrize(("rows", "said"), [(60, ["transparent"]), (20, [])])
def test_a_mostly_transparent_picture_is_said_to_be_so(rows, said):
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:rows] = 0
    data = encode(np.dstack([make_pixels(), alpha]), "PNG")
    assert codes(data) == said
    assert (read_image(data).pixels[:rows] == 255).all()
    np.testing.assert_array_equal(read_image(data).pixels[rows:], make_pixels()[rows:])
