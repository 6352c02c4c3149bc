"""The Images source of the Evaluate page: start, follow, cancel, resume, reopen and delete a run."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.batch import job as jobs
from core.batch import worker as job_process
from core.batch.job import Job
from core.images.drawing import encode_png
from core.phantoms.lesions import draw_phantom
from pages.components.cases.cards import build_card, read_case
from pages.components.evaluate import batch_form, run_access
from tests.fakes import fake_bundle
from tests.pages.driver import keys, read_text, run

# The source by itself, as the page calls it; `found` is what the page goes on with.
SCRIPT = """
import streamlit as st
from pages.components.evaluate import batch_run
st.session_state["found"] = batch_run.draw()
"""


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """Where the runs lie in this test."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setattr(jobs, "jobs_dir", lambda: folder)
    return folder


@pytest.fixture
def worker(monkeypatch, fake_networks):
    """A run's process in this process; it stops by itself after `worker["stop_after"]` images."""
    bundle, options = fake_bundle(), {"stop_after": None}
    monkeypatch.setattr("core.analyzer.load_bundle", lambda folder: bundle)

    def start(job: Job) -> None:
        (job.folder / "cancel").unlink(missing_ok=True)
        seen = []

        def count(outcome) -> None:
            seen.append(outcome)
            if len(seen) == options["stop_after"]:
                jobs.cancel(job)

        with jobs.hold(job):
            job_process.run(job, count)

    monkeypatch.setattr(jobs, "start", start)
    return options


@pytest.fixture
def app(root, worker, monkeypatch) -> AppTest:
    monkeypatch.delenv("DERMALENS_ROOT", raising=False)
    monkeypatch.delenv("DERMALENS_DATA", raising=False)
    st.cache_resource.clear()
    return run(AppTest.from_string(SCRIPT, default_timeout=60))


@pytest.fixture(scope="module")
def pngs() -> list[bytes]:
    image = draw_phantom(7, size_px=(96, 128)).image
    return [encode_png(np.roll(image, index, axis=1)) for index in range(6)]


@pytest.fixture(scope="module")
def archive(pngs) -> bytes:
    """Two melanomas, two nevi, one damaged nevus and one of a class that is not known."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for index, code in enumerate(("mel", "mel", "nv", "nv", "nv", "odd")):
            file.writestr(f"{code}/{index}.png", pngs[index][:100] if index == 4 else pngs[index])
        file.writestr("readme.txt", "x")
    return stream.getvalue()


def upload(app: AppTest, *files: tuple[str, bytes], kind: str = "images") -> AppTest:
    typed = [(name, data, "application/octet-stream") for name, data in files]
    intake = app.session_state.get("batch_intake", 0)
    widget = app.file_uploader(key=f"batch_{kind}_{intake}")
    widget.set_value(typed if kind == "images" else typed[0])
    return run(app)


def choose(app: AppTest, key: str, value: str) -> AppTest:
    app.segmented_control(key=key).set_value(value)
    return run(app)


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return run(app)


def start(app: AppTest, archive: bytes) -> AppTest:
    upload(app, ("lesions.zip", archive))
    choose(app, "batch_labels", "Sub-folder names")
    return press(app, "batch_start")


def read_plain(app: AppTest) -> str:
    """The page's text without the marks that keep names from being read as Markdown."""
    return read_text(app).replace("\\", "")


def read_badges(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)


def test_nothing_can_be_started_before_there_is_an_image(app):
    assert app.button(key="batch_start").disabled
    assert "None yet" in read_text(app) and "kept on this server" in read_text(app)
    assert app.session_state["found"] is None


def test_labels_are_counted_before_a_run_starts(app, root, archive):
    upload(app, ("lesions.zip", archive))
    assert "of 6 images" not in read_text(app)
    choose(app, "batch_labels", "Sub-folder names")
    assert "5 of 6 images" in read_text(app) and "odd" in read_text(app)
    assert not list(root.iterdir())
    choose(app, "batch_labels", "CSV table")
    assert "no table of labels" in read_text(app)


def test_a_finished_run_gives_its_predictions_with_labels(app, archive):
    start(app, archive)
    found = app.session_state["found"]
    assert found.name == "lesions.zip" and found.threshold == 0.3
    assert found.predictions.frame["image_id"].tolist() == ["0", "1", "2", "3", "5"]
    assert found.predictions.frame["dx"].fillna("").tolist() == ["mel", "mel", "nv", "nv", ""]
    text = read_plain(app)
    assert "Labelled: 5 of 6 images" in text and "odd (1)" in text
    assert "left alone: 1 TXT" in text
    assert "damaged" in app.dataframe[0].value["error"].tolist()[0]


