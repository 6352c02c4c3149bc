"""The model card in Hugging Face's form holds the stored scores and nothing else."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from core.cli import app
from core.systems import hub_card
from core.systems.hub_card import render_card, write_card
from models.manifest import read_manifest
from tests.fakes import write_bundle


def interval(estimate):
    return {"estimate": estimate, "low": 0.1, "high": 0.9}


@pytest.fixture
def manifest(tmp_path):
    return read_manifest(write_bundle(tmp_path / "bundle", description="Small: one network"))


@pytest.fixture
def runs(tmp_path, manifest):
    """Scores of this bundle on two sets, and of another bundle of the same name."""
    folder = tmp_path / "runs" / manifest.name
    folder.mkdir(parents=True)
    scores = {
        "test": {"classification": {"accuracy": interval(0.81234)}, "segmentation": {"dice": interval(0.9)}},
        "milk10k_test": {
            "classification": {"accuracy": interval(0.7)},
            "melanoma": {"roc_auc_melanoma": interval(None)},
        },
        "validation": {"classification": {"accuracy": interval(0.99)}, "fingerprint": "another"},
    }
    for name, record in scores.items():
        about = {"split": name, "fingerprint": manifest.fingerprint, "n_images": 5, "n_lesions": 4}
        (folder / f"{name}_scores.json").write_text(json.dumps(about | record))
    return folder.parent


def read_header(text: str) -> dict:
    _, header, _ = text.split("---\n", 2)
    return yaml.safe_load(header)


def test_every_metric_stands_with_its_set_split_and_interval(manifest, runs):
    header = read_header(render_card(manifest, runs))
    [model] = header["model-index"]
    found = [
        (one["task"]["type"], one["dataset"]["name"], one["dataset"]["split"], one["metrics"][0]["value"])
        for one in model["results"]
    ]
    assert sorted(found) == [
        ("image-classification", "HAM10000", "test", 0.8123),
        ("image-classification", "MILK10k", "test", 0.7),
        ("image-segmentation", "HAM10000", "test", 0.9),
    ]
    assert header["metrics"] == ["accuracy", "dice"]
    assert "0.100 to 0.900" in model["results"][0]["metrics"][0]["name"]


def test_licence_tags_and_datasets_are_stated(manifest, runs):
    header = read_header(render_card(manifest, runs))
    assert header["license"] == "cc-by-nc-4.0" and "dermoscopy" in header["tags"]
    assert header["datasets"] == ["HAM10000"]


def test_scores_of_another_bundle_are_left_out(manifest, runs):
    assert "0.99" not in render_card(manifest, runs)


def test_without_scores_the_card_says_how_to_get_them(manifest, tmp_path):
    card = render_card(manifest, tmp_path)
    assert "model-index" not in read_header(card) and "dermalens evaluate scores" in card


def test_a_licence_that_is_not_known_is_named(tmp_path):
    manifest = read_manifest(write_bundle(tmp_path / "b", licence='Ask: "us"'))
    assert read_header(render_card(manifest, tmp_path)) | {
        "license": "other",
        "license_name": 'Ask: "us"',
    } == (read_header(render_card(manifest, tmp_path)))


def test_the_command_writes_the_card_beside_the_manifest(manifest, runs, monkeypatch):
    monkeypatch.setattr(hub_card, "RUNS_DIR", runs)
    result = CliRunner().invoke(app, ["bundle", "card", str(manifest.folder)])
    assert result.exit_code == 0
    path = manifest.folder / "README.md"
    assert path.read_text().startswith("---\nlicense:") and str(path) in result.stdout
    assert write_card(manifest, runs) == path
