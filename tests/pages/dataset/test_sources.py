"""Where pictures come from: drawn on the spot, downloaded with breaks, or one of several sets in a folder."""

import io
import json
import sys
import threading
import time
from functools import partial
from http.server import ThreadingHTTPServer

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.datasets.drawn import choose_rows
from core.phantoms.lesions import draw_phantom
from core.settings import DATA_VARIABLE
from pages.components.dataset import sources
from tests.drawn_dataset import write_dataset
from tests.pages.conftest import open_app
from tests.pages.driver import DATASET, EVALUATE, keys, read_text, run, visit
from tests.training.data.site import Handler, Site, make_zip
from training.data import background


@pytest.fixture(autouse=True)
def no_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.delenv("DERMALENS_ROOT", raising=False)


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return run(app)


def pictures(app: AppTest) -> dict[str, bool]:
    """Image id -> whether it has a picture, of the page of thumbnails."""
    items = json.loads(app.get_by_key("browse_grid").proto.json)["items"]
    return {item["id"]: bool(item["src"]) for item in items}


# --- drawn


@pytest.fixture
def few_rows(monkeypatch):
    rows = choose_rows().groupby("dx").head(1)
    monkeypatch.setattr(sources, "choose_rows", lambda wanted: rows)
    return rows


def test_drawn_pictures_show_on_dataset_and_evaluate_and_say_so(few_rows):
    app = visit(open_app(), DATASET)
    assert "No pictures yet" in app.expander[0].label
    press(app, "draw_dataset")
    assert pictures(app) == dict.fromkeys(few_rows["image_id"], True)
    assert "Drawn pictures." in app.warning[0].value
    assert "Drawn pictures." in visit(app, EVALUATE).warning[0].value
    visit(app, DATASET)
    press(app, "leave_drawn")
    assert not app.warning and "draw_dataset" in keys(app.button)


def test_drawn_pictures_of_another_session_are_not_used_unless_chosen(few_rows):
    press(visit(open_app(), DATASET), "draw_dataset")
    other = visit(open_app(), DATASET)
    assert not other.warning and "draw_dataset" in keys(other.button)


# --- several sets in one folder


def test_a_folder_of_several_sets_offers_them_ham10000_first(tmp_path, monkeypatch):
    for name in ("milk10k", "ham10000"):
        write_dataset(tmp_path / "data" / name)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    app = visit(open_app(), DATASET)
    box = app.selectbox(key="dataset_set")
    assert box.options == ["HAM10000", "MILK10k"] and box.value == "ham10000"
    box.select("milk10k")
    run(app)
    assert len(pictures(app)) == 5 and app.selectbox(key="dataset_set").value == "milk10k"


# --- download


@pytest.fixture
def site(monkeypatch):
    """A local server with ISIC 2018 task 3 that breaks twice; downloads ask it instead of the source."""
    name, state = "ISIC2018_Task3_Training", Site(break_after_bytes=300, breaks=2)
    truth = b"image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nISIC_0024310,1,0,0,0,0,0,0\n"
    picture = write_picture()
    state.files = {
        f"/2018/{name}_GroundTruth.zip": make_zip({f"{name}_GroundTruth/{name}_GroundTruth.csv": truth}),
        f"/2018/{name}_LesionGroupings.csv": b"image,lesion_id,diagnosis_confirm_type\nISIC_0024310,L,histopathology\n",
        f"/2018/{name}_Input.zip": make_zip({f"{name}_Input/ISIC_0024310.jpg": picture}),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, site=state))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    code = (
        "from training.data import background, download, fetching; "
        f"download.ISIC_CHALLENGES = {url!r}; fetching._CHUNK_BYTES = 100; background.main()"
    )
    monkeypatch.setattr(background, "COMMAND", (sys.executable, "-c", code))
    yield state
    server.shutdown()
    server.server_close()


def write_picture() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(draw_phantom(1, size_px=(90, 120)).image).save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_download_is_started_followed_and_its_pictures_shown(site, store):
    app = visit(open_app(), DATASET)
    app.selectbox(key="download_source").select("isic2018-task3")
    run(app)
    assert "CC BY-NC 4.0" in read_text(app) and "GB are free" in read_text(app)
    press(app, "download_start")
    deadline = time.monotonic() + 90
    while background.read_status(store / "isic2018_task3").state is background.State.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run(app)
    assert pictures(app) == {"ISIC_0024310": True}
    assert site.breaks == 0 and any(wanted for _, _, wanted in site.requests)  # it broke, and went on


def test_a_stopped_download_says_why_and_offers_to_resume(site, store):
    site.breaks, site.status = 0, 403
    app = visit(open_app(), DATASET)
    app.selectbox(key="download_source").select("isic2018-task3")
    press(run(app), "download_start")
    while background.read_status(store / "isic2018_task3").state is background.State.RUNNING:
        time.sleep(0.1)
    run(app)
    assert "403" in app.warning[0].value and "resume_isic2018-task3" in keys(app.button)


def test_a_server_may_forbid_downloads(monkeypatch):
    monkeypatch.setenv(sources.DOWNLOADS_VARIABLE, "off")
    app = visit(open_app(), DATASET)
    assert "download_start" not in keys(app.button) and "allows no downloads" in read_text(app)