def test_the_run_stands_in_the_address_and_a_new_session_opens_it(app, root, archive):
    start(app, archive)
    [job] = jobs.list_jobs(root)
    assert app.query_params["job"] == job.folder.name
    later = AppTest.from_string(SCRIPT, default_timeout=60)
    later.query_params["job"] = job.folder.name
    run(later)
    assert len(later.session_state["found"].predictions) == 5
    assert "batch_start" not in keys(later.button)


def test_a_cancelled_run_shows_what_it_has_and_resumes(app, worker, archive):
    worker["stop_after"] = 2
    start(app, archive)
    assert len(app.session_state["found"].predictions) == 2
    before = app.session_state["found"].key
    assert "covers the finished images alone" in read_text(app) and "cancelled" in read_badges(app)
    worker["stop_after"] = None
    press(app, "batch_resume")
    assert len(app.session_state["found"].predictions) == 5
    assert app.session_state["found"].key != before
    assert "batch_resume" not in keys(app.button) and "done" in read_badges(app)


def test_a_run_that_works_can_be_cancelled_and_gives_nothing_yet(app, root, worker, archive):
    worker["stop_after"] = 2
    start(app, archive)
    [job] = jobs.list_jobs(root)
    (job.folder / "cancel").unlink()
    with jobs.hold(job):
        run(app)
        assert app.session_state["found"] is None and "batch_resume" not in keys(app.button)
        assert not any(key.startswith("batch_delete_") for key in keys(app.button))
        press(app, "batch_cancel")
        assert job.cancel_requested and app.button(key="batch_cancel").disabled
    run(app)
    assert "batch_resume" in keys(app.button)


def test_a_crashed_run_says_so_and_resumes(app, root, worker, archive):
    worker["stop_after"] = 2
    start(app, archive)
    [job] = jobs.list_jobs(root)
    (job.folder / "cancel").unlink()
    run(app)
    assert "ended without an error message" in read_text(app) and "failed" in read_badges(app)
    worker["stop_after"] = None
    press(app, "batch_resume")
    assert "done" in read_badges(app)


def test_runs_are_listed_opened_and_deleted(app, root, archive, pngs):
    start(app, archive)
    press(app, "batch_close")
    assert "job" not in app.query_params and app.session_state["found"] is None
    upload(app, ("a.png", pngs[0]), ("b.png", pngs[1]))
    app.text_input(key="batch_name").set_value("Two [pictures]")
    press(app, "batch_start")
    assert app.session_state["found"].name == "Two [pictures]"
    press(app, "batch_close")
    text = read_text(app)
    assert r"Two \[pictures\]" in text and "lesions.zip" in text and "6 of 6 images · 1 refused" in text
    older = jobs.list_jobs(root)[-1]
    press(app, f"batch_open_{older.folder.name}")
    assert app.session_state["found"].name == "lesions.zip"
    press(app, "batch_delete_sure_opened")
    assert not older.folder.exists() and "lesions.zip" not in read_text(app)
    assert app.session_state["found"] is None and len(jobs.list_jobs(root)) == 1


def open_another_session(address: str = "") -> AppTest:
    later = AppTest.from_string(SCRIPT, default_timeout=60)
    if address:
        later.query_params["job"] = address
    return run(later)


def test_another_session_neither_lists_nor_deletes_a_run(app, root, archive):
    start(app, archive)
    press(app, "batch_close")
    assert "lesions.zip" in read_text(app)
    other = open_another_session()
    assert "lesions.zip" not in read_text(other)
    assert not any("delete" in key or "open" in key for key in keys(other.button))


def test_a_run_of_a_signed_in_user_opens_for_nobody_else(app, root, archive, monkeypatch):
    monkeypatch.setattr(run_access, "current_user", lambda: "anna@clinic.example")
    monkeypatch.setattr(batch_form, "current_user", lambda: "anna@clinic.example")
    start(app, archive)
    [job] = jobs.list_jobs(root)
    assert job.owner == "anna@clinic.example"
    assert "lesions.zip" in read_text(open_another_session(job.folder.name))
    for other in ("ben@clinic.example", ""):
        monkeypatch.setattr(run_access, "current_user", lambda other=other: other)
        assert "another user's" in read_text(open_another_session(job.folder.name))


def test_refused_files_names_are_harmless_in_the_tables_own_export(app, pngs):
    upload(app, ("=HYPERLINK(1).png", pngs[0][:100]), ("good.png", pngs[1]))
    press(app, "batch_start")
    assert app.dataframe[0].value["path"].tolist() == ["'=HYPERLINK(1).png"]


def test_an_address_of_a_run_that_is_gone_says_so(app):
    app.query_params["job"] = "../../etc"
    run(app)
    assert "not on this server any more" in read_text(app)
    assert "batch_start" in keys(app.button)


