"""Change what a bundle's manifest states: every command that adds to one does it here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.manifest import MANIFEST_NAME


@contextmanager
def edit_manifest(folder: Path, out: Path | None = None) -> Iterator[dict[str, Any]]:
    """The manifest of a bundle's folder as a record, written back (or into `out`) unless an error ends the block."""
    record = json.loads((folder / MANIFEST_NAME).read_text())
    yield record
    ((out or folder) / MANIFEST_NAME).write_text(json.dumps(record, indent=1) + "\n")
