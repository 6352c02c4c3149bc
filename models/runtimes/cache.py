"""Compiled networks kept between runs, so that the second start skips compiling.

They lie in `DERMALENS_CACHE`, else in the user's cache folder, and are some 70 MB. A file holds the SHA-256
of what follows it and is read only if that fits; its name depends on everything that shaped it. Deleting the
folder is always safe.
"""

import hashlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

CACHE_VARIABLE = "DERMALENS_CACHE"
UNUSED_SECONDS = 30 * 24 * 3600  # older ones belong to bundles or versions that are gone
DIGEST_BYTES = 32


def cache_dir() -> Path:
    """`DERMALENS_CACHE`, else dermalens/ in the user's cache folder."""
    if value := os.environ.get(CACHE_VARIABLE, "").strip():
        return Path(value).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "dermalens"


def cache_file(*parts: object) -> Path:
    """The file of what these parts determine."""
    return cache_dir() / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}.blob"


def read_cached(path: Path) -> np.ndarray | None:
    """What `write_cached` kept, (N,) uint8 mapped from the file; None if there is nothing, or it is not whole."""
    try:
        kept = np.memmap(path, np.uint8, "r")
        path.touch()
    except (OSError, ValueError):  # NumPy maps no empty file
        return None
    content = kept[DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == kept[:DIGEST_BYTES].tobytes() else None


def write_cached(path: Path, content: bytes) -> None:
    """Keep it whole or not at all; a full disk or a folder that is read-only costs time later, nothing else."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for other in path.parent.glob("*.blob"):
            if time.time() - other.stat().st_mtime > UNUSED_SECONDS:
                other.unlink(missing_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(hashlib.sha256(content).digest())
                stream.write(content)
            os.replace(draft, path)
        finally:
            Path(draft).unlink(missing_ok=True)


def cached_arrays(path: Path, load: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Named arrays from the cache; else what `load` gives, which is kept."""
    if (kept := read_cached(path)) is not None:
        with np.load(io.BytesIO(kept)) as arrays:
            return dict(arrays)
    arrays, stream = load(), io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    write_cached(path, stream.getvalue())
    return arrays
