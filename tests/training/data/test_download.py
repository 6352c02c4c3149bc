"""Downloads from a server on this machine that breaks, lies and refuses on demand."""

import hashlib
import io
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from PIL import Image
from typer.testing import CliRunner

from core.phantoms.lesions import draw_phantom
from tests.training.data.site import make_zip
from training.cli import app
from training.data import download, fetching
from training.data.download import RECORD_NAME, RemoteFile, Source
from training.data.fetching import DownloadError, unpack

ONE_HOT = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nISIC_1,1,0,0,0,0,0,0\nISIC_2,0,1,0,0,0,0,0\n"


def make_image(seed: int, format_: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(draw_phantom(seed, size_px=(70, 90)).image).save(buffer, format_)
    return buffer.getvalue()


ARCHIVE = make_zip({f"folder/ISIC_{k}.jpg": make_image(k) for k in (1, 2)})


@pytest.fixture
def fetch_archive(site, tmp_path):
    """A function that downloads one archive into the folder, with its right or another checksum."""
    site.files["/archive.zip"] = ARCHIVE

    def run(checksum: str | None = f"md5:{hashlib.md5(ARCHIVE).hexdigest()}") -> Path:
        file = RemoteFile("archive.zip", f"{site.url}/archive.zip", checksum, len(ARCHIVE))
        download.download(Source("", "", "", lambda: [file]), tmp_path)
        return tmp_path / "archive"

    return run


# --- one archive


def test_an_archive_is_fetched_checked_unpacked_and_removed(site, fetch_archive, tmp_path):
    folder = fetch_archive()
    assert sorted(path.name for path in folder.iterdir()) == ["ISIC_1.jpg", "ISIC_2.jpg"]
    assert (folder / "ISIC_2.jpg").read_bytes() == make_image(2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", RECORD_NAME]
    assert json.loads((tmp_path / RECORD_NAME).read_text())["archive.zip"] == {
        "url": f"{site.url}/archive.zip",
        "sha256": hashlib.sha256(ARCHIVE).hexdigest(),
        "size_bytes": len(ARCHIVE),
        "unpacked": 2,
    }


def test_a_broken_connection_is_resumed_where_it_stopped(site, fetch_archive):
    site.break_after_bytes, site.breaks = 100, 2
    fetch_archive()
    # 100 bytes, then 100 more, then the rest.
    assert site.gets("/archive.zip") == [None, "bytes=100-", "bytes=200-"]


def test_a_connection_that_stays_broken_keeps_what_came_and_the_next_run_goes_on(
    site, fetch_archive, tmp_path
):
    (tmp_path / "archive.zip.part").write_bytes(ARCHIVE[:50])
    site.break_after_bytes, site.breaks = 0, 99
    with pytest.raises(DownloadError, match="kept: start the download again"):
        fetch_archive()
    assert (tmp_path / "archive.zip.part").read_bytes() == ARCHIVE[:50]
    assert len(site.gets("/archive.zip")) == 5
    site.breaks = 0
    assert len(list(fetch_archive().iterdir())) == 2
    assert site.gets("/archive.zip")[-1] == "bytes=50-"


def test_progress_between_breaks_resets_the_patience(site, fetch_archive):
    site.break_after_bytes, site.breaks = 50, 12
    assert len(list(fetch_archive().iterdir())) == 2
    assert len(site.gets("/archive.zip")) == 13


def test_a_server_without_ranges_starts_over(site, fetch_archive):
    site.break_after_bytes, site.breaks, site.ranges = 100, 1, False
    assert len(list(fetch_archive().iterdir())) == 2
    assert site.gets("/archive.zip") == [None, "bytes=100-"]


def test_a_part_that_is_already_whole_is_not_fetched_again(site, fetch_archive, tmp_path):
    (tmp_path / "archive.zip.part").write_bytes(ARCHIVE)
    assert len(list(fetch_archive().iterdir())) == 2
    assert site.gets("/archive.zip") == [f"bytes={len(ARCHIVE)}-"]


def test_a_part_longer_than_the_file_is_dropped(site, fetch_archive, tmp_path):
    (tmp_path / "archive.zip.part").write_bytes(ARCHIVE + b"more")
    assert len(list(fetch_archive().iterdir())) == 2
    assert site.gets("/archive.zip")[-1] is None


def test_a_wrong_checksum_is_an_error_and_the_file_goes(site, fetch_archive, tmp_path):
    with pytest.raises(DownloadError, match=r"does not have the expected checksum .* was removed"):
        fetch_archive(f"md5:{'0' * 32}")
    assert list(tmp_path.iterdir()) == []


def test_what_is_complete_is_not_fetched_again(site, fetch_archive):
    fetch_archive()
    site.requests.clear()
    fetch_archive()
    assert site.requests == []


def test_a_lost_image_brings_the_archive_back(site, fetch_archive):
    folder = fetch_archive()
    (folder / "ISIC_1.jpg").unlink()
    fetch_archive()
    assert (folder / "ISIC_1.jpg").read_bytes() == make_image(1)


def test_an_archive_left_by_an_interrupted_unpacking_is_used(site, fetch_archive, tmp_path):
    (tmp_path / "archive.zip").write_bytes(ARCHIVE)
    fetch_archive()
    assert site.gets("/archive.zip") == []


def test_without_an_official_checksum_the_first_one_is_kept_and_a_change_is_refused(
    site, fetch_archive, tmp_path
):
    folder = fetch_archive(None)
    shutil.rmtree(folder)
    site.files["/archive.zip"] = make_zip({"ISIC_1.jpg": make_image(5)})
    with pytest.raises(DownloadError, match="expected checksum"):
        fetch_archive(None)
    assert not folder.exists() and not (tmp_path / "archive.zip").exists()


def test_a_damaged_archive_without_checksum_is_removed_and_not_recorded(site, fetch_archive, tmp_path):
    damaged = bytearray(ARCHIVE)
    damaged[200] ^= 0xFF  # inside the first image: its CRC no longer fits
    site.files["/archive.zip"] = bytes(damaged)
    with pytest.raises(DownloadError, match="damaged and was removed"):
        fetch_archive(None)
    assert not (tmp_path / "archive.zip").exists() and not (tmp_path / RECORD_NAME).exists()


def test_a_refusing_server_is_asked_once_and_named(site, fetch_archive):
    site.status = 403
    with pytest.raises(DownloadError, match=r"archive\.zip could not be downloaded: 403"):
        fetch_archive()
    assert len(site.gets("/archive.zip")) == 1


def test_a_busy_server_is_asked_again(site, fetch_archive):
    site.status = 503
    with pytest.raises(DownloadError, match="503"):
        fetch_archive()
    assert len(site.gets("/archive.zip")) == 5


def test_too_little_space_is_said_before_anything_is_fetched(site, fetch_archive, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(DownloadError, match=r"0\.0 GB free and 0\.2 GB are needed .* --to"):
        fetch_archive()
    assert site.requests == [] and list(tmp_path.iterdir()) == []


# --- unpacking


def test_no_member_lands_outside_the_folder(tmp_path):
    archive = tmp_path / "evil.zip"
    names = ("../../up.jpg", "/abs/olute.jpg", "a\\..\\..\\win.jpg", "in/side.jpg")
    archive.write_bytes(make_zip({name: b"x" for name in names}))
    assert unpack(archive, tmp_path / "out") == 4
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        *("olute.jpg", "side.jpg", "up.jpg", "win.jpg")
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.zip", "out"]


def test_hidden_files_scripts_and_folders_stay_packed(tmp_path):
    archive = tmp_path / "mixed.zip"
    names = ("d/", "__MACOSX/d/._ISIC_1.jpg", "d/.DS_Store", "d/run.sh", "d/ISIC_1.jpg", "d/LICENSE.txt")
    archive.write_bytes(make_zip({name: b"x" for name in names}))
    unpack(archive, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["ISIC_1.jpg", "LICENSE.txt"]


# --- the sources


def dataverse_entry(number: int, name: str, data: bytes, **more) -> dict:
    return {
        "dataFile": {
            "id": number,
            "filename": name,
            "filesize": len(data),
            "md5": hashlib.md5(data).hexdigest(),
        }
        | more
    }


@pytest.fixture
def dataverse(site, monkeypatch):
    """The HAM10000 entry as Dataverse serves it: archives, a table it converted, and files nobody wants."""
    masks = {f"m/ISIC_{k}_segmentation.png": make_image(k, "PNG") for k in (1, 2)}
    table = b"lesion_id,image_id,dx,dx_type,age,sex,localization\n" + b"".join(
        f"HAM_{k},ISIC_{k},nv,histo,50,male,back\n".encode() for k in (1, 2)
    )
    contents = {
        "HAM10000_images_part_1.zip": make_zip({"ISIC_1.jpg": make_image(1)}),
        "HAM10000_images_part_2.zip": make_zip({"ISIC_2.jpg": make_image(2)}),
        "HAM10000_segmentations_lesion_tschandl.zip": make_zip(masks),
    }
    entries = [dataverse_entry(k, name, data) for k, (name, data) in enumerate(contents.items())]
    converted = {"originalFileFormat": "text/csv", "originalFileSize": len(table)}
    entries.append(dataverse_entry(7, "HAM10000_metadata.tab", b"converted", **converted))
    entries.append(dataverse_entry(8, "ISIC2018_Task3_Test_Images.zip", b"not wanted"))
    site.files |= {f"/access/datafile/{k}": data for k, data in enumerate(contents.values())}
    site.files["/access/datafile/7?format=original"] = table
    site.files["/access/datafile/7"] = b"converted"
    listing = f"/datasets/:persistentId/?{urlencode({'persistentId': download.HAM10000_DOI})}"
    site.files[listing] = json.dumps({"data": {"latestVersion": {"files": entries}}}).encode()
    monkeypatch.setattr(download, "DATAVERSE", site.url)
    return entries


def run_command(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["download", *arguments])
    download.main()


def test_ham10000_comes_whole_and_is_read(dataverse, tmp_path, monkeypatch, capsys):
    run_command(monkeypatch, "ham10000", "--to", str(tmp_path / "ham"), "--accept-licence")
    printed = capsys.readouterr().out
    assert printed.index("CC BY-NC 4.0") < printed.index("HAM10000, 2 images.")
    frame = download.read_dataset(tmp_path / "ham")
    assert list(frame["dx"]) == ["nv", "nv"] and (frame["mask_path"] != "").all()


def test_dataverse_states_the_checksums_but_not_that_of_the_original_table(dataverse):
    files = {file.name: file for file in download.list_ham10000()}
    assert len(files) == 4
    assert files["HAM10000_images_part_1.zip"].checksum == f"md5:{dataverse[0]['dataFile']['md5']}"
    assert files["HAM10000_metadata.csv"].checksum is None
    assert files["HAM10000_metadata.csv"].url.endswith("/7?format=original")


def test_another_checksum_algorithm_of_dataverse_is_understood():
    file = {"id": 1, "filename": "a.zip", "filesize": 3, "checksum": {"type": "SHA-256", "value": "AB"}}
    assert download._dataverse_file("a.zip", file).checksum == "sha256:ab"


def test_a_dataverse_answer_without_the_files_names_the_way_by_hand(site, dataverse, monkeypatch):
    [listing] = [path for path in site.files if path.startswith("/datasets/")]
    site.files[listing] = json.dumps({"data": {"latestVersion": {"files": dataverse[:1]}}}).encode()
    with pytest.raises(DownloadError, match=r"by hand from https://doi\.org/10\.7910/DVN/DBW86T"):
        download.list_ham10000()


def test_no_connection_is_said(monkeypatch):
    monkeypatch.setattr(download, "DATAVERSE", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="could not be asked"):
        download.list_ham10000()


def test_isic_2018_task_3_comes_with_labels_and_lesions(site, tmp_path, monkeypatch):
    name = "ISIC2018_Task3_Training"
    site.files |= {
        f"/2018/{name}_Input.zip": make_zip({f"{name}_Input/ISIC_{k}.jpg": make_image(k) for k in (1, 2)}),
        f"/2018/{name}_GroundTruth.zip": make_zip(
            {f"{name}_GroundTruth/{name}_GroundTruth.csv": ONE_HOT.encode()}
        ),
        f"/2018/{name}_LesionGroupings.csv": b"image,lesion_id,diagnosis_confirm_type\nISIC_1,L,histopathology\n",
    }
    monkeypatch.setattr(download, "ISIC_CHALLENGES", site.url)
    run_command(monkeypatch, "isic2018-task3", "--to", str(tmp_path), "--accept-licence")
    frame = download.read_dataset(tmp_path)
    assert list(frame["dx"]) == ["mel", "nv"] and list(frame["lesion_id"]) == ["L", "ISIC_2"]


def test_isic_2018_task_1_comes_with_masks(site, tmp_path, monkeypatch):
    images, masks = "ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1_Training_GroundTruth"
    site.files |= {
        f"/2018/{images}.zip": make_zip({f"{images}/ISIC_1.jpg": make_image(1)}),
        f"/2018/{masks}.zip": make_zip({f"{masks}/ISIC_1_segmentation.png": make_image(1, "PNG")}),
    }
    monkeypatch.setattr(download, "ISIC_CHALLENGES", site.url)
    run_command(monkeypatch, "isic2018-task1", "--to", str(tmp_path), "--accept-licence")
    frame = download.read_dataset(tmp_path)
    assert frame.attrs["layout"] == "ISIC 2018 task 1" and frame["mask_path"][0]


# --- the question


@pytest.mark.parametrize("answer", ["no", "", "y", EOFError])
def test_without_a_yes_nothing_is_downloaded(site, dataverse, tmp_path, monkeypatch, capsys, answer):
    def reply(prompt):
        if answer is EOFError:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", reply)
    with pytest.raises(SystemExit) as stopped:
        run_command(monkeypatch, "ham10000", "--to", str(tmp_path / "ham"))
    out, error = capsys.readouterr()
    assert stopped.value.code == 1 and "CC BY-NC 4.0" in out and "Nothing was downloaded" in error
    assert site.requests == [] and not (tmp_path / "ham").exists()


def test_yes_is_asked_for_and_enough(dataverse, tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: " Yes ")
    run_command(monkeypatch, "ham10000", "--to", str(tmp_path / "ham"))
    assert (tmp_path / "ham" / "HAM10000_metadata.csv").is_file()


def test_an_error_ends_the_command_with_one_line(site, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ISIC_CHALLENGES", site.url)  # which has no such files
    arguments = ["dataset", "download", "isic2018-task1", "--to", str(tmp_path), "--accept-licence"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and "404" in result.stderr and result.stderr.count("\n") == 1
