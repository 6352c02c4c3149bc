"""Runs that learned half of the validation lesions: who judges them, their mean, and the bundle made of it."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from core.datasets.ham10000 import HALVES
from core.phantoms.lesions import draw_phantom
from models import efficientnet
from models.loading import load_bundle
from models.manifest import BundleError, read_manifest
from tests.models.conftest import build_tiny_backbone
from training import average, halves, merge_halves, replace_segmenter
from training.bundle import export, fit_trust, packing, validation
from training.fit.run_folder import Run
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig
from training.fit.train_segmentation import SegmentationConfig
from training.halves import judged_in, judging_bundles, judging_pairs, judging_runs
from training.measure import evaluate, robustness

STAGES = (Stage("all", 1, 1e-3),)
A, B = HALVES
LESION = ClassificationConfig(
    "x", {"backbone": "tiny", "input_size_px": 64}, STAGES, classes=("mel", "nv"), seed=1
)
OUTLINE = SegmentationConfig("x", {"base_filters": 4, "input_size_px": 64}, STAGES)
SPLIT_SIZES = {A: 6, B: 4, "validation": 10}


def rows_of(split: str) -> pd.DataFrame:
    ids = [f"{split}{number}" for number in range(SPLIT_SIZES[split])]
    return pd.DataFrame({"image_id": ids, "lesion_id": ids, "dx": ["mel", "nv"] * (len(ids) // 2)})


def draw(rows: pd.DataFrame):
    phantoms = [draw_phantom(seed, size_px=(96, 128)) for seed in range(len(rows))]
    return [p.image for p in phantoms], [p.lesion_mask for p in phantoms]


def arrays_of(data, splits, long_side_px):
    [split] = splits
    return rows_of(split), *draw(rows_of(split))


@pytest.fixture
def runs(monkeypatch, tmp_path) -> Path:
    """Runs of random weights: two halves of a classifier and of a segmenter, and one judged by all of validation."""
    keras.utils.set_random_seed(1)
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    monkeypatch.setattr(merge_halves, "load_split_arrays", arrays_of)
    for module in (average, halves, export):
        monkeypatch.setattr(module, "RUNS_DIR", tmp_path)
    monkeypatch.setattr(export, "PROJECT_DIR", tmp_path)
    monkeypatch.setattr(packing, "PROJECT_DIR", tmp_path)
    monkeypatch.setattr(packing, "SPLIT_FILE", tmp_path / "split.csv")
    for kind, config in (("lesion", LESION), ("outline", OUTLINE)):
        for name, learn, judge in (("a", A, B), ("b", B, A), ("plain", "", "validation")):
            learned = ("train", learn) if learn else ("train",)
            run = Run(tmp_path / f"{kind}_{name}", replace(config, name=name, learn=learned, judge=judge))
            average.build_network(config).save_weights(run.best_weights)
            run.write_scores({"best_epoch": {"val_macro_auc": 0.5}})
    return tmp_path


def best_weights(folder: Path, config) -> list[np.ndarray]:
    network = average.build_network(config)
    network.load_weights(folder / "checkpoints" / "best.weights.h5")
    return network.get_weights()


@pytest.mark.parametrize(("kind", "config"), [("lesion", LESION), ("outline", OUTLINE)])
def test_the_mean_of_two_halves_has_learned_all_and_is_scored_by_them(runs, kind, config, monkeypatch):
    asked = []
    monkeypatch.setattr(merge_halves, "load_split_arrays", lambda *a: asked.append(a[1][0]) or arrays_of(*a))
    merge_halves.merge("mean", [f"{kind}_a", f"{kind}_b"], Path())
    assert asked == [B, A]  # each run is asked about the half that it has not learned
    record = json.loads((runs / "mean" / "config.json").read_text())["config"]
    assert record["learn"] == ["train", A, B] and record["judge"] == ""
    scores = json.loads((runs / "mean" / "scores.json").read_text())
    assert scores["average_of"] == [f"{kind}_a", f"{kind}_b"]
    first, second, mean = (best_weights(runs / name, config) for name in (f"{kind}_a", f"{kind}_b", "mean"))
    for a, b, c in zip(first, second, mean, strict=True):
        np.testing.assert_allclose(c, (a + b) / 2, atol=1e-6)
    assert judging_runs(runs / "mean") == {B: runs / f"{kind}_a", A: runs / f"{kind}_b"}


def test_outlines_of_both_halves_count_by_their_images(runs):
    networks = [average.build_network(OUTLINE) for _ in HALVES]
    configs = [replace(OUTLINE, judge=half) for half in HALVES]
    apart = [
        merge_halves.train_segmentation.make_validator(*draw(rows_of(half)), 64)(network)["val_dice"]
        for half, network in zip(HALVES, networks, strict=True)
    ]
    together = merge_halves.score_halves(configs, networks, Path())["val_dice"]
    assert together == pytest.approx(0.6 * apart[0] + 0.4 * apart[1])


def test_runs_that_do_not_judge_each_other_are_refused(runs):
    with pytest.raises(ValueError, match="must be judged by validation_a and validation_b"):
        merge_halves.merge("mean", ["lesion_a", "lesion_plain"], Path())


def test_halves_of_another_architecture_are_refused(runs):
    other = replace(LESION, name="b", model=LESION.model | {"input_size_px": 96}, judge=A)
    Run(runs / "lesion_b", other)
    with pytest.raises(ValueError, match="same architecture, input size"):
        merge_halves.merge("mean", ["lesion_a", "lesion_b"], Path())


def test_a_run_that_learned_no_validation_lesions_goes_with_either_half(runs):
    merge_halves.merge("mean", ["lesion_a", "lesion_b"], Path())
    plain = runs / "outline_plain"
    assert judging_pairs(plain, runs / "mean") == {
        A: (plain, runs / "lesion_b"),
        B: (plain, runs / "lesion_a"),
    }
    assert judging_pairs(plain, runs / "lesion_plain") == {"validation": (plain, runs / "lesion_plain")}


def test_one_half_alone_is_not_exported(runs):
    with pytest.raises(ValueError, match="lesion_a cannot judge validation_a"):
        judging_pairs(runs / "outline_plain", runs / "lesion_a")


@pytest.fixture
def drawn_splits(monkeypatch):
    """Drawn images in place of the dataset's."""
    monkeypatch.setattr(validation, "read_split", lambda data, split: rows_of(split))
    monkeypatch.setattr(validation, "load_pixels", lambda rows, long_side_px: draw(rows)[0])
    monkeypatch.setattr(validation, "load_masks", lambda rows, shapes: draw(rows)[1])


