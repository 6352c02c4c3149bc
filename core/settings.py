"""Settings of an analysis: what a user may switch, apart from what a bundle's manifest fixes."""

from dataclasses import dataclass, field

from core.images.preprocessing import PreprocessingSettings
from core.images.symmetry import N_SYMMETRIES


@dataclass(frozen=True)
class AnalysisSettings:
    """What a caller chooses for one analysis.

    Attributes:
        preprocessing: filters that run before the classifier; a bundle states its defaults.
        test_time_augmentation: average eight symmetric views of each window instead of one.
    """

    preprocessing: PreprocessingSettings = field(default_factory=PreprocessingSettings)
    test_time_augmentation: bool = True

    @property
    def n_views(self) -> int:
        """How many symmetric views of each window the networks see."""
        return N_SYMMETRIES if self.test_time_augmentation else 1
