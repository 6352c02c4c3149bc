"""What age, sex and site would add: the factor of naive Bayes, and nothing where a fact is unknown."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation.predictions import from_frame
from training.measure.patient_facts import PSEUDO_COUNT, compare, fact_offsets, label_lesions, log_ratios

CLASSES = ("mel", "nv")


@pytest.fixture
def lesions():
    """400 lesions: three of four melanomas on the back, one of four nevi; age and sex say nothing."""
    sites = ["back"] * 75 + ["face"] * 25 + ["back"] * 75 + ["face"] * 225
    frame = pd.DataFrame(
        {"dx": ["mel"] * 100 + ["nv"] * 300, "localization": sites, "sex": "male", "age": 50.0}
    )
    frame["lesion_id"] = frame["image_id"] = [f"L{k}" for k in range(400)]
    return label_lesions(frame, CLASSES)


def see(sites, p_mel=0.5, dx="mel"):
    ids = [f"I{k}" for k in range(len(sites))]
    frame = {"image_id": ids, "p_mel": p_mel, "p_nv": 1 - np.asarray(p_mel), "dx": dx}
    return from_frame(pd.DataFrame(frame | {"localization": sites, "sex": None, "age": np.nan}))


def test_a_value_counts_by_how_much_more_often_a_class_has_it():
    rows = np.array([True] * 900 + [False] * 100 + [True] * 100 + [False] * 900)
    labels = np.repeat([0, 1], 1000)
    # overall 1/2; 90 % and 10 % of the classes, with 20 lesions at the overall share
    shares = (np.array([900, 100]) + PSEUDO_COUNT * 0.5) / (1000 + PSEUDO_COUNT)
    np.testing.assert_allclose(log_ratios(rows, labels, 2), np.log(shares / 0.5))


def test_a_class_that_never_has_a_value_is_not_ruled_out():
    ratios = log_ratios(np.array([True, True, False]), np.array([0, 0, 1]), 2)
    assert np.isfinite(ratios).all() and ratios[0] > 0 > ratios[1]


def test_unknown_and_new_values_add_nothing(lesions):
    offsets = fact_offsets(see(["back", "unknown", None, "tongue"]), lesions, "site")
    assert offsets[0, 0] > 0 > offsets[0, 1]
    assert (offsets[1:] == 0).all()


def test_lesions_count_once():
    frame = pd.DataFrame({"image_id": list("123"), "lesion_id": ["a", "a", "b"], "dx": ["mel", "mel", "nv"]})
    assert label_lesions(frame, CLASSES).labels.tolist() == [0, 1]


def test_telling_facts_help_and_empty_ones_change_nothing(lesions):
    seen = see(
        ["back", "face", "back", "face"], p_mel=[0.55, 0.45, 0.45, 0.55], dx=["mel", "nv", "mel", "nv"]
    )
    rows = {(tuple(row["facts"]), row["share"]): row for row in compare(seen, lesions)}
    alone = rows[(), 0.0]
    assert alone["accuracy"] == 0.5
    assert rows[("site",), 1.0]["accuracy"] == 1.0
    assert rows[("site",), 1.0]["log_loss"] < alone["log_loss"]
    assert rows[("age",), 1.0]["log_loss"] == pytest.approx(alone["log_loss"])
