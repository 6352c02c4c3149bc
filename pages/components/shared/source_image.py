"""One image as it came to a page: where from, under which name, its encoded bytes."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

Origin = Literal["upload", "camera", "sample", "file"]


@dataclass(frozen=True)
class SourceImage:
    """Encoded bytes, which are decoded only by the engine.

    Attributes:
        name: for people and exports; the same bytes may come again under another one.
        data: of the file.
        origin: how it came; "file" is a file of the server, such as a dataset's.
        spot: which of several spots to analyse, as in `AnalysisSettings`.
    """

    name: str
    data: bytes = field(repr=False)
    origin: Origin
    spot: int = 0

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the bytes, computed once."""
        return hashlib.sha256(self.data).hexdigest()


def read_file(path: Path) -> SourceImage:
    """An image file of the server.

    Raises:
        OSError: it cannot be read.
    """
    return SourceImage(path.name, path.read_bytes(), "file")
