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
    assert found.left_alone == {"ZIP": 1, "TXT": 1, "hidden": 2} and files_below(tmp_path) == ["a.jpg"]


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


def test_a_bomb_is_left_alone_and_counted_and_a_small_flat_picture_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "HARMLESS_BYTES", 1_000_000)
    members = [("a.jpg", JPEG), ("flat.tif", bytes(900_000)), ("bomb.png", bytes(5_000_000))]
    data = build_zip(*members, method=zipfile.ZIP_DEFLATED)
    assert len(data) < 20_000
    found = unpack_images(data, tmp_path)
    assert found.left_alone == {"packed too tightly": 1} and files_below(tmp_path) == ["a.jpg", "flat.tif"]


def test_an_archive_of_nothing_but_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "HARMLESS_BYTES", 1_000_000)
    bomb = build_zip(("bomb.png", bytes(5_000_000)), method=zipfile.ZIP_DEFLATED)
    assert_refused(bomb, tmp_path, "no image. Left alone: 1 packed too tightly")
    assert files_below(tmp_path) == []


def test_a_picture_over_the_limit_is_left_alone_and_the_others_come(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 2_000_000)
    found = unpack_images(build_zip(("a.jpg", JPEG), ("b.jpg", bytes(2_000_001))), tmp_path)
    assert found.left_alone == {"over 2 MB": 1} and files_below(tmp_path) == ["a.jpg"]


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
    ("data", "message"),
    [
        (b"", "damaged"),
        (b"no zip at all", "no zip file but text"),
        (build_zip(("a.jpg", JPEG))[:-30], "cut short"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(40), "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(40), "a 7z archive"),
        (build_zip(("inner.zip", build_zip(("a.jpg", JPEG)))), "a zip file inside: unpack it first"),
    ],
    ids=["empty", "text", "cut short", "rar", "7z", "nested"],
)
def test_what_is_no_whole_zip_file_is_refused_by_name(tmp_path, data, message):
    assert_refused(data, tmp_path, message)


def test_a_broken_checksum_is_refused(tmp_path):
    data = build_zip(("a.jpg", JPEG)).replace(JPEG, JPEG[:-1] + b"!")
    assert_refused(data, tmp_path, "damaged")


def test_an_archive_without_images_is_refused(tmp_path):
    assert_refused(build_zip(("a.txt", b"x")), tmp_path, "holds no image")


# --- names


def with_raw_name(raw: bytes) -> bytes:
    """A zip file whose one picture is called so, in bytes, without the flag for UTF-8."""
    return build_zip(("x" * len(raw) + ".jpg", JPEG)).replace(b"x" * len(raw), raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("La\u0308sion".encode(), "L\u00e4sion.jpg"),  # macOS: UTF-8 without the flag, decomposed
        ("L\u00e4sion".encode("cp437"), "L\u00e4sion.jpg"),
        ("\u7537\u6027".encode("cp932"), "\u7537\u6027.jpg"),
        (b"lesion", "lesion.jpg"),
    ],
    ids=["utf-8", "cp437", "shift-jis", "ascii"],
)
def test_names_are_read_in_the_encoding_that_they_were_written_in(tmp_path, raw, name):
    assert unpack_images(with_raw_name(raw), tmp_path).names == [name]


def test_a_name_too_long_for_the_disk_is_shortened_and_stays_apart(tmp_path):
    long = ["\u76ae" * 94 + end + ".jpg" for end in ("", "1")]
    found = unpack_images(build_zip(*((name, JPEG) for name in long), ("b.jpg", JPEG)), tmp_path)
    assert len(set(found.names)) == 3 and "b.jpg" in found.names
    assert all(len(name.encode()) <= 255 and name.endswith(".jpg") for name in found.names)


def test_masks_and_superpixels_are_no_pictures_of_lesions(tmp_path):
    names = ["images/a.jpg", "masks/a.png", "b_Segmentation.png", "c_mask.jpg", "d_superpixels.png"]
    found = unpack_images(build_zip(*((name, JPEG) for name in names)), tmp_path)
    assert found.names == ["images/a.jpg"] and found.left_alone == {"mask": 3, "superpixels": 1}
