"""The model card's tables and failures, from small records."""

import json
from dataclasses import asdict

import pandas as pd

from core.phantoms.lesions import PhantomSpec
from core.systems.model_card import (
    artefact_rows,
    known_failures,
    read_record,
    score_table,
    severity_rows,
    split_table,
    trust_rows,
)
from tests.fakes import fake_bundle


def row(seed: int, dice: float, **more) -> dict:
    """A phantom's row as JSON gives it back: tuples are lists."""
    spec = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(PhantomSpec()).items()}
    return {"seed": seed, "spec": spec, "dice": dice, "suspicious_probability": 0.1} | more


def test_a_record_that_nobody_wrote_or_that_is_of_other_weights_is_empty(tmp_path):
    manifest = fake_bundle().manifest
    assert read_record(manifest, "trust.json", tmp_path) == {}
    path = tmp_path / manifest.name / "trust.json"
    path.parent.mkdir()
    for fingerprint, found in (("other", {}), (manifest.fingerprint, {"fingerprint": manifest.fingerprint})):
        path.write_text(json.dumps({"fingerprint": fingerprint}))
        assert read_record(manifest, "trust.json", tmp_path) == found


def test_scores_of_both_splits_stand_side_by_side_and_absent_ones_are_undefined():
    both = {"dice": {"estimate": 0.9, "low": 0.85, "high": 0.95}}
    table = score_table(
        {"test": {"segmentation": both}, "validation": {"segmentation": both | {"jaccard": 0.8}}, "x": {}}
    )
    assert table.columns.tolist() == ["score", "test", "validation"]
    assert table.iloc[0].tolist() == ["dice", "0.900 (0.850 to 0.950)", "0.900 (0.850 to 0.950)"]
    assert table.iloc[1].tolist() == ["jaccard", "undefined", "0.800"]


def test_without_any_record_the_score_table_is_empty():
    assert score_table({"test": {}, "validation": {}}).empty


def test_splits_are_counted_by_image_and_by_lesion(tmp_path):
    path = tmp_path / "split.csv"
    frame = pd.DataFrame(
        {
            "image_id": list("abcd"),
            "lesion_id": ["L1", "L1", "L2", "L3"],
            "dx": ["nv", "nv", "mel", "nv"],
            "split": ["train", "train", "train", "test"],
        }
    )
    frame.to_csv(path, index=False)
    table = split_table(path).set_index("split")
    assert table.loc["train", ["images", "lesions", "mel", "nv"]].tolist() == [3, 2, 1, 2]
    assert table.loc["validation", "images"] == 0


def test_the_worst_masks_come_first():
    failures = known_failures({"phantoms": [row(1, 0.9), row(2, 0.5), row(3, 0.7)]})
    assert [failure.seed for failure in failures] == [2, 3]
    assert failures[0].spec == PhantomSpec()
    assert "0.50" in failures[0].text


def test_an_artefact_shows_the_lesion_whose_malignancy_probability_it_raises_most():
    artefacts = [
        row(1, 0.9, artefact=None),
        row(1, 0.9, artefact="ink", suspicious_probability=0.3),
        row(2, 0.9, artefact=None),
        row(2, 0.9, artefact="ink", suspicious_probability=0.8),
        row(2, 0.9, artefact="hair", suspicious_probability=0.05),  # lowers it: no failure
    ]
    [failure] = known_failures({"artefacts": artefacts})
    assert (failure.seed, failure.title) == (2, "Misled by ink")
    assert failure.text == "Probability of malignancy 10% without, 80% with"


def test_no_record_gives_no_failures():
    assert known_failures({}) == []


def interval(estimate: float | None) -> dict:
    return {"estimate": estimate, "low": 0.1, "high": 0.95, "n_images": 9}


def test_trust_names_the_class_that_is_covered_worst_and_skips_classes_without_images():
    sets = {"overall": interval(0.9), "mean_size": 1.5}
    sets["by_class"] = {"mel": interval(0.7), "nv": interval(0.95), "df": interval(None)}
    strange = {"auroc": 0.99, "share_caught": 0.8}
    record = {"sets": {"test": {"marginal": sets}}, "novelty": {"false_alarms": 0.02}}
    rule = {"before": interval(0.7), "after": interval(0.75)}
    record["decision"] = {"test": {"balanced_accuracy": rule}}
    record["novelty"] |= {"drawn_scenes": {"all": strange}, "sample_pictures": strange | {"auroc": 0.96}}
    rows = dict(trust_rows(record))
    assert rows["90 % sets, one threshold: worst class (mel)"] == "0.700 (0.100 to 0.950)"
    assert rows["Balanced accuracy on test, by the class-balanced decision"] == "0.750 (0.100 to 0.950)"
    assert rows["Out-of-distribution images: false positives on validation"] == "2.0%"
    assert rows["AUROC against drawn scenes"] == "0.990 (80% detected)"


def test_trust_before_the_test_split_was_looked_at_has_no_coverage():
    rows = dict(trust_rows({"sets": {}, "novelty": {"false_alarms": 0.02}}))
    assert list(rows) == ["Out-of-distribution images: false positives on validation"]


def test_losses_and_false_positives_are_given_in_points():
    loss = {"severity": 3, "balanced_accuracy_loss": 0.051, "dice_loss": 0.02, "unchanged_share": 0.9}
    unseen = loss | {"balanced_accuracy_loss": 0.06}
    [row] = severity_rows({"mean_by_severity": [loss], "mean_by_severity_unseen": [unseen]})
    assert row["Severity"] == "3" and row["Balanced accuracy lost"] == "5.1 points"
    assert row["… never trained with"] == "6.0 points"
    change = {"estimate": 0.03, "low": -0.01, "high": 0.07}
    nevi = {"clean_false_positive_rate": {"estimate": 0.3}}
    nevi["artefacts"] = [{"artefact": "ink", "false_positive_rate": 0.33, "change": change}]
    [row] = artefact_rows({"nevi": nevi})
    assert row["False positives"] == "30.0% → 33.0%"
    assert row["Change (95 % interval)"] == "+3.0 points (-1.0 to +7.0)"
