"""Fitting sets, decision and novelty: agreement with MAPIE, and what is written where."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from core.diagnosis.conformal import fit_class_quantiles, fit_quantile, prediction_set
from core.evaluation.predictions import PredictionsError, from_frame
from core.images.drawing import encode_png
from core.phantoms.lesions import draw_phantom, random_spec
from models.manifest import MANIFEST_NAME, read_manifest
from tests.fakes import fake_bundle
from training.bundle import fit_novelty, fit_trust, out_of_distribution
from training.bundle.mapie_sets import conformalize, mapie_sets

CODES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def draw_predictions(seed: int, n: int = 210):
    """Labelled predictions of `n` images, two of each lesion, right in most cases."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(CODES)), -(-n // len(CODES)))[:n]
    logits = rng.normal(size=(n, len(CODES))) + 2.5 * np.eye(len(CODES))[labels]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    frame = pd.DataFrame(shares, columns=[f"p_{code}" for code in CODES])
    frame["image_id"] = [f"i{k}" for k in range(n)]
    frame["lesion_id"] = [f"l{k // 2}" for k in range(n)]
    frame["dx"] = [CODES[k] for k in labels]
    return from_frame(frame)


# --- sets


def test_sets_from_the_quantile_are_mapies_sets():
    known, new = draw_predictions(0), draw_predictions(1)
    fitted = conformalize(known.probabilities, known.labels, 0.9, "lac")
    own = prediction_set(new.probabilities, fitted.quantile)
    np.testing.assert_array_equal(own, mapie_sets(fitted, new.probabilities))
    assert 0 < own.mean() < 1


def test_the_quantile_is_mapies_also_for_one_class_alone():
    known = draw_predictions(0)
    scores = 1 - known.probabilities[np.arange(len(known)), known.labels]
    expected = conformalize(known.probabilities, known.labels, 0.9, "lac").quantile
    assert fit_quantile(scores, 0.9) == pytest.approx(expected, abs=1e-12)
    mel = known.labels == CODES.index("mel")
    alone = conformalize(known.probabilities[mel], known.labels[mel], 0.9, "lac").quantile
    quantiles = fit_class_quantiles(known.probabilities, known.labels, 0.9)
    assert quantiles[CODES.index("mel")] == pytest.approx(alone, abs=1e-12)


def test_both_scores_of_mapie_are_compared_by_coverage_and_size():
    compared, entry = fit_trust.fit_sets(draw_predictions(0))
    assert set(compared) == {"lac", "aps", "class_conditional"}
    assert all(0.8 < found["coverage"] <= 1 for found in compared.values())
    assert compared["lac"]["mean_size"] <= compared["aps"]["mean_size"]
    assert entry["n_images"] == [30] * 7 and "210 images" in entry["origin"]
    test = fit_trust.describe_coverage(draw_predictions(1), entry)
    assert test["class_conditional"]["overall"]["estimate"] == pytest.approx(0.9, abs=0.08)
    assert set(test["marginal"]["by_class"]) == set(CODES)


# --- decision


def test_strength_undoes_a_prior_that_hides_a_rare_class():
    # Likelihoods are even and right, but a prior of 9 to 1 pulls every image to class 0.
    likelihood = np.array([[0.7, 0.3]] * 50 + [[0.3, 0.7]] * 50)
    prior = np.array([0.9, 0.1])
    posterior = likelihood * prior / (likelihood * prior).sum(axis=1, keepdims=True)
    assert (posterior.argmax(axis=1) == 0).all()
    strength = fit_trust.best_strength(posterior, np.repeat([0, 1], 50), prior)
    assert strength == 0.7  # 0.9 / 0.1 = 9: the odds 7 / 3 of a rare image win from 9^(1 - t) < 7 / 3 on


def test_where_nothing_is_gained_the_offsets_are_zero():
    compared, entry = fit_trust.fit_decision(draw_predictions(0))  # every class has 30 images
    assert compared["gain_in_balanced_accuracy"]["estimate"] == 0
    assert entry["strength"] == 0 and entry["offsets"] == pytest.approx([0] * 7)


