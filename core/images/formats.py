"""What a file is, by its first bytes: the kinds that Dermalens reads, and common kinds that it does not."""

import re
from dataclasses import dataclass

# As many bytes as `identify` looks at: past DICOM's preamble, enough of a text to know it.
HEAD_BYTES = 1024
EXPORT_AS_JPEG = "Export it as JPEG or PNG."
_HEIC_ADVICE = (
    "Export it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible); or install pillow-heif "
    "beside Dermalens, which then reads it."
)
_UNPACK = "Unpack it and choose the pictures inside."


@dataclass(frozen=True)
class FileKind:
    """A kind of file: a short name ("JPEG", "HEIC"), a phrase with its article, and what to do about it.

    `readable` kinds have no advice: `read_image` takes them.
    """

    name: str
    words: str
    advice: str = ""

    @property
    def readable(self) -> bool:
        return not self.advice


JPEG, PNG = FileKind("JPEG", "a JPEG picture"), FileKind("PNG", "a PNG picture")
WEBP, BMP = FileKind("WEBP", "a WebP picture"), FileKind("BMP", "a bitmap")
TIFF, DICOM = FileKind("TIFF", "a TIFF picture"), FileKind("DICOM", "a DICOM file")
AVIF = FileKind("AVIF", "an AVIF picture")
HEIC = FileKind("HEIC", "a HEIC photo (HEIF)", _HEIC_ADVICE)
TEXT = FileKind("text", "text", "Choose the picture itself.")

# (offset, bytes, kind)
_SIGNATURES: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"\x89PNG\r\n", PNG),
    (8, b"WEBP", WEBP),
    (0, b"II*\x00", TIFF),
    (0, b"MM\x00*", TIFF),
    (0, b"II+\x00", TIFF),
    (0, b"MM\x00+", TIFF),
    (128, b"DICM", DICOM),
    (0, b"DICM", DICOM),
    (0, b"GIF8", FileKind("GIF", "a GIF", EXPORT_AS_JPEG)),
    (0, b"%PDF", FileKind("PDF", "a PDF", "Export the picture from it as JPEG or PNG.")),
    (0, b"%!PS", FileKind("PostScript", "a PostScript document", EXPORT_AS_JPEG)),
    (0, b"\0\0\0\x0cjP  ", FileKind("JPEG 2000", "a JPEG 2000 picture", EXPORT_AS_JPEG)),
    (0, b"\xff\x4f\xff\x51", FileKind("JPEG 2000", "a JPEG 2000 codestream", EXPORT_AS_JPEG)),
    (0, b"\0\0\0\x0cJXL ", FileKind("JPEG XL", "a JPEG XL picture", EXPORT_AS_JPEG)),
    (0, b"\xff\x0a", FileKind("JPEG XL", "a JPEG XL codestream", EXPORT_AS_JPEG)),
    (0, b"II\xbc", FileKind("JPEG XR", "a JPEG XR picture", EXPORT_AS_JPEG)),
    (0, b"8BPS", FileKind("Photoshop", "a Photoshop document", EXPORT_AS_JPEG)),
    (0, b"gimp xcf", FileKind("GIMP", "a GIMP document", EXPORT_AS_JPEG)),
    (0, b"v/1\x01", FileKind("OpenEXR", "an OpenEXR picture", EXPORT_AS_JPEG)),
    (0, b"\0\0\x01\0", FileKind("icon", "a Windows icon", EXPORT_AS_JPEG)),
    (0, b"FUJIFILMCCD-RAW", FileKind("raw photo", "a camera's raw photo", EXPORT_AS_JPEG)),
    (0, b"PK\x03\x04", FileKind("ZIP", "a ZIP archive", _UNPACK)),
    (0, b"PK\x05\x06", FileKind("ZIP", "an empty ZIP archive", _UNPACK)),
    (0, b"Rar!\x1a\x07", FileKind("RAR", "a RAR archive", _UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind("7z", "a 7z archive", _UNPACK)),
    (0, b"\x1f\x8b", FileKind("gzip", "a gzip archive", _UNPACK)),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind("Office", "an old Office document", EXPORT_AS_JPEG)),
    (0, b"\x1aE\xdf\xa3", FileKind("video", "a video", "Export one frame as JPEG or PNG.")),
    (
        0,
        b"\0\x05\x16\x07",
        FileKind(
            "macOS side file",
            "a macOS side file (its name starts with ._)",
            "Choose the file of that name without the leading ._",
        ),
    ),
)
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"), HEIC),
    **dict.fromkeys((b"mif1", b"mif2", b"msf1", b"mif3"), HEIC),
    b"crx ": FileKind("raw photo", "a camera's raw photo", EXPORT_AS_JPEG),
}
_VIDEO = FileKind("video", "a video", "Export one frame as JPEG or PNG.")
_SOUND = FileKind("sound or video", "a sound or video file", EXPORT_AS_JPEG)
_BASE64 = FileKind("Base64", "Base64 text: a picture written as letters", "Decode it and save the picture.")
_TEXTS: tuple[tuple[str, FileKind], ...] = (
    (
        r"version https://git-lfs",
        FileKind("Git LFS pointer", "a Git LFS pointer", "Run `git lfs pull` to fetch it."),
    ),
    (
        r"<!doctype html|<html|<head|<body|.*<html",
        FileKind(
            "web page", "a web page: the download failed", "Open it to see why; download the picture again."
        ),
    ),
    (r"<svg|<\?xml.*<svg", FileKind("SVG", "an SVG drawing", EXPORT_AS_JPEG)),
    (r"<\?xml|<x:xmpmeta", FileKind("XML", "an XML text", "Choose the picture itself.")),
    (r"[{\[]", FileKind("JSON", "a JSON text", "Choose the picture itself.")),
)
# Group 2 (file meta) or 8 (identification) of a DICOM data set that lost its preamble: the first tag, then a
# value representation (explicit) or a short length (implicit).
_BARE_DICOM = re.compile(
    rb"(?:\x02\x00[\x00-\x02\x10]\x00|\x08\x00[\x00-\x90]\x00)(?:[A-Z]{2}|..\x00\x00)", re.DOTALL
)
# What broken server scripts put before a picture: blank lines and a byte order mark.
_BLANKS = re.compile(rb"(?:\s|\xef\xbb\xbf){1,64}")


