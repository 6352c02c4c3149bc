"""The command line, on a fake bundle: tables, records, pictures, and what happens to bad files."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from core.batch import worker as job_process
from core.cli import app
from core.evaluation.predictions import read_predictions
from core.images.drawing import encode_png
from core.report import csv_columns
from core.settings import PROJECT_DIR
from core.taxonomy import HAM10000_CLASSES
from tests.fakes import fake_bundle


@pytest.fixture(autouse=True)
def bundle(monkeypatch):
    fake = fake_bundle()
    monkeypatch.setattr("core.analyzer.load_bundle", lambda folder: fake)
    monkeypatch.setattr("core.batch.foreground.read_manifest", lambda: fake.manifest)


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
    assert result.exit_code == 2 and "holds no images" in result.stderr and result.stdout == ""


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
    assert result.exit_code == 2 and result.stdout == ""
    assert "No manifest.json" in result.stderr and "Restore" in result.stderr


@pytest.mark.parametrize(("code", "status"), [("pass", 0), ("raise SystemExit(3)", 3), ("1 / 0", 1)])
def test_a_process_that_ends_at_once_keeps_its_status_its_words_and_what_libraries_do_at_the_end(
    code, status
):
    script = f"""
import atexit
from core import cli
def command():
    atexit.register(print, "library")
    print("said", end=" ")
    {code}
cli.run(command)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT_DIR, capture_output=True, text=True)
    assert done.returncode == status and done.stdout == "said library\n"


def test_no_path_is_a_usage_error():
    assert run().exit_code == 2


def test_pictures_of_an_earlier_run_inside_the_folder_are_not_analysed(image, tmp_path):
    for _ in range(2):
        result = run(image.parent, "--masks", tmp_path / "masks", "--overlays", tmp_path / "overlays")
        assert [row["image"] for row in read_table(result.stdout)] == ["lesion"]


# --- batch ------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path, phantom, bad) -> Path:
    """Five good images of two classes and a bad one, each in a folder named by its class."""
    folder = tmp_path / "images"
    for index, code in enumerate(("mel", "mel", "nv", "nv", "odd")):
        (folder / code).mkdir(parents=True, exist_ok=True)
        (folder / code / f"{index}.png").write_bytes(encode_png(np.roll(phantom.image, index, axis=1)))
    bad.rename(folder / "nv" / "bad.jpg")
    return folder


@pytest.fixture
def to(tmp_path) -> Path:
    return tmp_path / "run"


def run_batch(*arguments):
    return CliRunner().invoke(app, ["batch", "--no-tta", *map(str, arguments)])


def stop_after(monkeypatch, count: int) -> None:
    """Press Ctrl-C once some images are written."""
    describe, seen = job_process.describe, []

    def interrupt(outcome):
        if len(seen) == count:
            raise KeyboardInterrupt
        seen.append(outcome)
        return describe(outcome)

    monkeypatch.setattr(job_process, "describe", interrupt)


def test_a_batch_writes_predictions_with_labels_and_the_errors_apart(folder, to):
    result = run_batch(folder, "--to", to, "--folder-labels")
    assert result.exit_code == 1 and "failed: 1 of 6 images" in result.stderr
    predictions = read_predictions(to / "predictions.csv")
    assert predictions.frame["image_id"].tolist() == ["0", "1", "2", "3", "4"]
    assert predictions.frame["dx"].fillna("").tolist() == ["mel", "mel", "nv", "nv", ""]
    assert "odd (1)" in result.stdout
    [error] = read_table((to / "errors.csv").read_text())
    assert error["image_id"] == "bad" and "damaged" in error["error"]


def test_a_stopped_batch_goes_on_with_the_same_command(folder, to, monkeypatch):
    with monkeypatch.context() as patched:
        stop_after(patched, 2)
        stopped = run_batch(folder, "--to", to)
    assert stopped.exit_code == 130 and "resumes the run" in stopped.stderr
    assert len(read_predictions(to / "predictions.csv")) == 2
    first = (to / "results.jsonl").read_text()
    assert run_batch(folder, "--to", to).exit_code == 1
    lines = (to / "results.jsonl").read_text()
    assert lines.startswith(first) and lines.count("\n") == 6
    assert len(read_predictions(to / "predictions.csv")) == 5


def test_a_batch_takes_labels_from_a_table_also_afterwards(folder, to, tmp_path):
    run_batch(folder, "--to", to)
    table = tmp_path / "labels.csv"
    table.write_text("image,dx,age\n0,mel,40\n1,nv,\n")
    result = run_batch(folder, "--to", to, "--labels", table)
    assert "Labelled: 2 of 6 images" in result.stdout
    predictions = read_predictions(to / "predictions.csv")
    assert predictions.labelled.tolist() == [True, True, False, False, False]
    assert predictions.frame["age"].tolist()[0] == 40


def test_a_folder_with_another_run_is_refused(folder, to):
    run_batch(folder / "mel", "--to", to)
    before = (to / "job.json").read_text()
    result = run_batch(folder, "--to", to)
    assert result.exit_code == 2 and "Name another folder" in result.stderr
    assert (to / "job.json").read_text() == before


def test_a_batch_says_what_is_wrong_with_its_labels(folder, to, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("a,b\n")
    for arguments, message in (
        (["--labels", table], "must have rows"),
        (["--labels", table, "--folder-labels"], "not both"),
    ):
        result = run_batch(folder, "--to", to, *arguments)
        assert result.exit_code == 2 and message in result.stderr and not to.exists()


@pytest.mark.parametrize(
    ("words", "address"),
    [([], ""), (["--ray"], "local"), (["--ray", "--no-tta"], "local"), (["--ray", "head:6379"], "head:6379")],
)
def test_ray_without_an_address_is_a_cluster_on_this_machine(folder, to, monkeypatch, words, address):
    asked = []

    def stop(*given):
        asked.append(given)
        raise KeyboardInterrupt

    monkeypatch.setattr("core.batch.foreground.run_batch", stop)
    CliRunner().invoke(app, ["batch", str(folder), "--to", str(to), *words])
    assert [given[-1] for given in asked] == [address]
