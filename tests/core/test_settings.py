"""Settings are values: comparable, hashable (they key caches) and unchangeable."""

from dataclasses import FrozenInstanceError

import pytest

from core.images.preprocessing import PreprocessingSettings
from core.images.symmetry import N_SYMMETRIES
from core.settings import AnalysisSettings


def test_equal_settings_are_equal_and_hash_alike():
    first, second = AnalysisSettings(), AnalysisSettings(PreprocessingSettings())
    assert first == second and hash(first) == hash(second)
    assert first != AnalysisSettings(PreprocessingSettings(hair_removal=True))


def test_augmentation_decides_the_number_of_views():
    assert AnalysisSettings().n_views == N_SYMMETRIES
    assert AnalysisSettings(test_time_augmentation=False).n_views == 1


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        AnalysisSettings().test_time_augmentation = False