def identify(head: bytes) -> FileKind | None:
    """The kind of a file from its first `HEAD_BYTES` bytes (more do no harm); None if it is none we know."""
    for offset, signature, kind in _SIGNATURES:
        if head.startswith(signature, offset):
            return kind
    if head[4:8] == b"ftyp":
        return _identify_brand(head)
    if head.startswith(b"RIFF"):
        return _SOUND
    if _BARE_DICOM.match(head):
        return DICOM
    text = _decode_text(head[:HEAD_BYTES])
    if text is not None:
        return _identify_text(text)
    return BMP if head.startswith(b"BM") else None


def strip_blanks(data: bytes) -> bytes:
    """The bytes without blank lines or a byte order mark before a picture; as they are before anything else."""
    blanks = _BLANKS.match(data)
    if blanks is None:
        return data
    kind = identify(data[blanks.end() : blanks.end() + HEAD_BYTES])
    return data[blanks.end() :] if kind is not None and kind.readable and kind is not BMP else data


def find_picture_inside(data: bytes) -> tuple[FileKind, int] | None:
    """A JPEG or PNG that starts a little further in, behind something else: its kind and how many bytes in."""
    found = [
        (data.find(sign, 1, 4096), kind) for sign, kind in ((b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n", PNG))
    ]
    found = [(position, kind) for position, kind in found if position > 0]
    return (min(found, key=lambda pair: pair[0])[::-1]) if found else None


def _identify_brand(head: bytes) -> FileKind:
    """HEIC, AVIF or video by the brands of an ISO media file's first box; AVIF also calls itself mif1."""
    size = int.from_bytes(head[:4], "big")
    compatible = head[16 : min(max(size, 16), 256)]
    brands = [head[8:12], *(compatible[i : i + 4] for i in range(0, len(compatible), 4))]
    kinds = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    if not kinds:
        return _VIDEO
    return AVIF if kinds[0] is HEIC and AVIF in kinds and b"heic" not in brands else kinds[0]


def _identify_text(text: str) -> FileKind:
    letters = "".join(text.split())
    if text.startswith("data:image/") or re.fullmatch(r"[A-Za-z0-9+/_-]{64,}={0,2}", letters):
        return _BASE64
    return next((kind for pattern, kind in _TEXTS if re.match(pattern, text, re.I | re.S)), TEXT)


def _decode_text(head: bytes) -> str | None:
    """The head as text without leading blanks, or None if it is not text."""
    if not head.strip() or b"\0" in head[:HEAD_BYTES]:
        return None
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not merely a letter cut in two by the head's end
            return None
        text = head[: error.start].decode("utf-8-sig")
    printable = sum(letter.isprintable() or letter.isspace() for letter in text)
    return text.lstrip() if printable >= 0.98 * len(text) else None
