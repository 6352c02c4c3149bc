"""What `read_image` takes, what it makes of it, and every way it refuses."""

import hashlib
import pickle
import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from core.errors import DermalensError
from core.images import reading as image_io
from core.images.reading import ImageError, list_images, read_image
from tests.core.image_files import HEIGHT, WIDTH, encode, make_dicom, make_pixels, refusal


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


# --- what is accepted -----------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_return_the_exact_pixels(format_):
    data = encode(make_pixels(), format_)
    loaded = read_image(data)
    assert loaded.format == format_
    assert loaded.sha256 == hashlib.sha256(data).hexdigest()
    assert loaded.pixel_spacing_mm is None and loaded.name == ""
    np.testing.assert_array_equal(loaded.pixels, make_pixels())


@pytest.mark.parametrize(("format_", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"lossless": True})])
def test_photo_formats_return_close_pixels(format_, options):
    loaded = read_image(encode(make_pixels(), format_, **options))
    assert loaded.format == format_
    assert np.abs(loaded.pixels.astype(int) - make_pixels()).mean() < 3


def test_pixels_are_contiguous_and_read_only():
    pixels = read_image(encode(make_pixels(), "PNG")).pixels
    assert pixels.flags.c_contiguous and pixels.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 0


def test_path_and_string_and_memoryview_give_the_same_image(tmp_path):
    data = encode(make_pixels(), "PNG")
    path = tmp_path / "mole.png"
    path.write_bytes(data)
    loaded = [read_image(source) for source in (path, str(path), memoryview(data))]
    assert [image.name for image in loaded] == ["mole.png", "mole.png", ""]
    assert len({image.sha256 for image in loaded}) == 1


def test_content_decides_not_the_extension(tmp_path):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encode(make_pixels(), "PNG"))
    assert read_image(path).format == "PNG"


def test_greyscale_becomes_three_equal_channels():
    image = Image.fromarray(make_pixels()).convert("L")
    assert image.mode == "L"
    pixels = read_image(encode(image, "PNG")).pixels
    np.testing.assert_array_equal(pixels, np.repeat(np.asarray(image)[..., None], 3, axis=2))


@pytest.mark.parametrize("mode", ["P", "1"])
def test_palette_and_bilevel_images_become_rgb(mode):
    image = Image.fromarray(make_pixels()).convert(mode)
    data = encode(image, "PNG")
    assert Image.open(BytesIO(data)).mode == mode
    np.testing.assert_array_equal(read_image(data).pixels, np.asarray(image.convert("RGB")))


