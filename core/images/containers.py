"""Strip metadata from PNG, WebP and JPEG files: for files whose text or metadata is damaged."""

import struct
import zlib
from collections.abc import Iterator

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT"}
# Worth a second try: which way up, and which colours.
_PNG_USEFUL = {b"eXIf", b"iCCP"}
_PNG_END = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
_WEBP_METADATA = {b"ICCP", b"EXIF", b"XMP "}
_WEBP_METADATA_FLAGS = 0x20 | 0x08 | 0x04
# Of JPEG's application segments only JFIF's and Adobe's say how the pixels are stored.
_JPEG_METADATA = {*range(0xE1, 0xEE), 0xEF, 0xFE}


def without_metadata(data: bytes) -> Iterator[bytes]:
    """The same pixels with less and less metadata; nothing if there is none to remove."""
    try:
        if data.startswith(_PNG_START):
            stripped = [_strip_png(data, _PNG_PIXELS | _PNG_USEFUL), _strip_png(data, _PNG_PIXELS)]
        elif data[8:12] == b"WEBP":
            stripped = [_strip_webp(data)]
        elif data.startswith(b"\xff\xd8"):
            stripped = [_strip_jpeg(data)]
        else:
            stripped = []
    except (struct.error, IndexError):
        return
    yield from (candidate for candidate in stripped if candidate != data)


def _strip_png(data: bytes, wanted: set[bytes]) -> bytes:
    parts, position = [_PNG_START], len(_PNG_START)
    while position + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        if kind in wanted:
            parts.append(data[position : position + 12 + length])
        if kind == b"IEND":
            break
        position += 12 + length
    return b"".join([*parts, _PNG_END])


def _strip_webp(data: bytes) -> bytes:
    parts, position = [], 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        chunk = data[position : position + 8 + length + length % 2]
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_METADATA_FLAGS]) + chunk[9:]
        if kind not in _WEBP_METADATA:
            parts.append(chunk)
        position += 8 + length + length % 2
    body = b"".join(parts)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _strip_jpeg(data: bytes) -> bytes:
    parts, position = [data[:2]], 2
    while data[position] == 0xFF and data[position + 1] != 0xDA:  # up to the first scan
        (length,) = struct.unpack_from(">H", data, position + 2)
        if data[position + 1] not in _JPEG_METADATA:
            parts.append(data[position : position + 2 + length])
        position += 2 + length
    return b"".join([*parts, data[position:]])
