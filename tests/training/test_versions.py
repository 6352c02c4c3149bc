"""The versions of the shipped bundle side by side: which are listed, and the means by hand."""

import json

from models.manifest import SHIPPED_DIR, read_manifest
from training.results import render
from training.versions import VERSION_SCORES, read_robustness, read_versions, render_robustness


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
    lines = render([], [], versions=read_versions(tmp_path)).splitlines()
    assert lines[-2:] == ["| 9 |  |" + " 0.900 / 0.900 |" * 6, "| 10 | yes |" + " 0.950 / 0.950 |" * 6]


def robustness(version: str, n_images: int, losses: dict[str, list[float]], learned=()) -> dict:
    """A record whose Dice losses are half of those of balanced accuracy, from severity 1 on."""
    rows = [
        {
            "corruption": name,
            "balanced_accuracy_loss": {"estimate": loss},
            "dice_loss": {"estimate": loss / 2},
        }
        for name, values in losses.items()
        for loss in values
    ]
    return {
        "version": version,
        "seed": 1,
        "n_images": n_images,
        "corruptions": rows,
        "learned": list(learned),
    }


def test_losses_are_means_over_severities_in_points():
    old = robustness("9", 42, {"JPEG": [0.1, 0.3], "tilt": [0.0, 0.1]})
    new = robustness("10", 42, {"JPEG": [0.0, 0.1], "tilt": [0.0, 0.1]}, learned=["JPEG"])
    lines = render_robustness([old, new]).splitlines()
    assert lines[-5] == "| corruption | version 9 | version 10 |"
    assert lines[-3:] == [
        "| JPEG * | 20.0 / 10.0 | 5.0 / 2.5 |",
        "| tilt | 5.0 / 2.5 | 5.0 / 2.5 |",
        "| mean of all | 12.5 / 6.2 | 5.0 / 2.5 |",
    ]


def test_versions_measured_on_other_images_are_left_out(tmp_path):
    name = read_manifest(SHIPPED_DIR).name
    for version, n_images in (("8", 30), ("9", 42), ("10", 42)):
        (tmp_path / f"{name}_v{version}").mkdir()
        record = robustness(version, n_images, {"JPEG": [0.1]})
        (tmp_path / f"{name}_v{version}" / "robustness.json").write_text(json.dumps(record))
    assert [record["version"] for record in read_robustness(tmp_path)] == ["9", "10"]
