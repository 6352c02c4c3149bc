"""Pictures at an address: found and read as files are, refused or stopped by name, and the same answers as from a folder."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.batch import foreground
from core.batch.analyze import find_images
from core.batch.faults import JobError
from core.images.drawing import encode_png
from core.images.errors import ImageError

ADDRESS = "s3://pictures/run one"
# Ray's and moto's own warnings are not ours to fail on.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("light_networks")]


class Store:
    """What is asked of a file system of fsspec."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.reachable = files, True

    def find(self, place: str) -> list[str]:
        if not self.reachable:
            raise TimeoutError("no answer")
        return [name for name in self.files if name == place or name.startswith(f"{place}/")]

    def cat_file(self, name: str, *, start: int = 0, end: int | None = None) -> bytes:
        if name not in self.files:
            raise FileNotFoundError(name)
        return self.files[name][start:end]


@pytest.fixture
def files(phantom) -> dict[str, bytes]:
    picture = encode_png(phantom.image[::2, ::2].copy())
    return {"p1/a.png": picture, "p2/a.png": picture[:100], "p2/notes.csv": b"x", "b": picture}


@pytest.fixture
def folder(tmp_path, files) -> Path:
    for name, data in files.items():
        path = tmp_path / "run one" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "run one"


@pytest.fixture
def store(monkeypatch, files) -> Store:
    store = Store({f"pictures/run one/{name}": data for name, data in files.items()})
    core = SimpleNamespace(url_to_fs=lambda address: (store, address.split("://")[1]))
    monkeypatch.setitem(sys.modules, "fsspec", SimpleNamespace(core=core))
    monkeypatch.setitem(sys.modules, "fsspec.core", core)
    return store


def results(to: Path) -> list[bytes]:
    return [(to / name).read_bytes() for name in ("results.jsonl", "predictions.csv", "errors.csv")]


def run(place: str | Path, to: Path):
    return foreground.run_batch([Path(place)], to, None, True, False)


def test_a_run_at_an_address_gives_the_bytes_of_a_run_in_a_folder(store, folder, tmp_path):
    progress = run(ADDRESS, tmp_path / "far")
    assert (progress.done, progress.failed) == (2, 1)
    run(folder, tmp_path / "near")
    assert results(tmp_path / "far") == results(tmp_path / "near")


def test_one_picture_has_an_address_too(store):
    found = find_images([f"{ADDRESS}/p1/a.png"])
    assert found.names == ["a.png"]


def test_a_place_without_pictures_is_refused_with_its_address(store):
    with pytest.raises(ImageError, match="s3://elsewhere/x holds no images"):
        find_images(["s3://elsewhere/x"])


def test_a_store_that_does_not_answer_stops_the_run_and_counts_no_picture_as_refused(store, tmp_path):
    run(ADDRESS, tmp_path / "run")
    (tmp_path / "run" / "results.jsonl").write_text("")
    store.cat_file = lambda *_, **__: (_ for _ in ()).throw(TimeoutError("no answer"))
    with pytest.raises(JobError, match=r"s3://pictures/run one/.*cannot be reached: no answer"):
        run(ADDRESS, tmp_path / "run")
    assert (tmp_path / "run" / "results.jsonl").read_text() == ""


def test_without_fsspec_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(JobError, match=r"pip install 'dermalens\[ray\]'"):
        find_images([ADDRESS])


def test_a_local_s3_server_gives_the_bytes_of_a_folder(folder, files, tmp_path, monkeypatch):
    pytest.importorskip("s3fs", reason="S3 is read with an optional extra: pip install 'dermalens[ray]'")
    moto = pytest.importorskip(
        "moto.server", reason="S3 is tested against a local server: pip install 'moto[server]'"
    )
    server = moto.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    try:
        system = s3fs.S3FileSystem()
        system.mkdir("pictures")
        for name, data in files.items():
            system.pipe_file(f"pictures/run one/{name}", data)
        run(ADDRESS, tmp_path / "far")
    finally:
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
    run(folder, tmp_path / "near")
    assert results(tmp_path / "far") == results(tmp_path / "near")