@pytest.fixture
def exported(runs, drawn_splits) -> Path:
    """A bundle of both means, its choices made on drawn images."""
    for kind in ("lesion", "outline"):
        merge_halves.merge(f"{kind}_mean", [f"{kind}_a", f"{kind}_b"], Path())
    about = {"name": "small", "version": "7", "description": ""}
    export.export(about, runs / "outline_mean", runs / "lesion_mean", Path(), runs / "bundle")
    return runs / "bundle"


def test_a_bundle_that_has_learned_validation_is_judged_by_its_halves(exported, runs):
    manifest = read_manifest(exported)
    folders = judging_bundles(manifest, "validation")
    assert folders == {half: runs / "small" / "checkpoints" / half for half in HALVES}
    assert judging_bundles(manifest, "test") == {"test": exported}
    assert manifest.learned_splits == ("train", "validation")
    for half, learned in ((A, "b"), (B, "a")):
        judged = read_manifest(folders[half])
        assert judged.classifier.record["training_run"] == f"lesion_{learned}"
        assert judged.segmenter.record["training_run"] == f"outline_{learned}"
        assert (judged.temperature, judged.views) == (manifest.temperature, manifest.views)
        assert judged.classifier.record["prior"] == manifest.classifier.record["prior"]


def test_each_image_is_shown_to_the_bundle_of_its_half(drawn_splits):
    bundles = {
        half: SimpleNamespace(name=half, manifest=SimpleNamespace(classes=("mel", "nv"))) for half in HALVES
    }
    split = validation.LabelledImages.read(None, bundles)
    assert [bundle.name for bundle in split.bundles] == [A] * 6 + [B] * 4
    assert split.rows["image_id"].tolist() == [*rows_of(A)["image_id"], *rows_of(B)["image_id"]]
    chunks = [(bundle.name, part) for bundle, part in split.chunks("images")]
    assert chunks == [(A, slice(0, 6)), (B, slice(6, 10))]
    assert [bundle.name for bundle in split.every(2).bundles] == [A] * 3 + [B] * 2


def write_outlines(runs: Path, kind: str) -> None:
    """Another segmenter's halves and their mean, who see no lesion anywhere."""
    for name, learn, judge in (("a", A, B), ("b", B, A)):
        run = Run(runs / f"{kind}_{name}", replace(OUTLINE, name=name, learn=("train", learn), judge=judge))
        network = average.build_network(OUTLINE)
        network.layers[-1].bias.assign([-20.0])
        network.save_weights(run.best_weights)
        run.write_scores({"best_epoch": {"val_dice": 0.5}})
    merge_halves.merge(f"{kind}_mean", [f"{kind}_a", f"{kind}_b"], Path())


