"""The command line, on a fake bundle: tables, records, pictures, and what happens to bad files."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from core.cli import app
from core.report import csv_columns, encode_png
from core.taxonomy import HAM10000_CLASSES
from tests.fakes import fake_bundle


@pytest.fixture(autouse=True)
def bundle(monkeypatch):
    fake = fake_bundle()
    monkeypatch.setattr("core.analyzer.load_bundle", lambda folder: fake)


@pytest.fixture
def image(tmp_path, phantom) -> Path:
    path = tmp_path / "lesion.png"
    path.write_bytes(encode_png(phantom.image))
    return path


@pytest.fixture
def bad(tmp_path) -> Path:
    path = tmp_path / "bad.jpg"
    path.write_bytes(b"\xff\xd8\xff broken")
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["analyze", *map(str, arguments)])


def read_table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_goes_to_standard_output_and_nothing_else_does(image, bad):
    result = run(image, bad)
    header, *rows = csv.reader(io.StringIO(result.stdout))
    assert header == csv_columns(HAM10000_CLASSES)
    assert [row[0] for row in rows] == ["lesion", "bad"]
    assert "bad.jpg" in result.stderr and "damaged" in result.stderr


def test_good_images_exit_with_zero_and_have_all_columns(image, tmp_path):
    out = tmp_path / "out.csv"
    assert run(image, "--csv", out).exit_code == 0
    [row] = read_table(out.read_text())
    assert row["image"] == "lesion" and row["error"] == ""
    assert sum(float(row[code]) for code in HAM10000_CLASSES) == pytest.approx(1, abs=1e-6)


def test_a_bad_file_gets_a_row_with_its_error_and_the_exit_status_is_one(image, bad, tmp_path):
    out = tmp_path / "out.csv"
    result = run(bad, image, "--csv", out)
    assert result.exit_code == 1 and "1 of 2 images failed" in result.stderr
    first, second = read_table(out.read_text())
    assert first["image"] == "bad" and "damaged" in first["error"] and first["prediction"] == ""
    assert second["image"] == "lesion" and second["error"] == "" and second["prediction"]


def test_a_missing_path_is_one_of_the_failures(image, tmp_path):
    result = run(tmp_path / "nowhere.jpg", image)
    assert result.exit_code == 1
    missing, good = read_table(result.stdout)
    assert "No file" in missing["error"] and good["error"] == ""


def test_a_folder_and_a_file_of_it_are_analysed_once_each(image, phantom, tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "lesion.png").write_bytes(encode_png(phantom.image[:, ::-1]))
    result = run(image, tmp_path)
    assert result.exit_code == 0
    assert [row["image"] for row in read_table(result.stdout)] == ["lesion", "lesion_2"]


def test_an_empty_folder_is_refused_before_anything_runs(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 1 and "holds no images" in result.stderr and result.stdout == ""


def test_masks_have_the_images_size_and_hold_0_and_255(image, phantom, tmp_path):
    assert run(image, "--masks", tmp_path / "new" / "masks").exit_code == 0
    mask = np.asarray(Image.open(tmp_path / "new" / "masks" / "lesion.png"))
    assert mask.shape == (150, 200) and set(np.unique(mask)) == {0, 255}
    found = mask > 0
    assert (found & phantom.lesion_mask).sum() / (found | phantom.lesion_mask).sum() > 0.85


def test_overlays_are_the_image_with_an_outline(image, phantom, tmp_path):
    assert run(image, "--overlays", tmp_path / "overlays").exit_code == 0
    drawn = np.asarray(Image.open(tmp_path / "overlays" / "lesion.png"))
    changed = (drawn != phantom.image).any(axis=-1)
    assert drawn.shape == phantom.image.shape and 0.005 < changed.mean() < 0.2


def test_records_are_strict_json_with_an_entry_for_every_image(image, bad, tmp_path):
    out = tmp_path / "out.json"
    assert run(image, bad, "--json", out).exit_code == 1
    good, failed = json.loads(out.read_text(), parse_constant=lambda name: pytest.fail(name))
    assert good["image"]["name"] == "lesion.png" and good["views"]["count"] == 16
    assert failed["image"]["name"] == "bad.jpg" and "damaged" in failed["error"]


def test_without_augmentation_each_window_has_one_view(image, tmp_path):
    out = tmp_path / "out.json"
    run(image, "--json", out, "--no-tta")
    [record] = json.loads(out.read_text())
    assert record["views"]["count"] == 2 and record["settings"]["test_time_augmentation"] is False


def test_result_files_may_lie_in_a_new_folder(image, tmp_path):
    table, record = tmp_path / "a" / "out.csv", tmp_path / "b" / "c" / "out.json"
    result = run(image, "--csv", table, "--json", record)
    assert result.exit_code == 0 and result.stdout == ""
    assert table.is_file() and record.is_file()


def test_a_missing_bundle_is_named_with_its_remedy(image, monkeypatch, tmp_path):
    from models.loading import load_bundle

    monkeypatch.setattr("core.analyzer.load_bundle", lambda folder: load_bundle(tmp_path / "nothing"))
    result = run(image)
    assert result.exit_code == 1 and result.stdout == ""
    assert "No manifest.json" in result.stderr and "Restore" in result.stderr


def test_no_path_is_a_usage_error():
    assert run().exit_code == 2


def test_pictures_of_an_earlier_run_inside_the_folder_are_not_analysed(image, tmp_path):
    for _ in range(2):
        result = run(image.parent, "--masks", tmp_path / "masks", "--overlays", tmp_path / "overlays")
        assert [row["image"] for row in read_table(result.stdout)] == ["lesion"]