def test_alpha_is_laid_over_white():
    rgba = np.dstack([make_pixels(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    rgba[40:, :, 3] = 0  # lower half transparent
    rgba[39, :, 3] = 128  # one row half so: 255 - (255 - c) * 128 / 255
    pixels = read_image(encode(rgba, "PNG")).pixels
    np.testing.assert_array_equal(pixels[:39], make_pixels()[:39])
    assert (pixels[40:] == 255).all()
    expected = 255 - (255 - make_pixels()[39].astype(float)) * 128 / 255
    assert np.abs(pixels[39] - expected).max() <= 1


def test_transparent_palette_entry_is_laid_over_white():
    indices = np.zeros((HEIGHT, WIDTH), np.uint8)
    indices[:40] = 1
    image = Image.frombytes("P", (WIDTH, HEIGHT), indices.tobytes())
    image.putpalette([0, 0, 0, 200, 10, 10])
    data = encode(image, "PNG", transparency=0)
    assert "transparency" in Image.open(BytesIO(data)).info
    pixels = read_image(data).pixels
    assert (pixels[:40] == (200, 10, 10)).all() and (pixels[40:] == 255).all()


def test_cmyk_jpeg_becomes_rgb():
    data = encode(Image.fromarray(make_pixels()).convert("CMYK"), "JPEG", quality=95)
    assert Image.open(BytesIO(data)).mode == "CMYK"
    assert np.abs(read_image(data).pixels.astype(int) - make_pixels()).mean() < 4


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_16_bit_greyscale_is_scaled_to_8_bits(format_):
    # 257 * v is v in 16 bits, so every level must come back exactly.
    levels = np.arange(HEIGHT * WIDTH, dtype=np.uint32).reshape(HEIGHT, WIDTH) % 256
    data = encode((levels * 257).astype(np.uint16), format_)
    assert Image.open(BytesIO(data)).mode.startswith("I;16")
    np.testing.assert_array_equal(read_image(data).pixels[..., 0], levels)


def turn(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """How a camera stores an upright picture under an EXIF orientation (TIFF 6.0: row 0, column 0)."""
    stored = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels, -1),
    }
    return np.ascontiguousarray(stored[orientation])


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(format_, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(turn(make_pixels(), orientation), format_, exif=exif)
    assert Image.open(BytesIO(data)).getexif()[0x0112] == orientation
    pixels = read_image(data).pixels
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(pixels.astype(int) - make_pixels()).mean() < 6


# --- arrays ---------------------------------------------------------------------------------------


def test_array_is_copied_and_hashed_with_its_shape():
    array = make_pixels()
    loaded = read_image(array)
    array[:] = 0
    np.testing.assert_array_equal(loaded.pixels, make_pixels())
    assert loaded.format == "array"
    assert loaded.sha256 != read_image(make_pixels().reshape(WIDTH, HEIGHT, 3)).sha256
    assert loaded.sha256 == read_image(np.asfortranarray(make_pixels())).sha256


def test_grey_and_rgba_arrays_are_converted():
    grey = make_pixels()[..., 0]
    np.testing.assert_array_equal(read_image(grey).pixels, np.repeat(grey[..., None], 3, axis=2))
    clear = np.dstack([make_pixels(), np.zeros((HEIGHT, WIDTH), np.uint8)])
    clear[0, 0, 3] = 255
    assert (read_image(clear).pixels[1:] == 255).all()


@pytest.mark.parametrize(
    "array",
    [
        make_pixels() / 255,
        make_pixels().astype(np.uint16),
        make_pixels()[..., 0] > 100,
        make_pixels()[..., :1],
        make_pixels()[..., :2],
        make_pixels()[None],
        np.zeros((0,), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_other_arrays_are_refused_with_a_remedy(array):
    error = refusal(array)
    assert error.reason == "bad_array" and "astype(np.uint8)" in str(error)


@pytest.mark.parametrize("array", [np.zeros((63, 200), np.uint8), np.zeros((0, 0, 3), np.uint8)])
def test_small_arrays_are_refused(array):
    assert refusal(array).reason == "too_small"


# --- refusals -------------------------------------------------------------------------------------


def test_empty_file_is_refused():
    assert refusal(b"").reason == "empty"


@pytest.mark.parametrize("data", [b"dear diary, " * 50, bytes(1000), b"\x00", b"<svg/>"])
def test_what_is_no_image_is_refused(data, tmp_path):
    path = tmp_path / "text.jpg"
    path.write_bytes(data)
    assert refusal(path).reason == refusal(data).reason == "not_an_image"


def test_foreign_formats_are_named():
    frames = [Image.fromarray(make_pixels()), Image.fromarray(255 - make_pixels())]
    gif = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert Image.open(BytesIO(gif)).is_animated
    error = refusal(gif)
    assert error.reason == "unsupported" and "GIF" in str(error)
    assert "PDF" in str(refusal(b"%PDF-1.7\n" + bytes(500)))
    assert refusal(None).reason == "unsupported"


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_refused(format_, share):
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    data = encode(noise, format_)
    assert read_image(data).format == format_
    assert refusal(data[: int(len(data) * share)]).reason == "truncated"


@pytest.mark.parametrize("format_", ["PNG", "TIFF", "WEBP"])
def test_several_frames_or_pages_are_refused(format_):
    frames = [Image.fromarray(make_pixels()), Image.fromarray(255 - make_pixels())]
    data = encode(frames[0], format_, save_all=True, append_images=frames[1:])
    assert Image.open(BytesIO(data)).n_frames == 2
    error = refusal(data)
    assert error.reason == "animated" and "2 frames" in str(error)


def test_mpo_from_a_phone_is_read_as_its_first_photo():
    frames = [Image.fromarray(make_pixels()), Image.fromarray(255 - make_pixels())]
    data = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert Image.open(BytesIO(data)).n_frames == 2
    loaded = read_image(data)
    assert loaded.format == "JPEG"
    assert np.abs(loaded.pixels.astype(int) - make_pixels()).mean() < 6


@pytest.mark.parametrize(("width", "height"), [(8200, 5001), (10_000, 10_000), (60_000, 60_000)])
@pytest.mark.parametrize("action", ["error", "always"])
def test_a_claimed_size_over_the_cap_is_refused_from_the_header(width, height, action):
    data = png_header(width, height)
    assert len(data) < 100 and width * height > image_io.MAX_PIXELS
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter(action)
        assert refusal(data).reason == "too_large"
    assert not leaked


def test_size_is_judged_before_any_pixel_is_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "convert", lambda *_, **__: pytest.fail("decoded"))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    assert refusal(png_header(8200, 5001)).reason == "too_large"
    assert refusal(encode(make_pixels()[:63], "BMP")).reason == "too_small"


def test_the_smallest_side_is_64_px():
    assert read_image(encode(make_pixels()[:64, :64], "PNG")).pixels.shape == (64, 64, 3)
    assert refusal(encode(make_pixels()[:, :63], "PNG")).reason == "too_small"


def test_heavy_files_are_refused_unread(monkeypatch, tmp_path):
    path = tmp_path / "heavy.png"
    path.write_bytes(encode(make_pixels(), "PNG"))
    monkeypatch.setattr(image_io, "MAX_BYTES", 100)
    assert refusal(path).reason == "too_large"
    assert refusal(path.read_bytes()).reason == "too_large"


def test_float_and_32_bit_images_are_refused():
    for dtype, mode in ((np.float32, "F"), (np.int32, "I")):
        data = encode(np.zeros((HEIGHT, WIDTH), dtype), "TIFF")
        assert Image.open(BytesIO(data)).mode == mode
        assert refusal(data).reason == "unsupported"


def test_missing_file_and_folder_are_refused(tmp_path):
    assert refusal(tmp_path / "no.jpg").reason == "missing"
    assert refusal(str(tmp_path)).reason == "folder"
    assert refusal("\0").reason == "missing"


def test_damaged_bytes_never_escape_as_another_error():
    rng = np.random.default_rng(1)
    samples = [encode(make_pixels(), f) for f in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")]
    samples.append(make_dicom(make_pixels(), "RGB"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow and pydicom comment on odd tags
        for data in samples:
            for _ in range(60):
                damaged = bytearray(data)
                for position in rng.integers(0, min(len(damaged), 700), 4):
                    damaged[position] = rng.integers(0, 256)
                try:
                    assert read_image(damaged).pixels.dtype == np.uint8
                except ImageError as error:
                    assert error.reason


def test_the_same_damage_gets_the_same_message():
    data = b"\xff\xd8\xff broken"
    assert str(refusal(data)) == str(refusal(data)) and "BytesIO" not in str(refusal(data))


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(refusal(b"")))
    assert error.reason == "empty" and isinstance(error, DermalensError) and "0 bytes" in str(error)


def test_jpeg_metadata_does_not_reach_the_result():
    exif = Image.Exif()
    exif[0x013B] = "Jane Doe, 12 Main Street"
    data = encode(make_pixels(), "JPEG", exif=exif, comment=b"patient 4711 of ward 3")
    assert b"Jane Doe" in data and b"ward 3" in data
    kept = pickle.dumps(read_image(data))
    assert b"Jane Doe" not in kept and b"ward 3" not in kept


# --- folders --------------------------------------------------------------------------------------


def test_list_images_finds_images_below_a_folder_in_order(tmp_path):
    for name in ("b.JPG", "a/c.png", "a/d.dcm", "notes.txt", "a/._c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in list_images(tmp_path)]
    assert found == ["a/c.png", "a/d.dcm", "b.JPG"]
    assert list_images(str(tmp_path / "notes.txt")) == [tmp_path / "notes.txt"]


@pytest.mark.parametrize(("name", "reason"), [("", "empty"), ("nowhere", "missing")])
def test_list_images_refuses_when_nothing_is_there(tmp_path, name, reason):
    with pytest.raises(ImageError) as caught:
        list_images(tmp_path / name)
    assert caught.value.reason == reason
