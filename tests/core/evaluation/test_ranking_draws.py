"""Draws of AUC and average precision: grouped scores against exact ones."""

import numpy as np
import pytest

from core.evaluation import ranking_draws as module
from core.evaluation.bootstrap import draw_lesions
from core.evaluation.ranking_draws import ranking_draws


def draw_outcomes(n: int, positives: float, answers: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    positive = rng.random(n * answers) < positives
    return positive, np.round(rng.beta(1, 6, n * answers) + 0.1 * positive, 4)  # with ties


@pytest.mark.parametrize("positives, answers", [(0.3, 1), (0.01, 1), (0.3, 3)])
def test_grouped_draws_agree_with_exact_ones(monkeypatch, positives, answers):
    outcome = draw_outcomes(3000, positives, answers)
    resamples = draw_lesions(np.arange(3000) // 2, 40)
    [exact] = ranking_draws([outcome], resamples)
    monkeypatch.setattr(module, "MANY", 100)
    monkeypatch.setattr(module, "_LEVELS", 200)
    [grouped] = ranking_draws([outcome], resamples)
    for ours, reference in zip(grouped, exact, strict=True):
        assert ours[0] == pytest.approx(reference[0], abs=1e-12)
        assert ours == pytest.approx(reference, abs=2e-3)
        assert not np.array_equal(ours, reference)  # they took the other way


@pytest.mark.parametrize("positive", [True, False])
def test_one_outcome_alone_has_no_area_in_either_way(monkeypatch, positive):
    outcome = np.full(300, positive), np.linspace(0, 1, 300)
    resamples = draw_lesions(np.arange(300), 5)
    [(area, _)] = ranking_draws([outcome], resamples)
    monkeypatch.setattr(module, "MANY", 100)
    [(grouped, _)] = ranking_draws([outcome], resamples)
    assert np.isnan(area).all() and np.isnan(grouped).all() and len(grouped) == 6
