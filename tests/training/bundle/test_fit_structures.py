"""The probe of dermoscopic structures is fitted on one part of a data set and tested on another."""

import numpy as np
import pandas as pd
import pytest

from training.bundle.fit_structures import fit_probe, score_probe

NAMES = ("globules", "streaks")


def draw(n: int, seed: int):
    """Features of which the first tells globules and the second, faintly, streaks."""
    rng = np.random.default_rng(seed)
    present = rng.random((n, 2)) < (0.5, 0.2)
    features = rng.normal(5, 2, (n, 6))
    features[:, 0] += 6 * present[:, 0]
    features[:, 1] += 1 * present[:, 1]
    rows = pd.DataFrame(present.astype(int), columns=NAMES).assign(lesion_id=[f"l{k}" for k in range(n)])
    return features, present, rows


def test_a_probe_tells_what_the_features_hold():
    features, present, _ = draw(300, seed=0)
    probe, validated = fit_probe(features, present, NAMES)
    others, _, rows = draw(400, seed=1)
    auc = score_probe(probe, others, rows)
    assert auc["globules"]["estimate"] > 0.95 > auc["streaks"]["estimate"] > 0.5
    assert all(one["low"] < one["estimate"] < one["high"] for one in auc.values())
    assert validated["globules"] == pytest.approx(auc["globules"]["estimate"], abs=0.05)


def test_probabilities_fit_unscaled_features():
    features, present, _ = draw(300, seed=0)
    probe, _ = fit_probe(features, present, NAMES)
    found = probe.predict(features)[:, 0]
    assert found[present[:, 0]].mean() > 0.7 and found[~present[:, 0]].mean() < 0.3
