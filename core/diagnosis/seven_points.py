"""The seven-point checklist of dermoscopy: what a reader ticks, and the sum. The engine measures none of it.

Reference:
    Argenziano et al. (1998), Epiluminescence microscopy for the diagnosis of doubtful melanocytic skin lesions:
    comparison of the ABCD rule of dermatoscopy and a new 7-point checklist based on pattern analysis, Arch
    Dermatol 134:1563-1570, doi:10.1001/archderm.134.12.1563.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

MAJOR, MINOR = 2, 1
SUSPICIOUS_FROM = 3  # points, of the 1998 checklist


@dataclass(frozen=True)
class Criterion:
    """One of the seven: `points` is `MAJOR` or `MINOR`, `text` says what to look for."""

    code: str
    name: str
    points: int
    text: str


CRITERIA: Final[tuple[Criterion, ...]] = (
    Criterion(
        *("network", "Atypical pigment network", MAJOR),
        "A brown, grey or black net with irregular meshes and thick lines, unevenly spread.",
    ),
    Criterion(
        *("veil", "Blue-whitish veil", MAJOR),
        "An irregular, structureless blue area with a whitish haze like ground glass; never the whole lesion.",
    ),
    Criterion(
        *("vessels", "Atypical vascular pattern", MAJOR),
        "Linear irregular or dotted red vessels that do not lie within regression.",
    ),
    Criterion(
        *("streaks", "Irregular streaks", MINOR),
        "Brown or black projections at the edge, of unequal length, on part of the border only.",
    ),
    Criterion(
        *("globules", "Irregular dots or globules", MINOR),
        "Round or oval, brown to black structures of different sizes, unevenly spread.",
    ),
    Criterion(
        *("blotches", "Irregular blotches", MINOR),
        "Dark structureless pigment of uneven shape or placed off the middle.",
    ),
    Criterion(
        *("regression", "Regression structures", MINOR),
        "White areas like a scar, or blue-grey areas and fine peppering.",
    ),
)


def total(codes: Collection[str]) -> int:
    """Points of the ticked criteria.

    Raises:
        ValueError: a code that is no criterion's.

    >>> total(["veil", "streaks"])
    3
    """
    points = {criterion.code: criterion.points for criterion in CRITERIA}
    if unknown := set(codes) - set(points):
        raise ValueError(f"`codes` must be of {', '.join(points)}; got {', '.join(sorted(unknown))}.")
    return sum(points[code] for code in set(codes))
