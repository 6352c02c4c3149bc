"""Bundles from a server on this machine: put in place only if whole, and nothing left of others."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.batch.archive import ArchiveError
from models.manifest import read_manifest
from tests.fakes import write_bundle
from tests.training.data.site import make_zip
from training.bundle import fetch
from training.bundle.fetch import FetchError, fetch_bundle
from training.cli import app
from training.data import fetching
from training.data.fetching import DownloadError


def pack(folder: Path, prefix: str = "small/") -> dict[str, bytes]:
    return {f"{prefix}{path.name}": path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def members(tmp_path) -> dict[str, bytes]:
    return pack(write_bundle(tmp_path / "source"))


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Where bundles go; the cache is apart."""
    monkeypatch.setenv("DERMALENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "SCHEMES", ("http://127.0.0.1",))
    monkeypatch.setattr(fetch, "SHIPPED_DIR", tmp_path / "weights")
    monkeypatch.setattr(fetching, "_CHUNK_BYTES", 100)
    return tmp_path / "weights"


@pytest.fixture
def serve(site, place):
    """(address, SHA-256) of a zip file of these members."""

    def put(members: dict[str, bytes]) -> tuple[str, str]:
        site.files["/bundle.zip"] = data = make_zip(members)
        return f"{site.url}/bundle.zip", hashlib.sha256(data).hexdigest()

    return put


def left_over(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file()] if place.exists() else []


def test_a_bundle_is_fetched_checked_and_put_beside_the_shipped_one(serve, members, place):
    folder = fetch_bundle(*serve(members))
    assert folder == place / "small" and read_manifest(folder).name == "small"
    assert sorted(path.name for path in place.iterdir()) == ["small"]
    assert not left_over(place.parent / "cache")


def test_the_command_says_where_it_is_and_how_to_use_it(serve, members, place, tmp_path):
    url, digest = serve(members)
    target = tmp_path / "mine"
    result = CliRunner().invoke(app, ["bundle", "fetch", url, "--sha256", digest, "--to", str(target)])
    assert result.exit_code == 0 and f"DERMALENS_WEIGHTS={target}" in result.stdout
    assert (target / "manifest.json").is_file()


def test_a_broken_download_is_resumed(serve, members, place, site):
    url, digest = serve(members)
    site.breaks, site.break_after_bytes = 1, 300
    fetch_bundle(url, digest)
    assert site.gets("/bundle.zip") == [None, "bytes=300-"]


def test_another_checksum_leaves_nothing(serve, members, place):
    url, _ = serve(members)
    with pytest.raises(DownloadError, match="expected checksum"):
        fetch_bundle(url, "0" * 64)
    assert not left_over(place) and not left_over(place.parent / "cache")


def test_only_https_is_asked_also_when_redirected(serve, members, place, site, monkeypatch):
    url, digest = serve(members)
    site.redirects["/here.zip"] = "http://localhost:1/elsewhere.zip"
    with pytest.raises(DownloadError, match=r"localhost.* refused"):
        fetch_bundle(f"{site.url}/here.zip", digest)
    monkeypatch.setattr(fetch, "SCHEMES", ("https://",))
    asked = len(site.requests)
    with pytest.raises(DownloadError, match="must begin with https"):
        fetch_bundle(url, digest)
    assert len(site.requests) == asked


def test_an_allowed_redirection_is_followed(serve, members, place, site):
    _, digest = serve(members)
    site.redirects["/latest.zip"] = "/bundle.zip"
    assert fetch_bundle(f"{site.url}/latest.zip", digest).is_dir()


def test_a_file_over_the_limit_is_refused_and_removed(serve, members, place, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_BYTES", 100)
    with pytest.raises(DownloadError, match="larger than"):
        fetch_bundle(*serve(members))
    assert not left_over(place.parent / "cache")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"small/segmenter.weights.h5": b"other"}, "segmenter.weights.h5: SHA-256"),
        ({"small/manifest.json": b"{"}, "not a valid manifest"),
        ({"small/segmenter.weights.h5": None}, "segmenter.weights.h5: missing"),
        ({"small/manifest.json": None}, "no manifest.json"),
    ],
)
def test_what_is_no_whole_bundle_is_not_put_in_place(serve, members, place, change, message):
    changed = {name: data for name, data in (members | change).items() if data is not None}
    with pytest.raises(FetchError, match=message):
        fetch_bundle(*serve(changed))
    assert not left_over(place)


def test_an_archive_that_leaves_its_folder_is_refused(serve, members, place):
    with pytest.raises(ArchiveError, match="leads out"):
        fetch_bundle(*serve(members | {"../evil.json": b"{}"}))
    assert not left_over(place)


def test_an_archive_that_unpacks_to_too_much_is_refused(serve, members, place, site, monkeypatch):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (members | {"small/bomb.json": bytes(10**6)}).items():
            archive.writestr(name, data)
    monkeypatch.setattr(fetch, "MAX_BYTES", 500_000)
    site.files["/bomb.zip"] = buffer.getvalue()
    with pytest.raises(FetchError, match="at most"):
        fetch_bundle(f"{site.url}/bomb.zip", hashlib.sha256(buffer.getvalue()).hexdigest())
    assert not left_over(place)


def test_code_and_pickles_stay_in_the_archive(serve, members, place):
    folder = fetch_bundle(
        *serve(members | {"small/run.py": b"1", "small/model.pkl": b"1", "small/m.keras": b"1"})
    )
    assert {path.suffix for path in folder.iterdir()} == {".h5", ".json"}


def test_a_folder_that_exists_is_never_written_over(serve, members, place, site):
    (place / "small").mkdir(parents=True)
    with pytest.raises(FetchError, match="exists already"):
        fetch_bundle(*serve(members))
    with pytest.raises(FetchError, match="exists already"):
        fetch_bundle(site.url, "0" * 64, place / "small")  # refused before anything is asked
    assert not left_over(place)


def test_a_checksum_of_another_length_is_refused(place):
    with pytest.raises(FetchError, match="64 hexadecimal"):
        fetch_bundle("https://example.org/a.zip", "abc")