def test_a_segmenter_is_replaced_and_the_classifier_stays(exported, runs, monkeypatch):
    monkeypatch.setattr(replace_segmenter, "RUNS_DIR", runs)
    write_outlines(runs, "new")
    (runs / "small" / "trust.json").write_text(json.dumps({"version": "7", "sets": 1}))
    shutil.copytree(runs / "small", runs / "small_v7", ignore=shutil.ignore_patterns("checkpoints"))
    before = read_manifest(exported)
    replace_segmenter.replace_segmenter(exported, runs / "new_mean", "8", "small_v7", Path())
    after = read_manifest(exported)
    assert (after.version, after.temperature, after.views) == ("8", before.temperature, before.views)
    assert after.classifier.sha256 == before.classifier.sha256
    assert after.segmenter.sha256 != before.segmenter.sha256
    assert after.segmenter.record["training_run"] == "new_mean" and judged_in(after) == runs / "small_v7"
    assert judged_in(before) is None
    folders = judging_bundles(after, "validation")
    for half, learned in ((A, "b"), (B, "a")):
        judged = load_bundle(folders[half]).manifest
        assert judged.segmenter.record["training_run"] == f"new_{learned}"
        assert judged.classifier.sha256 == before.classifier.sha256
    old, new = (
        json.loads((runs / name / "validation_choices.json").read_text()) for name in ("small_v7", "small")
    )
    assert new.pop("refinement")["plain"]["dice"] < old.pop("refinement")["plain"]["dice"]
    assert new == old
    trust = json.loads((runs / "small" / "trust.json").read_text())
    assert trust == {**after.stamp, "sets": 1, "classes_judged_in": "small_v7"}
    with pytest.raises(BundleError, match=r"networks of small_v7.*--report-test"):
        fit_trust.fit_trust(exported, Path(), runs, exported)


def test_a_segmenter_that_nobody_can_judge_by_halves_replaces_nothing(exported, runs, monkeypatch):
    monkeypatch.setattr(replace_segmenter, "RUNS_DIR", runs)
    before = (exported / "manifest.json").read_text()
    with pytest.raises(ValueError, match="outline_plain is no mean of two halves"):
        replace_segmenter.replace_segmenter(exported, runs / "outline_plain", "8", "small", Path())
    assert (exported / "manifest.json").read_text() == before


def test_answers_on_record_take_the_place_of_what_was_answered(tmp_path):
    columns = {"image_id": ["b", "a"], "p_mel": [0.1, 0.2], "raw_mel": [0.1, 0.2], "prediction": ["nv", "nv"]}
    asked = pd.DataFrame(columns | {"warnings": ["", "dark"], "dice": [0.5, 0.6]})
    kept = pd.DataFrame(
        {"image_id": ["a", "b", "c"], "p_mel": [0.7, 0.8, 0.9], "raw_mel": [0.5, 0.6, 0.7]}
    ).assign(prediction="mel", warnings="none", dice=0.0)
    kept.to_csv(tmp_path / "validation_predictions.csv", index=False)
    both = evaluate.with_answers_on_record(asked, tmp_path)
    assert both["p_mel"].tolist() == [0.8, 0.7] and both["raw_mel"].tolist() == [0.6, 0.5]
    assert both["prediction"].tolist() == ["mel", "mel"]
    assert both["dice"].tolist() == [0.5, 0.6] and both["warnings"].tolist() == ["", "dark"]


def test_halves_of_another_version_judge_nothing(exported, runs):
    path = runs / "small" / "checkpoints" / A / "manifest.json"
    path.write_text(path.read_text().replace('"version": "7"', '"version": "6"'))
    with pytest.raises(BundleError, match="make train"):
        judging_bundles(read_manifest(exported), "validation")


@pytest.mark.parametrize("command", [evaluate, robustness])
def test_commands_without_the_halves_say_what_to_run(exported, runs, command, monkeypatch, capsys):
    shutil.rmtree(runs / "small" / "checkpoints")
    split = ["--split", "validation"] if command is evaluate else []
    monkeypatch.setattr(sys, "argv", ["command", *split, "--bundle", str(exported)])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == 1 and "`make train` writes them" in capsys.readouterr().err


def test_a_bundle_that_has_learned_no_validation_lesions_is_judged_itself(runs):
    about = {"name": "plain", "version": "1", "description": ""}
    export.write_draft(about, runs / "outline_plain", runs / "lesion_plain", runs / "other")
    assert judging_bundles(read_manifest(runs / "other"), "validation") == {"validation": runs / "other"}
