"""Small sound files of every format that is read, for `tests.fuzz` to damage."""

import numpy as np
from PIL import Image, ImageCms
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from tests.core.image_files import encode, make_dicom, make_pixels


def picture_samples() -> dict[str, bytes]:
    """Fourteen formats, with orientation, colour profile and text where they can carry them."""
    pixels = make_pixels()
    rgb = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "nobody"
    beside = {"exif": exif, "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    rgba = np.dstack([pixels, np.full(pixels.shape[:2], 200, np.uint8)])
    samples = {
        "JPEG": encode(rgb, "JPEG", **beside),
        "JPEG progressive": encode(rgb, "JPEG", progressive=True, comment=b"text"),
        "JPEG CMYK": encode(rgb.convert("CMYK"), "JPEG"),
        "MPO": encode(rgb, "MPO", save_all=True, append_images=[rgb]),
        "PNG": encode(rgb, "PNG", **beside),
        "PNG palette": encode(rgb.convert("P"), "PNG", transparency=0),
        "PNG 16 bits": encode(pixels[..., 0].astype(np.uint16) * 257, "PNG"),
        "WebP": encode(rgb, "WEBP", **beside),
        "WebP lossless": encode(rgba, "WEBP", lossless=True),
        "BMP": encode(rgb, "BMP"),
        "TIFF": encode(rgb, "TIFF", **beside),
        "TIFF LZW": encode(rgba, "TIFF", compression="tiff_lzw"),
        "TIFF pages": encode(rgb, "TIFF", save_all=True, append_images=[rgb.resize((50, 40))]),
        "AVIF": encode(rgb, "AVIF", **beside),
    }
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
        samples["HEIC"] = encode(rgb, "HEIF", **beside)
    except ImportError:
        pass
    return samples


def dicom_samples() -> dict[str, bytes]:
    pixels = make_pixels()
    grey = pixels[..., 0].astype(np.uint16) * 16
    jpeg, jpeg_2000 = encode(pixels, "JPEG"), encode(pixels, "JPEG2000", no_jp2=True)
    tags = {"PixelSpacing": [0.02, 0.02], "PixelAspectRatio": [4, 3]}
    native = make_dicom(pixels, "RGB", **tags)
    window = {"WindowCenter": 1000, "WindowWidth": 800, "RescaleSlope": 2, "RescaleIntercept": -5}
    return {
        "native": native,
        "without preamble": native[132:],
        "12 bits with a window": make_dicom(grey, "MONOCHROME2", BitsStored=12, HighBit=11, **window),
        "JPEG": make_dicom(pixels, "YBR_FULL_422", frame=jpeg, syntax=JPEGBaseline8Bit),
        "JPEG 2000": make_dicom(pixels, "YBR_RCT", frame=jpeg_2000, syntax=JPEG2000Lossless),
        "RLE": make_dicom(pixels, "RGB", frame=run_lengths(pixels), syntax=RLELossless),
    }


def run_lengths(pixels: np.ndarray) -> bytes:
    """DICOM's RLE of (H, W <= 128, 3) pixels, every row as one literal run."""
    rows = [[bytes([len(row) - 1]) + row.tobytes() for row in plane] for plane in pixels.transpose(2, 0, 1)]
    planes = [b"".join(plane) for plane in rows]
    header = np.zeros(16, "<u4")
    header[0], header[1:4] = 3, np.cumsum([64, *(len(plane) for plane in planes[:-1])])
    return header.tobytes() + b"".join(planes)
