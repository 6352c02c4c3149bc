"""Where a batch's images come from: never outside the allowed folder, never over another file."""

import io
import zipfile
from pathlib import Path

import pytest

from core.batch.archive import ArchiveError
from core.batch.sources import (
    SourceError,
    allowed_root,
    find_below,
    list_subfolders,
    list_tables,
    resolve_below,
    save_uploads,
)


@pytest.fixture
def root(tmp_path) -> Path:
    """An allowed folder with images, tables and a folder beside it that holds a secret image."""
    root = tmp_path / "allowed"
    (root / "mel" / "deeper").mkdir(parents=True)
    (root / ".hidden").mkdir()
    for name in ("a.jpg", "mel/b.png", "mel/deeper/c.jpg"):
        (root / name).write_bytes(b"image")
    (root / "labels.csv").write_text("image,dx\n")
    (root / "mel" / "near.csv").write_text("image,dx\n")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.jpg").write_bytes(b"secret")
    (tmp_path / "outside.csv").write_text("x")
    return root


def names(paths: list[Path], root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in paths]


def test_the_root_is_the_setting_else_the_dataset_else_none(monkeypatch, tmp_path):
    monkeypatch.delenv("DERMALENS_ROOT", raising=False)
    monkeypatch.delenv("DERMALENS_DATA", raising=False)
    assert allowed_root() is None
    monkeypatch.setenv("DERMALENS_DATA", str(tmp_path / "data"))
    assert allowed_root() == tmp_path / "data"
    monkeypatch.setenv("DERMALENS_ROOT", str(tmp_path))
    assert allowed_root() == tmp_path


def test_images_below_the_root_are_found(root):
    assert names(find_below(root, "").paths, root) == ["a.jpg", "mel/b.png", "mel/deeper/c.jpg"]
    assert names(find_below(root, " mel/deeper ").paths, root) == ["mel/deeper/c.jpg"]
    assert names(find_below(root, str(root / "mel")).paths, root) == ["mel/b.png", "mel/deeper/c.jpg"]


@pytest.mark.parametrize("folder", ["..", "../secret", "mel/../../secret", "/", "/etc", "link"])
def test_everything_outside_the_root_is_refused_by_name(root, folder):
    (root / "link").symlink_to(root.parent / "secret")
    with pytest.raises(SourceError, match=r"lies outside .*DERMALENS_ROOT"):
        find_below(root, folder)


def test_links_to_files_outside_are_left_alone_and_counted(root):
    (root / "link.jpg").symlink_to(root.parent / "secret" / "s.jpg")
    (root / "inside.jpg").symlink_to(root / "a.jpg")
    found = find_below(root, "")
    assert "link.jpg" not in names(found.paths, root) and "inside.jpg" in names(found.paths, root)
    assert found.left_alone == {"CSV": 2, "link": 1}


def test_a_folder_of_nothing_but_links_outside_is_refused(root):
    (root / "links").mkdir()
    (root / "links" / "s.jpg").symlink_to(root.parent / "secret" / "s.jpg")
    with pytest.raises(SourceError, match="links out of"):
        find_below(root, "links")


@pytest.mark.parametrize(
    ("folder", "message"),
    [("nowhere", "no folder"), ("a.jpg", "no folder"), ("x\0y", "no path"), (".hidden", "no images")],
)
def test_a_folder_that_cannot_be_read_is_refused(root, folder, message):
    with pytest.raises(SourceError, match=message):
        find_below(root, folder)


def test_a_root_that_is_itself_a_link_works(root, tmp_path):
    (tmp_path / "way").symlink_to(root)
    assert len(find_below(tmp_path / "way", "mel").paths) == 2


def test_sub_folders_are_offered_without_hidden_ones(root):
    assert list_subfolders(root) == ["mel"]
    assert list_subfolders(root / "nowhere") == []


def test_tables_are_offered_from_the_folder_up_to_the_root_and_no_further(root):
    (root / "stolen.csv").symlink_to(root.parent / "outside.csv")
    found = list_tables(root, resolve_below(root, "mel"))
    assert names(found, root) == ["mel/near.csv", "labels.csv"]


def build_zip(*members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in members:
            file.writestr(name, name.encode())
    return stream.getvalue()


def test_uploads_are_stored_with_zips_unpacked(tmp_path):
    files = [("a.jpg", b"1"), ("more.ZIP", build_zip("mel/b.jpg", "readme.txt"))]
    found = save_uploads(files, tmp_path / "new")
    assert names(found.paths, tmp_path / "new") == ["a.jpg", "upload 2/mel/b.jpg"]
    assert found.left_alone == {"TXT": 1}


def test_uploads_of_one_name_overwrite_nothing(tmp_path):
    found = save_uploads([("a.jpg", b"1"), ("a.jpg", b"2"), ("a.jpg", b"3")], tmp_path)
    assert [path.read_bytes() for path in found.paths] == [b"1", b"2", b"3"]
    assert {path.stem for path in found.paths} == {"a"}  # so that a label finds each


@pytest.mark.parametrize("name", ["../../evil.jpg", "/evil.jpg", "..\\evil.jpg", "..", ""])
def test_an_uploads_name_leads_nowhere(tmp_path, name):
    folder = tmp_path / "deep" / "images"
    [path] = save_uploads([(name, b"x")], folder).paths
    assert path.parent == folder and path.is_file()


def test_a_bad_zip_and_a_name_too_long_are_refused(tmp_path):
    with pytest.raises(ArchiveError, match="no zip file but text"):
        save_uploads([("a.zip", b"no zip")], tmp_path)
    with pytest.raises(SourceError, match="could not be stored"):
        save_uploads([("x" * 300 + ".jpg", b"x")], tmp_path)


def test_nothing_uploaded_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no image"):
        save_uploads([], tmp_path)
