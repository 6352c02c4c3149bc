"""Published scores on the classes of HAM10000, with how they were measured."""

import json
from dataclasses import dataclass
from pathlib import Path

from core.systems.evaluations import RESULTS_DIR

REFERENCES_FILE = RESULTS_DIR / "references.json"


@dataclass(frozen=True)
class Reference:
    """One published score.

    Attributes:
        who: the people or the system.
        balanced_accuracy: None where another score was published.
        shown: the score as published, in words.
        protocol: on what and how it was measured.
        comparable: how far it can be compared with a test split of HAM10000 that shares no lesion with training.
        source: where it was published.
        doi: of the source, None where it has none that is certain.
    """

    who: str
    balanced_accuracy: float | None
    shown: str
    protocol: str
    comparable: str
    source: str
    doi: str | None

    @property
    def url(self) -> str | None:
        """The DOI as a link."""
        return f"https://doi.org/{self.doi}" if self.doi else None


def read_references(path: Path = REFERENCES_FILE) -> list[Reference]:
    """All of them, in the order of the file."""
    return [Reference(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
