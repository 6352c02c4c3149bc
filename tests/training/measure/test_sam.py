"""The SAM benchmark's command on drawn pictures in the expected layout."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analyzer import Analyzer
from core.images.drawing import encode_png
from core.phantoms.lesions import draw_phantom
from tests.fakes import fake_bundle
from training.measure import sam
from training.measure.sam_files import SamError, describe, list_images

NAMES = ("one", "two")


@pytest.fixture
def data(tmp_path) -> Path:
    """Two drawn lesions: clean, under two corruptions at two severities, and in sequences of three frames."""
    folder = tmp_path / "data"
    for number, name in enumerate(NAMES):
        image = draw_phantom(number, size_px=(90, 120)).image
        write(folder / "SAM" / f"{name}.png", image)
        for severity in (1, 2):
            dark = (image * (1 - 0.3 * severity)).astype(np.uint8)
            write(folder / "SAM-C" / "brightness_down" / str(severity) / f"{name}.png", dark)
            write(folder / "SAM-C" / "contrast" / str(severity) / f"{name}.png", image // 2 + 64)
        for frame in range(3):
            write(folder / "SAM-P" / "brightness" / name / f"{frame:02d}.png", image // (frame + 1))
    return folder


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(image))


@pytest.fixture(autouse=True)
def analyzer(monkeypatch) -> Analyzer:
    fake = Analyzer(fake_bundle())
    monkeypatch.setattr(sam.Analyzer, "load", lambda folder=None: fake)
    return fake


def test_each_part_gets_its_scores_and_a_submission_file(data, tmp_path):
    record = sam.run(data, tmp_path / "out")
    assert record["SAM"]["n_images"] == 2 and record["SAM-C"]["n_images"] == 8
    assert set(record["SAM-C"]["corruptions"]) == {"brightness_down", "contrast"}
    assert 0 <= record["SAM-P"]["mean_flip_rate"] <= 1 and record["SAM-C"]["mean_balanced_error"] is None
    table = pd.read_csv(tmp_path / "out" / "fake bundle-0_SAM-P.csv")
    assert table.columns.tolist() == ["image_path", "nevus", "melanoma"] and len(table) == 6
    np.testing.assert_allclose(table["nevus"] + table["melanoma"], 1, atol=1e-5)
    assert json.loads((tmp_path / "out" / "sam.json").read_text()) == record
    assert "computed by the benchmark's authors" in sam.describe(record)


def test_with_labels_the_errors_are_there(data, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("image,dx\none,mel\ntwo,nv\n")
    record = sam.run(data, tmp_path / "out", labels=labels)
    assert record["labelled"] and record["SAM-C"]["relative_mean_balanced_error_to_baseline"] is not None
    labels.write_text("image,dx\nother,mel\n")
    with pytest.raises(SamError, match="labels none of the 2 pictures"):
        sam.run(data, tmp_path / "out", labels=labels)


def test_a_stopped_run_is_resumed_without_its_half_written_row(data, tmp_path, monkeypatch):
    first = sam.run(data, tmp_path / "out")
    [kept] = (tmp_path / "out").glob("answers_*.csv")
    lines = kept.read_text().splitlines(keepends=True)
    kept.write_text("".join(lines[:4]) + lines[4][:-4])
    asked = []
    answer = sam.analyze_paths
    monkeypatch.setattr(sam, "analyze_paths", lambda a, paths, s: asked.extend(paths) or answer(a, paths, s))
    again = sam.run(data, tmp_path / "out")
    assert len(asked) == 16 - 3
    assert {part: again[part] for part in ("SAM", "SAM-C", "SAM-P")} == {
        part: first[part] for part in ("SAM", "SAM-C", "SAM-P")
    }


def test_a_template_says_which_images_there_are_and_keeps_its_paths(data, tmp_path):
    (data / "Mine_SAM-C.csv").write_text(
        "image_path,nevus,melanoma\ncontrast/1/one.png,,\nSAM-C/contrast/2/two.png,,\n"
    )
    sam.run(data, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "fake bundle-0_SAM-C.csv")
    assert table["image_path"].tolist() == ["contrast/1/one.png", "SAM-C/contrast/2/two.png"]
    assert table["melanoma"].notna().all()


def test_an_unreadable_image_is_counted_and_the_others_are_scored(data, tmp_path):
    (data / "SAM" / "one.png").write_bytes(b"\x89PNG broken")
    record = sam.run(data, tmp_path / "out")
    assert record["unreadable"] == 1 and record["SAM"]["n_images"] == 1


def test_another_folder_is_refused_with_what_is_expected(tmp_path):
    with pytest.raises(SamError, match="neither SAM, SAM-C"):
        list_images(tmp_path)


@pytest.mark.parametrize(
    ("part", "name", "message"),
    [
        ("SAM-C", "SAM-C/fog/1/a.png", "no folder is named as one of gaussian_noise"),
        ("SAM-C", "SAM-C/contrast/a.png", "says the severity"),
        ("SAM-P", "SAM-P/tilt/a/first.png", "number of the frame"),
    ],
)
def test_a_path_that_says_too_little_is_named(part, name, message):
    with pytest.raises(SamError, match=message):
        describe(part, name, Path())


def test_frames_may_stand_in_the_files_name():
    image = describe("SAM-P", "SAM-P/Tilt/a_3.png", Path())
    assert (image.transformation, image.image, image.sequence, image.frame) == ("tilt", "a", "tilt/a", 3)
