"""Settings of an analysis: what a user may change; the rest is fixed by the bundle's manifest."""

from dataclasses import dataclass, field, fields

from core.images.preprocessing import PreprocessingSettings
from core.images.symmetry import N_SYMMETRIES
from models.manifest import BundleError, Manifest

DATA_VARIABLE = "DERMALENS_DATA"  # the environment variable that names the dataset's folder


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
