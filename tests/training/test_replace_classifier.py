"""Another bundle's classifier in a bundle: what is known of its classes comes with it, outlines stay as they were."""

import json
from pathlib import Path

import keras
import pytest

from models import efficientnet
from models.loading import load_bundle
from models.manifest import read_manifest
from tests.models.conftest import build_tiny_backbone
from training import average, replace_classifier
from training.bundle import export, packing
from training.fit.run_folder import Run
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig
from training.fit.train_segmentation import SegmentationConfig
from training.halves import judged_in
from training.measure import evaluate

STAGES = (Stage("all", 1, 1e-3),)
TINY = {"backbone": "tiny", "input_size_px": 64}
LESION = ClassificationConfig("lesion", TINY, STAGES, classes=("mel", "nv"))
OUTLINE = SegmentationConfig("outline", {"base_filters": 4, "input_size_px": 64}, STAGES)
JUDGED = ("robustness", "trust", "validation_scores")


def write_bundle(root: Path, name: str, version: str) -> Path:
    """A bundle of random weights."""
    lesion, outline = (Run(root / f"{name}_{config.name}", config) for config in (LESION, OUTLINE))
    for run, config in ((lesion, LESION), (outline, OUTLINE)):
        average.build_network(config).save_weights(run.best_weights)
        run.write_scores({})
    about = {"name": name, "version": version, "description": ""}
    export.write_draft(about, outline.dir, lesion.dir, root / f"{name}_bundle")
    (root / f"{name}_bundle" / "novelty.npz").write_text(name)
    return root / f"{name}_bundle"


def write_records(folder: Path, p_mel: float, score: float) -> None:
    """What was measured on the validation split: `score` is every score, of outlines and classes."""
    folder.mkdir()
    rows = [f"{dx},{dx},{dx},{p_mel},{1 - p_mel},0.5,0.5,{score},{score}" for dx in ("mel", "nv")]
    columns = "image_id,lesion_id,dx,p_mel,p_nv,p1_mel,p1_nv,dice,jaccard"
    (folder / "validation_predictions.csv").write_text("\n".join([columns, *rows, ""]))
    scores = {"balanced_accuracy": score, "dice": score}
    tables = {name: [scores] for name in ("mean_by_severity", "mean_by_severity_unseen", "corruptions")}
    sample = {"seed": 1, "n_images": 2, "n_images_by_class": {}}
    records = {
        "robustness": sample | tables | {"clean": scores, "nevi": {"rate": score}},
        "trust": {"sets": score},
        "validation_choices": {"refinement": score, "windows": score},
    }
    for name, record in records.items():
        (folder / f"{name}.json").write_text(json.dumps(record))


@pytest.fixture
def bundles(monkeypatch, tmp_path) -> tuple[Path, Path]:
    """The bundle "ours" and "other", with records in the same folder."""
    keras.utils.set_random_seed(1)
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    for module in (evaluate, export, replace_classifier):
        monkeypatch.setattr(module, "RUNS_DIR", tmp_path)
    monkeypatch.setattr(packing, "PROJECT_DIR", tmp_path)
    monkeypatch.setattr(packing, "SPLIT_FILE", tmp_path / "split.csv")
    write_records(tmp_path / "ours", 0.1, 0.9)
    write_records(tmp_path / "other", 0.8, 0.7)
    return write_bundle(tmp_path, "ours", "1"), write_bundle(tmp_path, "other", "2")


def test_the_classifier_comes_with_its_records_and_the_outlines_keep_theirs(bundles):
    folder, other = bundles
    before, found = read_manifest(folder), read_manifest(other)
    replace_classifier.replace_classifier(folder, other, "2")
    after = load_bundle(folder).manifest
    assert (after.name, after.version) == ("ours", "2") and judged_in(after).name == "other"
    assert after.segmenter.sha256 == before.segmenter.sha256
    assert after.classifier.sha256 == found.classifier.sha256 != before.classifier.sha256
    assert (folder / "novelty.npz").read_text() == "other"
    records = {path.stem: json.loads(path.read_text()) for path in folder.with_name("ours").glob("*.json")}
    assert records["validation_choices"] == {"refinement": 0.9, "windows": 0.7}
    assert records["robustness"]["clean"] == {"balanced_accuracy": 0.7, "dice": 0.9}
    assert records["robustness"]["nevi"] == {"rate": 0.7} and records["trust"]["sets"] == 0.7
    assert records["validation_scores"]["classification"]["accuracy"]["estimate"] == 0.5
    assert records["validation_scores"]["segmentation"]["dice"]["estimate"] == 0.9
    for name in JUDGED:
        assert (records[name]["fingerprint"], records[name]["classes_judged_in"]) == (
            after.fingerprint,
            "other",
        )
    table = (folder.with_name("ours") / "validation_predictions.csv").read_text()
    assert table.splitlines()[1].startswith("mel,mel,mel,0.8,0.2,")


def test_nothing_changes_where_a_record_is_missing(bundles):
    folder, other = bundles
    (folder.with_name("other") / "robustness.json").unlink()
    before = (folder / "manifest.json").read_text()
    with pytest.raises(FileNotFoundError, match=r"robustness\.json"):
        replace_classifier.replace_classifier(folder, other, "2")
    assert (folder / "manifest.json").read_text() == before
