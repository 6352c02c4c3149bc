"""Settings of an analysis, which a user may change, and of the server, which its environment names.

The rest is fixed by the bundle's manifest.
"""

import math
import os
from dataclasses import dataclass, field, fields
from pathlib import Path

from core.errors import DermalensError
from core.images.preprocessing import PreprocessingSettings
from core.images.symmetry import N_SYMMETRIES
from models.manifest import BundleError, Manifest

PROJECT_DIR = Path(__file__).parents[1]
DATA_VARIABLE = "DERMALENS_DATA"  # the environment variable that names the dataset's folder
RECORDS_VARIABLE = "DERMALENS_RECORDS"  # the file of tags, notes, views and reviewed labels
RUNS_GB_VARIABLE = (
    "DERMALENS_RUNS_GB"  # what all batch runs of the app may take on disk together, in 10^9 bytes
)
RUNS_DAYS_VARIABLE = "DERMALENS_RUNS_DAYS"  # how long after its last result a run is kept
WAITING_VARIABLE = "DERMALENS_WAITING"  # how many visitors may wait for an analysis at once


class SettingsError(DermalensError):
    """An environment variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class ServerLimits:
    """What visitors of the app may use together.

    Attributes:
        runs_bytes: all batch runs on disk.
        runs_days: after that many days without a new result a run is deleted.
        waiting: analyses that may wait in front of the one that runs; the next is refused.
    """

    runs_bytes: float = 20e9
    runs_days: float = 30
    waiting: int = 32


def read_limits() -> ServerLimits:
    """The limits that the environment names, else the defaults.

    Raises:
        SettingsError: one of them is no positive number.
    """
    defaults = ServerLimits()
    return ServerLimits(
        runs_bytes=1e9 * _read_positive(RUNS_GB_VARIABLE, defaults.runs_bytes / 1e9),
        runs_days=_read_positive(RUNS_DAYS_VARIABLE, defaults.runs_days),
        waiting=math.ceil(_read_positive(WAITING_VARIABLE, defaults.waiting)),
    )


def _read_positive(variable: str, default: float) -> float:
    text = os.environ.get(variable, "").strip()
    try:
        value = float(text or default)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise SettingsError(f"{variable} must be a positive number; it is {text!r}.")
    return value


@dataclass(frozen=True)
class AnalysisSettings:
    """Options of one analysis.

    Attributes:
        preprocessing: filters that run before the classifier; a bundle states its defaults.
        test_time_augmentation: average eight symmetric views of each window instead of one.
        spot: which spot to take for the lesion where there are several: 0 the main one, 1 the first of
            `RefinedMask.other_spots`, and so on.
    """

    preprocessing: PreprocessingSettings = field(default_factory=PreprocessingSettings)
    test_time_augmentation: bool = True
    spot: int = 0

    @property
    def n_views(self) -> int:
        """How many symmetric views of each window the networks see."""
        return N_SYMMETRIES if self.test_time_augmentation else 1


def default_filters(manifest: Manifest) -> PreprocessingSettings:
    """The filters that a bundle has on by default.

    Raises:
        BundleError: it names an unknown filter.
    """
    known = [field.name for field in fields(PreprocessingSettings)]
    if unknown := set(manifest.filters) - set(known):
        raise BundleError(
            f"{manifest.folder} names the filter {', '.join(sorted(unknown))}; known are {', '.join(known)}."
        )
    return PreprocessingSettings(**dict.fromkeys(manifest.filters, True))


def default_settings(manifest: Manifest) -> AnalysisSettings:
    """The settings that worked best on the bundle's validation split.

    Raises:
        BundleError: it names an unknown filter.
    """
    return AnalysisSettings(default_filters(manifest), manifest.test_time_augmentation)
