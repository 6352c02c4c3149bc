"""Tables of the alternatives that were compared for a bundle on the validation split. Needs no TensorFlow."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.lesion.refinement import RefinementSettings
from core.systems.evaluations import RUNS_DIR

CHOICES_NAME = "validation_choices.json"


@dataclass(frozen=True, eq=False)
class Comparison:
    """One thing that was compared.

    Attributes:
        name: of the section in the file.
        table: one row an option, one column a score.
    """

    name: str
    table: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Choices:
    """Everything that `training.bundle.export` compared for one bundle, and what it decided."""

    bundle: str
    n_images: int | None
    comparisons: tuple[Comparison, ...]
    decisions: dict[str, Any]

    def option_in_use(self, comparison: str) -> str | None:
        """The row of a comparison's table that the bundle works with; None where nothing says so."""
        filters = self.decisions.get("preprocessing") or {}
        prior = self.decisions.get("prior") or {}
        in_use = {
            "crop_margin": f"{self.decisions.get('crop_margin', 0):.2f}",
            "windows": f"{'+'.join(self.decisions.get('views', []))}, eight_views",
            "filters_one_view": "+".join(name for name, on in filters.items() if on) or "none",
            "prior": f"{prior.get('strength', 0):.1f}",
            "temperature": "after",
            "refinement": RefinementSettings().method,
        }
        return in_use.get(comparison) if self.decisions else None


def list_choices(runs_dir: Path = RUNS_DIR) -> list[Choices]:
    """The comparisons of every bundle under `runs_dir`; files that are not whole JSON are left out."""
    records = {path.parent.name: _read_json(path) for path in sorted(runs_dir.glob(f"*/{CHOICES_NAME}"))}
    return [read_choices(name, record) for name, record in records.items() if isinstance(record, dict)]


def read_choices(bundle: str, record: dict[str, Any]) -> Choices:
    """Tables of a validation_choices.json: a section is one if it holds scores, at whatever depth."""
    sections = {
        name: dict(_score_rows(part))
        for name, part in record.items()
        if name != "decisions" and isinstance(part, dict)
    }
    comparisons = (
        Comparison(name, pd.DataFrame.from_dict(rows, orient="index"))
        for name, rows in sections.items()
        if rows
    )
    return Choices(bundle, record.get("n_images"), tuple(comparisons), record.get("decisions") or {})


def _score_rows(section: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, float]]]:
    """(option, scores) of each innermost dict; numbers beside dicts, such as a fitted value, are none."""
    inner = {name: part for name, part in section.items() if isinstance(part, dict)}
    if not inner and path:
        yield path, {name: value for name, value in section.items() if isinstance(value, int | float)}
    for name, part in inner.items():
        yield from _score_rows(part, f"{path}, {name}" if path else name)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
