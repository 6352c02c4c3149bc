"""Expert masks as tools write them: one drawn lesion, the same mask out of every encoding."""

import numpy as np
import pytest
from PIL import Image

from core.images.errors import ImageError
from core.images.masks import read_lesion_mask
from tests.core.image_files import encode

HEIGHT, WIDTH = 72, 96
_Y, _X = np.mgrid[:HEIGHT, :WIDTH]
LESION = ((_X - 40) / 22) ** 2 + ((_Y - 34) / 15) ** 2 <= 1  # clear of every edge, off centre
PAINT = np.array([173, 91, 60], np.uint8)


def grey(background: int, lesion: int, dtype: type = np.uint8) -> np.ndarray:
    return np.where(LESION, lesion, background).astype(dtype)


def coloured(background: tuple, lesion: tuple) -> np.ndarray:
    return np.where(LESION[..., None], lesion, background).astype(np.uint8)


def palette(colours: list[int], numbers: np.ndarray | None = None) -> Image.Image:
    image = Image.fromarray(grey(0, 1) if numbers is None else numbers).convert("L")
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(colours)
    return image


def with_alpha(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.dstack([colours, alpha.astype(np.uint8)])


NOISE = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
LOSSLESS = {
    "0 and 255": (grey(0, 255), "PNG", {}),
    "0 and 1": (grey(0, 1), "PNG", {}),
    "0 and 127": (grey(0, 127), "PNG", {}),
    "0 and 128": (grey(0, 128), "PNG", {}),
    "labels 1 and 2": (grey(1, 2), "PNG", {}),
    "100 and 200": (grey(100, 200), "PNG", {}),
    "one bit": (Image.fromarray(LESION), "PNG", {}),
    "16 bits, 0 and 1": (grey(0, 1, np.uint16), "PNG", {}),
    "16 bits, 0 and 255": (grey(0, 255, np.uint16), "PNG", {}),
    "16 bits, 0 and 65535": (grey(0, 65535, np.uint16), "PNG", {}),
    "16 bits in a TIFF": (grey(0, 4000, np.uint16), "TIFF", {}),
    "32 bits in a TIFF": (grey(0, 1, np.int32), "TIFF", {}),
    "float in a TIFF": (grey(0, 1, np.float32), "TIFF", {}),
    "one bit in a TIFF": (Image.fromarray(LESION), "TIFF", {"compression": "group4"}),
    "a bitmap": (grey(0, 255), "BMP", {}),
    "WebP": (coloured((0, 0, 0), (255, 255, 255)), "WEBP", {"lossless": True}),
    "red on black": (coloured((0, 0, 0), (128, 0, 0)), "PNG", {}),
    "green on black": (coloured((0, 0, 0), (0, 255, 0)), "PNG", {}),
    "blue on black": (coloured((0, 0, 0), (0, 0, 255)), "PNG", {}),
    "red on white": (coloured((255, 255, 255), (255, 0, 0)), "PNG", {}),
    "yellow on purple": (coloured((68, 1, 84), (253, 231, 37)), "PNG", {}),
    "palette of red": (palette([0, 0, 0, 128, 0, 0]), "PNG", {}),
    "palette of green": (palette([0, 0, 0, 0, 200, 0]), "PNG", {}),
    "palette that is black throughout": (palette([0, 0, 0, 0, 0, 0]), "PNG", {}),
    "palette with a clear background": (palette([0, 0, 0, 0, 0, 0]), "PNG", {"transparency": 0}),
    "white on clear": (with_alpha(BLACK + 255, LESION * 255), "PNG", {}),
    "black on clear": (with_alpha(BLACK, LESION * 255), "PNG", {}),
    "picture cut out": (with_alpha(NOISE, LESION * 255), "PNG", {}),
    "half clear tint": (with_alpha(BLACK + 90, LESION * 128), "PNG", {}),
    "alpha full throughout": (with_alpha(coloured((0, 0, 0), (255, 255, 255)), LESION * 0 + 255), "PNG", {}),
    "alpha zero throughout": (with_alpha(coloured((0, 0, 0), (255, 255, 255)), LESION * 0), "PNG", {}),
    "grey and alpha": (Image.fromarray(np.dstack([grey(0, 255), LESION * np.uint8(255)])), "PNG", {}),
    "clear colour": (coloured((0, 0, 0), (9, 9, 9)), "PNG", {"transparency": (0, 0, 0)}),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_every_way_of_writing_a_mask_gives_the_same_mask(name):
    picture, format_, options = LOSSLESS[name]
    np.testing.assert_array_equal(read_lesion_mask(encode(picture, format_, **options)), LESION)


@pytest.mark.parametrize("lesion", [255, 127])
def test_a_jpeg_mask_differs_at_its_border_alone(lesion):
    mask = read_lesion_mask(encode(grey(0, lesion), "JPEG", quality=80))
    assert np.count_nonzero(mask != LESION) < 0.02 * LESION.sum()


def test_every_label_number_above_the_background_is_lesion():
    numbers = grey(0, 1)
    numbers[LESION & (_X > 40)] = 2
    np.testing.assert_array_equal(read_lesion_mask(encode(numbers, "PNG")), LESION)
    several = palette([0, 0, 0, 128, 0, 0, 0, 128, 0], numbers)
    np.testing.assert_array_equal(read_lesion_mask(encode(several, "PNG")), LESION)


@pytest.mark.parametrize(
    ("value", "whole"), [(0, False), (1, True), (255, True)], ids=["empty", "full of 1", "full of 255"]
)
@pytest.mark.parametrize("format_", ["PNG", "BMP", "JPEG"])
def test_a_flat_mask_is_empty_or_full(value, whole, format_):
    mask = read_lesion_mask(encode(np.full((HEIGHT, WIDTH), value, np.uint8), format_))
    assert mask.shape == (HEIGHT, WIDTH) and mask.all() == whole and mask.any() == whole


def test_compression_noise_does_not_split_a_full_mask():
    noisy = (255 - np.random.default_rng(0).integers(0, 4, (HEIGHT, WIDTH))).astype(np.uint8)
    assert read_lesion_mask(encode(noisy, "PNG")).all()


def test_a_mask_may_be_smaller_than_a_picture_and_is_stretched():
    small = Image.fromarray(grey(0, 255)).resize((WIDTH // 3, HEIGHT // 3), Image.Resampling.BILINEAR)
    mask = read_lesion_mask(encode(small, "PNG"), (HEIGHT, WIDTH))
    assert mask.shape == (HEIGHT, WIDTH)
    assert mask.sum() == pytest.approx(LESION.sum(), rel=0.04)


@pytest.mark.parametrize("shape", [(720, 960), (36, 48), (73, 97)])
def test_a_mask_of_another_size_keeps_its_share(shape):
    mask = read_lesion_mask(encode(grey(0, 255), "PNG"), shape)
    assert mask.shape == shape and mask.mean() == pytest.approx(LESION.mean(), rel=0.04)


@pytest.mark.parametrize("shape", [(WIDTH, HEIGHT), (HEIGHT, HEIGHT), (450, 800)])
def test_a_mask_of_other_proportions_is_refused_with_both_sizes(shape):
    with pytest.raises(ImageError, match="96 x 72") as caught:
        read_lesion_mask(encode(grey(0, 255), "PNG"), shape)
    assert caught.value.reason == "mask_shape" and f"{shape[1]} x {shape[0]}" in str(caught.value)


def test_a_damaged_mask_is_refused():
    data = encode(NOISE, "PNG")
    with pytest.raises(ImageError) as caught:
        read_lesion_mask(data[: len(data) // 2])
    assert caught.value.reason == "truncated"
