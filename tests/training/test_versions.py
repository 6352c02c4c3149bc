"""The versions of the shipped bundle side by side: which are listed, and the means by hand."""

import json

import numpy as np
import pytest

from models.manifest import SHIPPED_DIR, read_manifest
from training.report.results import render
from training.versions import (
    VERSION_SCORES,
    read_robustness,
    read_together,
    read_versions,
    render_robustness,
    render_versions,
)


def write_version(folder, version: str, fingerprint: str, score: float) -> None:
    folder.mkdir()
    record = {
        "version": version,
        "fingerprint": fingerprint,
        "classification_detail": dict.fromkeys(VERSION_SCORES.values(), score),
        "segmentation": {"dice": {"estimate": score}},
    }
    for split in ("validation", "test"):
        (folder / f"{split}_scores.json").write_text(json.dumps(record))


def test_every_measured_version_is_listed_and_the_shipped_one_marked(tmp_path):
    manifest = read_manifest(SHIPPED_DIR)
    write_version(tmp_path / manifest.name, "10", manifest.fingerprint, 0.95)
    write_version(tmp_path / f"{manifest.name}_v9", "9", "another", 0.9)
    (tmp_path / f"{manifest.name}_v1").mkdir()
    write_version(tmp_path / f"{manifest.name}_v9_unfinished", "9", "tried", 0.1)
    lines = render([], [], versions=read_versions(tmp_path)).splitlines()
    assert lines[-2:] == ["| 9 |  |" + " 0.900 / 0.900 |" * 6, "| 10 | yes |" + " 0.950 / 0.950 |" * 6]


def test_versions_that_have_not_learned_validation_answer_together(tmp_path):
    name = read_manifest(SHIPPED_DIR).name
    for version, first in ((2, 0.9), (9, 0.3), (11, 0.0)):  # of "mel" for a melanoma; "nv" has the rest
        folder = tmp_path / f"{name}_v{version}"
        folder.mkdir()
        rows = f"a,a,mel,{first},{1 - first}\nb,b,nv,0.2,0.8\n"
        (folder / "validation_predictions.csv").write_text("image_id,lesion_id,dx,p_mel,p_nv\n" + rows)
    numbers, scores = read_together(tmp_path)
    assert numbers == [2, 9]
    assert scores["accuracy"] == 1 and scores["log_loss"] == pytest.approx(-np.log([0.6, 0.8]).mean())
    last = render_versions([], (numbers, scores)).splitlines()[-1]
    assert last.startswith("| 2 to 9 together |  | 1.000 / – |") and last.endswith("| – |")
    assert read_together(tmp_path / "none") is None


def robustness(version: str, n_images: int, scores: dict[str, list[float]], learned=()) -> dict:
    """A record whose Dice is half of its balanced accuracy, from severity 1 on; 0.9 and 0.45 when clean."""
    rows = [
        {"corruption": name, "balanced_accuracy": score, "dice": score / 2}
        for name, values in scores.items()
        for score in values
    ]
    return {
        "version": version,
        "seed": 1,
        "n_images": n_images,
        "clean": {"balanced_accuracy": 0.9, "dice": 0.45},
        "corruptions": rows,
        "learned": list(learned),
    }


def test_robustness_is_a_mean_over_severities():
    old = robustness("9", 42, {"JPEG": [0.8, 0.4], "tilt": [0.8, 0.8]})
    new = robustness("10", 42, {"JPEG": [0.8, 0.6], "tilt": [0.8, 0.8]}, learned=["JPEG"])
    lines = render_robustness([old, new]).splitlines()
    assert lines[-6] == "| corruption | version 9 | version 10 |"
    assert lines[-4:] == [
        "| none | 0.900 / 0.450 | 0.900 / 0.450 |",
        "| JPEG * | 0.600 / 0.300 | 0.700 / 0.350 |",
        "| tilt | 0.800 / 0.400 | 0.800 / 0.400 |",
        "| mean of all | 0.700 / 0.350 | 0.750 / 0.375 |",
    ]


def test_versions_measured_on_other_images_are_left_out(tmp_path):
    name = read_manifest(SHIPPED_DIR).name
    for version, n_images in (("8", 30), ("9", 42), ("10", 42)):
        (tmp_path / f"{name}_v{version}").mkdir()
        record = robustness(version, n_images, {"JPEG": [0.1]})
        (tmp_path / f"{name}_v{version}" / "robustness.json").write_text(json.dumps(record))
    assert [record["version"] for record in read_robustness(tmp_path)] == ["9", "10"]
