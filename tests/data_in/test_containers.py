"""Whole pixels in faulty files are read; what is no picture is called what it is."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.images.reading import read_image
from tests.core.image_files import HEIGHT, WIDTH, encode, make_pixels, refusal


def png_chunk(kind: bytes, body: bytes, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png_with(*chunks: bytes) -> bytes:
    """A sound PNG with chunks slipped in behind its header."""
    data = encode(make_pixels(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def long_text() -> bytes:
    text = PngInfo()
    text.add_text("note", "x" * 3_000_000, zip=True)
    return encode(make_pixels(), "PNG", pnginfo=text)


FAULTY_PNGS = {
    "a text of 3 MB": long_text(),
    "a text with a wrong checksum": png_with(png_chunk(b"tEXt", b"note\0words", 0)),
    "a compressed text that is none": png_with(png_chunk(b"zTXt", b"note\0\0garbage")),
    "a profile that is none": png_with(png_chunk(b"iCCP", b"name\0\0garbage")),
    "a profile of another method": png_with(png_chunk(b"iCCP", b"name\0\7garbage")),
    "a density cut short": png_with(png_chunk(b"pHYs", b"\0\0")),
    "a gamma cut short": png_with(png_chunk(b"gAMA", b"\0")),
    "a gamma of zero": png_with(png_chunk(b"gAMA", bytes(4))),
    "primaries cut short": png_with(png_chunk(b"cHRM", b"\0\0\0")),
    "EXIF that is none": png_with(png_chunk(b"eXIf", b"garbage")),
    "EXIF written as text": png_with(png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 8\nnot hex")),
    "a time that is none": png_with(png_chunk(b"tIME", b"\xff" * 3)),
    "no end marker": encode(make_pixels(), "PNG")[:-12],
    "half an end marker": encode(make_pixels(), "PNG")[:-6],
    "bytes behind the end": encode(make_pixels(), "PNG") + b"\0" * 4000,
}


@pytest.mark.parametrize("name", FAULTY_PNGS)
def test_a_png_with_whole_pixels_is_read_whatever_stands_beside_them(name):
    np.testing.assert_array_equal(read_image(FAULTY_PNGS[name]).pixels, make_pixels())


@pytest.mark.parametrize(
    "exif", [b"garbage", b"Exif\0\0II", b"Exif\0\0" + bytes(40), b"II*\0\xff\xff\xff\xff"]
)
@pytest.mark.parametrize("format_", ["PNG", "WEBP", "JPEG"])
def test_faulty_exif_costs_no_picture(format_, exif):
    data = encode(make_pixels(), format_, exif=exif, **({"lossless": True} if format_ == "WEBP" else {}))
    pixels = read_image(data).pixels
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(pixels.astype(int) - make_pixels()).mean() < 6


def test_the_orientation_survives_text_that_is_at_fault():
    exif = Image.Exif()
    exif[0x0112] = 3
    text = PngInfo()
    text.add_text("note", "x" * 3_000_000, zip=True)
    data = encode(make_pixels()[::-1, ::-1].copy(), "PNG", exif=exif, pnginfo=text)
    np.testing.assert_array_equal(read_image(data).pixels, make_pixels())


def test_a_webp_with_a_faulty_profile_or_metadata_is_read():
    data = encode(make_pixels(), "WEBP", lossless=True, xmp=b"<x>", icc_profile=b"no profile")
    np.testing.assert_array_equal(read_image(data).pixels, make_pixels())
    np.testing.assert_array_equal(read_image(data + b"EXIF\xff\xff\xff\xffII").pixels, make_pixels())


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 95}])
def test_a_jpeg_without_its_end_marker_is_read_and_one_cut_in_its_pixels_is_not(options):
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    data = encode(noise, "JPEG", **options)
    np.testing.assert_array_equal(read_image(data[:-2]).pixels, read_image(data).pixels)
    for share in (0.5, 0.9, 0.98):
        assert refusal(data[: int(share * len(data))]).reason == "truncated"


@pytest.mark.parametrize("blanks", [b"\r\n", b"\n\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n ", b"\t"])
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF"])
def test_blank_lines_before_a_picture_are_passed_over(format_, blanks):
    data = encode(make_pixels(), format_)
    np.testing.assert_array_equal(read_image(blanks + data).pixels, read_image(data).pixels)


def test_anything_else_before_a_picture_is_said():
    data = b"\x01warning: headers already sent\x02\x03" + encode(make_pixels(), "JPEG")
    assert "32 bytes" in str(refusal(data)) and "JPEG" in str(refusal(data))


def tiff_pages(*pages: tuple[np.ndarray, int]) -> bytes:
    """A TIFF of pictures, each with its NewSubfileType."""
    images = [Image.fromarray(pixels) for pixels, _ in pages]
    for image, (_, kind) in zip(images, pages, strict=True):
        image.encoderinfo = {"tiffinfo": {254: kind}}
    buffer = BytesIO()
    images[0].save(buffer, "TIFF", save_all=True, append_images=images[1:], tiffinfo={254: pages[0][1]})
    return buffer.getvalue()


def small_copy(factor: int = 2) -> np.ndarray:
    return np.asarray(Image.fromarray(make_pixels()).reduce(factor))


def test_a_small_copy_as_another_page_is_no_second_picture():
    copies = {
        "marked, behind": tiff_pages((make_pixels(), 0), (small_copy(), 1)),
        "marked, first": tiff_pages((small_copy(), 1), (make_pixels(), 0)),
        "unmarked, behind": tiff_pages((make_pixels(), 0), (small_copy(), 0)),
        "unmarked, first": tiff_pages((small_copy(), 0), (make_pixels(), 0)),
        "a pyramid": tiff_pages((make_pixels(), 0), (small_copy(), 1), (small_copy(4), 1)),
        "a mask": tiff_pages((make_pixels(), 0), (make_pixels() // 200 * 255, 4)),
    }
    for name, data in copies.items():
        np.testing.assert_array_equal(read_image(data).pixels, make_pixels(), err_msg=name)


def test_two_pictures_in_a_tiff_are_refused_with_their_number():
    for other in (255 - make_pixels(), 255 - small_copy()):
        error = refusal(tiff_pages((make_pixels(), 0), (other, 0)))
        assert error.reason == "animated" and "2 frames" in str(error)


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"])
def test_heic_by_any_of_its_brands_is_named(brand):
    assert "HEIC" in str(
        refusal(struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + b"mif1heic" + bytes(400))
    )


def test_avif_is_read():
    loaded = read_image(encode(make_pixels(), "AVIF", quality=95))
    assert loaded.format == "AVIF"
    assert np.abs(loaded.pixels.astype(int) - make_pixels()).mean() < 3


def test_heic_is_read_where_pillow_heif_is_installed_and_else_refused_with_what_to_do(monkeypatch):
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    buffer = BytesIO()
    heif.from_pillow(Image.fromarray(make_pixels())).save(buffer, quality=95)
    loaded = read_image(buffer.getvalue())
    assert loaded.format == "HEIC"
    assert np.abs(loaded.pixels.astype(int) - make_pixels()).mean() < 3
    monkeypatch.setattr("core.images.pillow_io.reads_heif", lambda: False)
    error = refusal(buffer.getvalue())
    assert error.reason == "unsupported" and "HEIC" in str(error) and "JPEG" in str(error)


WORDS = {
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99),
    "JPEG 2000 codestream": b"\xff\x4f\xff\x51" + bytes(99),
    "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99),
    "JPEG XL codestream": b"\xff\x0a" + bytes(99),
    "web page": b"\n<!DOCTYPE html>\n<html><title>Sign in</title></html>",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "Base64": b"/9j/4AAQSkZJRgABAQAAAQABAAD/" + b"2wBDAAgGBgcGBQgHBwcJ" * 20 + b"==",
    "macOS": b"\0\x05\x16\x07\0\x02\0\0Mac OS X" + bytes(99),
    "GIF": b"GIF89a" + bytes(99),
    "ZIP": b"PK\x03\x04" + bytes(99),
    "RAR": b"Rar!\x1a\x07\0" + bytes(99),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(99),
    "video": b"\0\0\0\x18ftypmp42" + bytes(99),
    "sound": b"RIFF\x24\0\0\0WAVEfmt " + bytes(99),
    "Photoshop": b"8BPS\0\1" + bytes(99),
    "SVG": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "JSON": b'{"error": "not found"}',
    "zeros": bytes(5000),
    "text": "Befund: Nävus, unauffällig".encode(),
}


@pytest.mark.parametrize("word", WORDS)
def test_what_is_no_picture_is_called_what_it_is(word):
    assert word.split(" codestream")[0] in str(refusal(WORDS[word]))