def test_labels_from_a_table_without_a_run_for_images_that_have_none(app, pngs):
    upload(app, ("a.png", pngs[0]), ("b.png", pngs[1]), ("c.png", pngs[2]))
    choose(app, "batch_labels", "CSV table")
    upload(app, ("labels.csv", b"image,dx\na,mel\nb,nv\nz,nv\n"), kind="labels")
    app.toggle(key="batch_labelled_only").set_value(True)
    press(app, "batch_start")
    assert app.session_state["found"].predictions.frame["dx"].tolist() == ["mel", "nv"]
    text = read_plain(app)
    assert "left out without a usable label: 1" in text
    assert "labels without an image: 1" in text


@pytest.mark.parametrize(
    ("table", "message"),
    [(None, "no table of labels"), (b"x,y\n1,2\n", "Headings found"), (b"image,dx\nz,mel\n", "No image has")],
)
def test_unusable_labels_start_nothing_and_leave_the_images_where_they_are(app, root, pngs, table, message):
    upload(app, ("a.png", pngs[0]))
    choose(app, "batch_labels", "CSV table")
    app.toggle(key="batch_labelled_only").set_value(True)
    if table:
        upload(app, ("labels.csv", table), kind="labels")
    press(app, "batch_start")
    assert message in read_text(app) and list(root.iterdir()) == []
    assert not app.button(key="batch_start").disabled


def test_a_bad_zip_is_refused_with_a_message(app, root):
    upload(app, ("x.zip", b"no zip"))
    press(app, "batch_start")
    assert "no zip file but text" in read_text(app) and list(root.iterdir()) == []


def test_a_server_without_an_allowed_folder_says_how_to_set_it(app):
    choose(app, "batch_origin", "Folder on the server")
    assert "DERMALENS_ROOT" in read_text(app) and app.button(key="batch_start").disabled


def test_a_folder_of_the_server_is_analysed_where_it_lies(app, root, tmp_path, monkeypatch, pngs):
    allowed = tmp_path / "allowed"
    for index, code in enumerate(("mel", "nv")):
        (allowed / code).mkdir(parents=True)
        (allowed / code / f"{index}.png").write_bytes(pngs[index])
    (allowed / "labels.csv").write_text("image,dx,age\n0,mel,50\n1,nv,60\n")
    monkeypatch.setenv("DERMALENS_ROOT", str(allowed))
    choose(app, "batch_origin", "Folder on the server")
    assert app.selectbox(key="batch_folder").options == ["(the whole folder)", "mel", "nv"]
    choose(app, "batch_labels", "CSV table")
    assert app.selectbox(key="batch_table").options[0] == "labels.csv"
    press(app, "batch_start")
    found = app.session_state["found"]
    assert found.predictions.frame["age"].tolist() == [50, 60]
    assert found.predictions.frame["image_path"].tolist()[0] == str(allowed / "mel" / "0.png")
    assert "data:image/" in build_card(read_case(found.predictions, 0))
    [job] = jobs.list_jobs(root)
    assert not (job.folder / "images").exists()


def test_a_folder_outside_the_allowed_one_is_refused(app, root, tmp_path, monkeypatch):
    (tmp_path / "allowed").mkdir()
    monkeypatch.setenv("DERMALENS_ROOT", str(tmp_path / "allowed"))
    # AppTest cannot type a new option.
    monkeypatch.setattr("core.batch.sources.list_subfolders", lambda folder: ["../.."])
    choose(app, "batch_origin", "Folder on the server")
    app.selectbox(key="batch_folder").set_value("../..")
    press(app, "batch_start")
    assert "lies outside" in read_text(app) and list(root.iterdir()) == []


def test_weights_that_are_missing_are_named(app, monkeypatch):
    from models import manifest

    def fail(folder=None):
        raise manifest.BundleError("No manifest.json in models/weights.")

    monkeypatch.setattr(manifest, "read_manifest", fail)
    run(app)
    assert "No manifest.json" in read_text(app) and "batch_start" not in keys(app.button)


def test_a_batch_over_the_quota_is_refused_and_nothing_stays_behind(app, root, archive, monkeypatch):
    monkeypatch.setenv("DERMALENS_RUNS_GB", "0.000001")
    upload(app, ("lesions.zip", archive))
    shown = press(app, "batch_start")
    assert "Delete a run that you do not need" in read_text(shown)
    assert list(root.iterdir()) == []


def test_a_wrong_setting_of_the_server_is_named(app, monkeypatch):
    monkeypatch.setenv("DERMALENS_RUNS_DAYS", "soon")
    assert "DERMALENS_RUNS_DAYS must be a positive number" in read_plain(run(app))
