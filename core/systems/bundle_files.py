"""Whether a bundle's folder is whole: its manifest can be read, its classes are known and every file is the stated one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.taxonomy import get_diagnosis
from models.manifest import MANIFEST_NAME, BundleError, Manifest, file_sha256, read_manifest

FILE_SUFFIXES = (
    ".h5",
    ".json",
    ".md",
    ".npz",
    ".txt",
)  # what a bundle consists of; nothing that is unpickled


@dataclass(frozen=True)
class CheckedItem:
    """One thing that was checked; `fault` says what is wrong, "" if nothing is."""

    name: str
    found: str
    fault: str = ""

    @property
    def line(self) -> str:
        """One line for a terminal."""
        return f"{'FAULT' if self.fault else 'ok':5s} {self.name}: {self.fault or self.found}"


def check_bundle(folder: Path) -> list[CheckedItem]:
    """Everything that a bundle states, compared with what is there; the manifest first."""
    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        return [CheckedItem(MANIFEST_NAME, "", str(error))]
    about = f"{manifest.name}, version {manifest.version}, fingerprint {manifest.fingerprint}"
    files = [_check_file(folder, name, digest) for name, digest in stated_files(manifest)]
    return [CheckedItem(MANIFEST_NAME, about), _check_classes(manifest), *files]


def stated_files(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """(name, SHA-256) of every file that the manifest states."""
    for network in (manifest.segmenter, manifest.classifier):
        yield network.file, network.sha256
        if network.graph:
            yield network.graph["file"], network.graph["sha256"]
    for entry in (manifest.novelty, manifest.structures):
        if entry:
            yield entry.file, entry.sha256


def _check_classes(manifest: Manifest) -> CheckedItem:
    unknown = []
    for code in manifest.classes:
        try:
            get_diagnosis(code)
        except ValueError:
            unknown.append(code)
    fault = f"unknown to this version of Dermalens: {', '.join(unknown)}" if unknown else ""
    return CheckedItem("classes", ", ".join(manifest.classes), fault)


def _check_file(folder: Path, name: str, digest: str) -> CheckedItem:
    path = folder / name
    if not path.is_file():
        return CheckedItem(name, "", "missing")
    found = file_sha256(path)
    size = f"{path.stat().st_size / 1e6:.1f} MB, SHA-256 {found[:12]}…"
    return CheckedItem(name, size, "" if found == digest else f"SHA-256 {found[:12]}…, not {digest[:12]}…")
