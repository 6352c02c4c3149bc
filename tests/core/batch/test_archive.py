"""Zip files: images come out where they belong, and every attack is refused with nothing left outside."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from core.batch import archive
from core.batch.archive import ArchiveError, unpack_images

JPEG = b"\xff\xd8\xff" + bytes(range(256)) * 4


def build_zip(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    return stream.getvalue()


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def assert_refused(data: bytes, tmp_path: Path, message: str) -> None:
    folder = tmp_path / "deep" / "images"
    folder.mkdir(parents=True)
    with pytest.raises(ArchiveError, match=message):
        unpack_images(data, folder)
    outside = [name for name in files_below(tmp_path) if not name.startswith("deep/images/")]
    assert outside == []


def test_images_come_out_with_their_sub_folders(tmp_path):
    data = build_zip(("nv/b.JPG", JPEG), ("mel/a.png", JPEG), ("mel/", b""))
    found = unpack_images(data, tmp_path)
    assert found.paths == [tmp_path / "mel/a.png", tmp_path / "nv/b.JPG"] and found.ignored == 0
    assert (tmp_path / "mel/a.png").read_bytes() == JPEG


def test_what_is_no_image_is_counted_and_stays_in_the_archive(tmp_path):
    nested = build_zip(("inner.jpg", JPEG))
    others = [("a.zip", nested), ("readme.txt", b"x"), ("__MACOSX/._a.jpg", b"x"), (".hidden.jpg", b"x")]
    found = unpack_images(build_zip(("a.jpg", JPEG), *others), tmp_path)
    assert found.ignored == 4 and files_below(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "a/../../evil.jpg", "/evil.jpg", "..\\evil.jpg", "C:\\evil.jpg", "\\evil.jpg"]
)
def test_paths_that_lead_out_of_the_folder_are_refused(tmp_path, name):
    assert_refused(build_zip(("good.jpg", JPEG), (name, JPEG)), tmp_path, "leads out of its folder")


def test_a_path_out_of_the_folder_is_refused_even_on_a_file_that_is_no_image(tmp_path):
    assert_refused(build_zip(("good.jpg", JPEG), ("../evil.sh", b"x")), tmp_path, "leads out of its folder")


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert_refused(build_zip((link, b"/etc/passwd")), tmp_path, "holds a link")


def test_passwords_are_refused(tmp_path):
    data = bytearray(build_zip(("a.jpg", JPEG)))
    data[6] |= 1  # the flag in the member's own header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert_refused(bytes(data), tmp_path, "has a password")


def test_a_bomb_is_refused_by_its_ratio_before_anything_is_unpacked(tmp_path):
    bomb = build_zip(("a.jpg", JPEG), ("bomb.png", bytes(5_000_000)), method=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    assert_refused(bomb, tmp_path, "'bomb.png' is packed too tightly")
    assert files_below(tmp_path) == []


def test_a_member_that_lies_about_its_size_gives_no_more_than_it_states(tmp_path):
    """The directory states 10 bytes for a member of 5 MB: reading stops there and the checksum fails."""
    data = bytearray(build_zip(("a.jpg", bytes(5_000_000)), method=zipfile.ZIP_DEFLATED))
    directory = data.index(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (10).to_bytes(4, "little")
    assert_refused(bytes(data), tmp_path, "damaged")
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.jpg")) <= 10


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MAX_MEMBERS", 2, "more than 2 files"),
        ("MAX_TOTAL_BYTES", 3000, "Split"),
        ("MAX_BYTES", 100, "over 0 MB"),
    ],
)
def test_limits_on_count_and_size_hold(tmp_path, monkeypatch, limit, value, message):
    monkeypatch.setattr(archive, limit, value)
    assert_refused(build_zip(*((f"{n}.jpg", JPEG) for n in range(3))), tmp_path, message)


def test_a_full_disk_is_noticed_before(tmp_path, monkeypatch):
    full = type("Usage", (), {"free": 100})
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda folder: full)
    assert_refused(build_zip(("a.jpg", JPEG)), tmp_path, "no room")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_path_that_is_there_twice_is_refused(tmp_path):
    assert_refused(build_zip(("a.jpg", JPEG), ("a.jpg", b"other")), tmp_path, "twice")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path):
    assert_refused(build_zip(("a.jpg", JPEG), ("a.jpg/b.jpg", JPEG)), tmp_path, "twice|could not be unpacked")


# Named, because a zip holds the time: two workers that collect a moment apart would see two tests.
@pytest.mark.parametrize(
    "data", [b"", b"no zip at all", build_zip(("a.jpg", JPEG))[:-30]], ids=["empty", "text", "cut short"]
)
def test_damaged_archives_are_refused(tmp_path, data):
    assert_refused(data, tmp_path, "damaged")


def test_a_broken_checksum_is_refused(tmp_path):
    data = build_zip(("a.jpg", JPEG)).replace(JPEG, JPEG[:-1] + b"!")
    assert_refused(data, tmp_path, "damaged")


def test_an_archive_without_images_is_refused(tmp_path):
    assert_refused(build_zip(("a.txt", b"x")), tmp_path, "holds no image")
