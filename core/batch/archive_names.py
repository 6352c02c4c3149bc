"""The names inside a zip file: read in the encoding that they were written in, and short enough for a disk."""

import hashlib
import re
import struct
import unicodedata
import zipfile
import zlib
from pathlib import PurePosixPath

_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field with the name in UTF-8
MAX_NAME_BYTES = 240  # file systems take 255; a number may be added
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff01-\uff5e]")


def decode_name(info: zipfile.ZipInfo) -> str:
    """A member's name in NFC: UTF-8 by flag, by extra field or by its bytes, else Shift-JIS, else cp437.

    macOS writes UTF-8 without the flag, Japanese Windows Shift-JIS; cp437 is what the format says.
    """
    name = info.filename
    if not info.flag_bits & _UTF8_FLAG and not name.isascii():
        raw = name.encode("cp437", "replace")
        name = _from_extra(info, raw) or _decode(raw, "utf-8") or _from_shift_jis(raw) or name
    return unicodedata.normalize("NFC", name)


def shorten(path: PurePosixPath) -> PurePosixPath:
    """The path with each part short enough for a file system; shortened ones end in a digest of the whole."""
    return PurePosixPath(*map(_shorten_part, path.parts))


def _shorten_part(part: str) -> str:
    if len(part.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES:
        return part
    suffix = PurePosixPath(part).suffix[:12]
    digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    start = part.encode("utf-8", "surrogatepass")[: MAX_NAME_BYTES - 32].decode("utf-8", "ignore")
    return f"{start}~{digest}{suffix}"


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _from_shift_jis(raw: bytes) -> str:
    """A name all of whose foreign letters, two at least, are Japanese; accents in cp437 rarely read so."""
    name = _decode(raw, "cp932")
    foreign = [letter for letter in name if not letter.isascii()]
    return name if len(foreign) >= 2 and all(map(_JAPANESE.match, foreign)) else ""


def _from_extra(info: zipfile.ZipInfo, raw: bytes) -> str:
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH and size > 5 and struct.unpack_from("<I", extra, 5)[0] == zlib.crc32(raw):
            return _decode(extra[9 : 4 + size], "utf-8")
        extra = extra[4 + size :]
    return ""