# --- all of it


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A manifest, predictions of two splits and drawn images in place of the dataset's."""
    bundle = fake_bundle()
    runs, images = tmp_path / "runs", tmp_path / "images"
    (runs / bundle.manifest.name).mkdir(parents=True)
    images.mkdir()
    for seed, split in enumerate(("validation", "test")):
        table = runs / bundle.manifest.name / f"{split}_predictions.csv"
        draw_predictions(seed).frame.to_csv(table, index=False)
    rows = []
    for number in range(28):
        path = images / f"{number}.png"
        spec = random_spec(np.random.default_rng(number))
        path.write_bytes(encode_png(draw_phantom(number, size_px=(96, 128), spec=spec).image))
        rows.append(
            {
                "image_path": str(path),
                "lesion_id": f"l{number}",
                "dx": CODES[number % 7],
                "dataset": "ham10000",
            }
        )
    frame = pd.DataFrame(rows)
    monkeypatch.setattr(fit_trust, "load_bundle", lambda folder: bundle)
    monkeypatch.setattr(
        fit_novelty, "read_split", lambda data, split, names: frame[:14] if split == "train" else frame[14:]
    )
    monkeypatch.setattr(fit_novelty, "N_COMPONENTS", 2)
    monkeypatch.setattr(out_of_distribution, "SCENES_PER_KIND", 1)
    monkeypatch.setattr(out_of_distribution, "SIZE_PX", (96, 128))
    (tmp_path / MANIFEST_NAME).write_text(json.dumps(manifest_record(bundle.manifest)))
    return tmp_path


def manifest_record(manifest) -> dict:
    entry = {key: value for key, value in asdict(manifest.segmenter).items() if key != "record"}
    classifier = entry | {
        "classes": list(manifest.classes),
        "views": list(manifest.views),
        "crop_margin": manifest.crop_margin,
        "temperature": manifest.temperature,
        "suspicious_threshold": {"value": manifest.suspicious_threshold, "origin": "made up"},
    }
    return {
        "name": manifest.name,
        "version": manifest.version,
        "segmenter": entry,
        "classifier": classifier,
        "preprocessing": {"defaults": {}},
    }


def test_manifest_file_and_report_are_written_and_read_back(workplace):
    runs = workplace / "runs"
    before = read_manifest(workplace)
    report = fit_trust.fit_trust(workplace, workplace, runs, workplace)
    manifest = read_manifest(workplace)
    assert (before.conformal, before.novelty, before.decision_offsets) == (None, None, None)
    assert manifest.conformal.confidence_level == 0.9 and len(manifest.conformal.class_quantiles) == 7
    assert manifest.novelty.threshold == pytest.approx(report["novelty"]["threshold"])
    assert (workplace / manifest.novelty.file).stat().st_size < 1_000_000
    assert manifest.fingerprint == before.fingerprint
    assert report["novelty"]["n_training_lesions"] == report["novelty"]["n_validation_images"] == 14
    assert set(report["novelty"]["rivals_auroc_on_drawn_scenes"]) == {"mahalanobis", "nearest_neighbours"}
    stored = json.loads((runs / manifest.name / "trust.json").read_text())
    assert stored == report and "test" not in stored["sets"]


def test_the_test_split_is_reported_and_changes_nothing_else(workplace):
    runs = workplace / "runs"
    before = fit_trust.fit_trust(workplace, workplace, runs, workplace)
    manifest = (workplace / MANIFEST_NAME).read_text()
    after = fit_trust.report_test(read_manifest(workplace), runs, workplace)
    assert after["sets"].pop("test")["marginal"]["overall"]["n_images"] == 210
    assert after["decision"].pop("test")["accuracy"]["before"]["estimate"] > 0.5
    assert after == before
    assert (workplace / MANIFEST_NAME).read_text() == manifest


def test_missing_predictions_are_named_with_the_command(workplace):
    (workplace / "runs" / "fake bundle" / "validation_predictions.csv").unlink()
    with pytest.raises(PredictionsError, match=r"evaluate scores --split validation"):
        fit_trust.fit_trust(workplace, workplace, workplace / "runs", workplace)
