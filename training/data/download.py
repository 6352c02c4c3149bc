"""Fetch a dataset from its official source into the layout that `core.datasets.layouts` reads.

    dermalens dataset download ham10000 --to DIR [--accept-licence]

Also isic2018-task1, isic2018-task3, isic2019 and milk10k. Shows the licence first, checks the free space, resumes a broken
download, verifies checksums, unpacks, removes the archives, and skips what is there already.

Checksums: Dataverse states the MD5 of each archive, and it is asked for at run time. The ISIC challenges
state none, nor does Dataverse one that fits the original of a table (it keeps the MD5 of its own
conversion); for these the SHA-256 of the first download is written to DIR/downloads.json and later ones are
held against it, so that a change shows (delete the file to accept it); the first one is checked by the
archive's own CRCs alone.

Tested against a local server, not against the real ones: the addresses and the fields of the Dataverse
answer are taken from their documentation and public use.

Sources:
    HAM10000: doi:10.7910/DVN/DBW86T through https://guides.dataverse.org/en/latest/api/;
    ISIC 2018, 2019 and MILK10k: https://challenge.isic-archive.com/data/.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from core.datasets.layouts import read_dataset
from models.manifest import file_sha256
from training.data.fetching import DownloadError, check_free_space, fetch, remote_size, unpack

DATAVERSE = "https://dataverse.harvard.edu/api"
HAM10000_DOI = "doi:10.7910/DVN/DBW86T"
# Masks first: they are small, and the app shows each part as soon as it is there.
HAM10000_ARCHIVES = (
    "HAM10000_segmentations_lesion_tschandl",
    "HAM10000_images_part_1",
    "HAM10000_images_part_2",
)
ISIC_CHALLENGES = "https://isic-archive.s3.amazonaws.com/challenges"
ISIC_PAGE = "https://challenge.isic-archive.com/data/"
RECORD_NAME = "downloads.json"
_TIMEOUT_S = 60

_BY_NC = (
    "CC BY-NC 4.0 (https://creativecommons.org/licenses/by-nc/4.0/): name the authors, no commercial use."
)
_HAM10000_CITATION = "Tschandl, Rosendahl, Kittler (2018), The HAM10000 dataset, Sci Data 5:180161, doi:10.1038/sdata.2018.161."
_ISIC_LICENCE = f"{_BY_NC}\nThe licence that comes with the files decides where it says otherwise."
_ISIC2018_CITATION = (
    "Codella et al. (2019), Skin Lesion Analysis Toward Melanoma Detection 2018, arXiv:1902.03368.\n"
    f"{_HAM10000_CITATION}"
)
_ISIC2019_CITATION = (
    f"{_HAM10000_CITATION}\nCodella et al. (2017), Skin Lesion Analysis Toward Melanoma Detection, "
    "arXiv:1710.05006.\nCombalia et al. (2019), BCN20000, arXiv:1908.02288."
)
_MILK10K_CITATION = "MILK study team (2025), MILK10k, ISIC Archive, doi:10.34970/648456."


@dataclass(frozen=True)
class RemoteFile:
    """One file of a source.

    Attributes:
        name: under which it is saved; a ".zip" is unpacked into a folder of its stem and removed.
        checksum: "md5:..." as the source states it, None where it states none.
        size_bytes: 0 where not known.
    """

    name: str
    url: str
    checksum: str | None = None
    size_bytes: int = 0

    @property
    def is_archive(self) -> bool:
        return self.name.endswith(".zip")


@dataclass(frozen=True)
class Source:
    """An official source: what is shown before the download, and how its files are listed.

    Attributes:
        name: of the dataset, short.
        page: where the dataset is described.
        size_gb: of the download, about; unpacking needs as much again for a while.
    """

    title: str
    licence: str
    citation: str
    list_files: Callable[[], list[RemoteFile]]
    name: str = ""
    page: str = ""
    size_gb: float = 0.0

    @property
    def terms(self) -> str:
        return f"{self.title}\n\nLicence: {self.licence}\nPlease cite:\n{self.citation}\n"


def list_ham10000() -> list[RemoteFile]:
    """The wanted files of the Dataverse dataset, with their checksums.

    Raises:
        DownloadError: Dataverse cannot be reached or lists other files.
    """
    try:
        answer = requests.get(
            f"{DATAVERSE}/datasets/:persistentId/",
            params={"persistentId": HAM10000_DOI},
            timeout=_TIMEOUT_S,
        )
        answer.raise_for_status()
        listed = [entry["dataFile"] for entry in answer.json()["data"]["latestVersion"]["files"]]
        found = {Path(file["filename"]).stem: file for file in listed}
        archives = [_dataverse_file(f"{name}.zip", found[name]) for name in HAM10000_ARCHIVES]
        return [_dataverse_file("HAM10000_metadata.csv", found["HAM10000_metadata"]), *archives]
    except requests.RequestException as error:
        why = "no connection" if isinstance(error, requests.ConnectionError) else error
        raise DownloadError(
            f"Harvard Dataverse could not be asked for its files: {why}. Try again."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise DownloadError(
            f"Harvard Dataverse's list of files is not as expected ({error}). Download by hand from "
            f"https://doi.org/{HAM10000_DOI.removeprefix('doi:')}."
        ) from error


def _dataverse_file(name: str, file: dict) -> RemoteFile:
    url = f"{DATAVERSE}/access/datafile/{file['id']}"
    # Dataverse turns tables into its own format on upload; the MD5 it then states is not the original's.
    if "originalFileFormat" in file or file["filename"].endswith(".tab"):
        return RemoteFile(name, f"{url}?format=original", None, int(file.get("originalFileSize", 0)))
    checksum = file.get("checksum") or {"type": "MD5", "value": file["md5"]}
    algorithm = checksum["type"].lower().replace("-", "")
    return RemoteFile(name, url, f"{algorithm}:{checksum['value'].lower()}", int(file["filesize"]))


def list_challenge(challenge: str, *names: str) -> list[RemoteFile]:
    """Files of an ISIC challenge, with the sizes that its server states."""
    urls = {name: f"{ISIC_CHALLENGES}/{challenge}/{name}" for name in names}
    return [RemoteFile(name, url, None, remote_size(url)) for name, url in urls.items()]


SOURCES = {
    "ham10000": Source(
        "HAM10000: 10,015 dermoscopic images with diagnoses and lesion masks (Harvard Dataverse, 3 GB)",
        _BY_NC,
        f"{_HAM10000_CITATION}\nMasks: Tschandl et al. (2020), Nat Med, doi:10.1038/s41591-020-0942-0.",
        list_ham10000,
        "HAM10000",
        "https://doi.org/10.7910/DVN/DBW86T",
        3.0,
    ),
    "milk10k": Source(
        "MILK10k: 5,240 lesions as dermoscopic image and close-up, with skin tone (ISIC challenge, 0.3 GB)",
        _ISIC_LICENCE,
        _MILK10K_CITATION,
        lambda: list_challenge(
            "milk10k",
            "MILK10k_Training_GroundTruth.csv",
            "MILK10k_Training_Metadata.csv",
            "MILK10k_Training_Supplement.csv",
            "MILK10k_Training_Input.zip",
        ),
        "MILK10k",
        "https://doi.org/10.34970/648456",
        0.3,
    ),
    "isic2018-task1": Source(
        "ISIC 2018 task 1: 2,594 dermoscopic images with lesion masks (ISIC challenge, 10 GB)",
        _ISIC_LICENCE,
        _ISIC2018_CITATION,
        lambda: list_challenge(
            "2018", "ISIC2018_Task1_Training_GroundTruth.zip", "ISIC2018_Task1-2_Training_Input.zip"
        ),
        "ISIC 2018 task 1",
        f"{ISIC_PAGE}#2018",
        10.0,
    ),
    "isic2018-task3": Source(
        "ISIC 2018 task 3: the images of HAM10000 with diagnoses (ISIC challenge, 3 GB)",
        _ISIC_LICENCE,
        _ISIC2018_CITATION,
        lambda: list_challenge(
            "2018",
            "ISIC2018_Task3_Training_GroundTruth.zip",
            "ISIC2018_Task3_Training_LesionGroupings.csv",
            "ISIC2018_Task3_Training_Input.zip",
        ),
        "ISIC 2018 task 3",
        f"{ISIC_PAGE}#2018",
        3.0,
    ),
    "isic2019": Source(
        "ISIC 2019: 25,331 dermoscopic images of eight classes, HAM10000's among them (ISIC challenge, 10 GB)",
        _ISIC_LICENCE,
        _ISIC2019_CITATION,
        lambda: list_challenge(
            "2019",
            "ISIC_2019_Training_GroundTruth.csv",
            "ISIC_2019_Training_Metadata.csv",
            "ISIC_2019_Training_Input.zip",
        ),
        "ISIC 2019",
        f"{ISIC_PAGE}#2019",
        9.8,
    ),
}


def download(source: Source, root: Path) -> None:
    """Bring every file of a source into `root` that is not there yet.

    Raises:
        DownloadError: no space, no connection, another checksum or a damaged archive; what is finished
            stays, and the next call goes on from there.
    """
    record = read_record(root)
    wanted = [file for file in source.list_files() if not is_complete(file, root, record)]
    check_free_space(root, sum(_needed_bytes(file, root) for file in wanted))
    root.mkdir(parents=True, exist_ok=True)
    for file in wanted:
        known = record.get(file.name, {}).get("sha256")
        path = fetch(file.url, root / file.name, file.checksum or (f"sha256:{known}" if known else None))
        entry = {"url": file.url, "sha256": file_sha256(path), "size_bytes": path.stat().st_size}
        if file.is_archive:
            entry["unpacked"] = unpack(path, root / path.stem)
        record[file.name] = entry
        _write_record(root, record)
        if file.is_archive:
            path.unlink()


def _write_record(root: Path, record: dict[str, dict]) -> None:
    written = root / f"{RECORD_NAME}.new"  # at one go: a page may be reading it
    written.write_text(json.dumps(record, indent=1) + "\n")
    written.replace(root / RECORD_NAME)


def read_record(root: Path) -> dict[str, dict]:
    """What earlier downloads left in the folder: file -> url, sha256, size and number of unpacked files."""
    path = root / RECORD_NAME
    try:
        return json.loads(path.read_text()) if path.is_file() else {}
    except ValueError as error:
        raise DownloadError(f"{path} is damaged: {error}. Delete it to start afresh.") from error


def is_complete(file: RemoteFile, root: Path, record: dict[str, dict]) -> bool:
    """Whether a file was fetched before and what it held is still there."""
    if file.name not in record:
        return False
    if not file.is_archive:
        return (root / file.name).is_file()
    folder = root / Path(file.name).stem
    return folder.is_dir() and sum(1 for _ in folder.iterdir()) >= record[file.name]["unpacked"]


def _needed_bytes(file: RemoteFile, root: Path) -> int:
    """To fetch the rest and to unpack; photographs hardly shrink in an archive."""
    here = sum(p.stat().st_size for p in (root / file.name, root / f"{file.name}.part") if p.is_file())
    return max(0, file.size_bytes - here) + (file.size_bytes if file.is_archive else 0)


def agrees(terms: str) -> bool:
    """Show the terms and ask; anything but "yes" is no."""
    print(terms)
    try:
        return input("Do you accept these terms and want to download? Type yes: ").strip().lower() == "yes"
    except EOFError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", choices=SOURCES)
    parser.add_argument("--to", type=Path, required=True, help="folder to download and unpack into")
    parser.add_argument("--accept-licence", action="store_true", help="do not ask")
    arguments = parser.parse_args()
    source, root = SOURCES[arguments.dataset], arguments.to.expanduser()
    if arguments.accept_licence:
        print(source.terms)
    elif not agrees(source.terms):
        parser.exit(1, "Nothing was downloaded. --accept-licence skips the question.\n")
    try:
        download(source, root)
        frame = read_dataset(root)
    except KeyboardInterrupt:
        parser.exit(130, "\nStopped. Run the command again to go on from here.\n")
    print(f"{root}: {frame.attrs['layout']}, {(frame['image_path'] != '').sum()} images.")
    print(f"Next: export DERMALENS_DATA={root}", file=sys.stderr)
