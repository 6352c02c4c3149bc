"""The manifest of a model bundle: its networks, weights, classes, thresholds and scores.

Reading it needs no TensorFlow, so pages can say what they run on before any network is loaded.
"""

import hashlib
import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import DermalensError

SHIPPED_DIR = Path(__file__).parent / "weights"
WEIGHTS_VARIABLE = "DERMALENS_WEIGHTS"
MANIFEST_NAME = "manifest.json"
VIEWS = ("whole", "crop")
SIBLING_FILE = re.compile(r"\.\./\w[\w.-]*/\w[\w.-]*\.weights\.h5", re.ASCII)


def bundle_dir() -> Path:
    """The bundle to use: the folder named by `DERMALENS_WEIGHTS`, else the shipped one."""
    value = os.environ.get(WEIGHTS_VARIABLE, "").strip()
    return Path(value).expanduser() if value else SHIPPED_DIR


def list_bundles() -> list[Path]:
    """Folders of the bundles that can be chosen: that of `bundle_dir` first, then those below the shipped one."""
    return [bundle_dir(), *sorted(path.parent for path in SHIPPED_DIR.glob(f"*/{MANIFEST_NAME}"))]


class BundleError(DermalensError):
    """A bundle is missing, damaged or does not fit its manifest; the message names file and remedy."""


@dataclass(frozen=True)
class NetworkEntry:
    """One weights file of a bundle.

    Attributes:
        file: name beside the manifest, or "../BUNDLE/NAME": the same file of a bundle in the same folder.
        sha256: hex digest of the file.
        builder: a key of `models.builders.BUILDERS`.
        arguments: of the builder; they include `input_size_px`.
        long_side_px: the resolution the network was trained at: larger images are shrunk to it first.
        record: the entry as it stands in the manifest (training command, split file, scores, ...).
    """

    file: str
    sha256: str
    builder: str
    arguments: dict[str, Any]
    long_side_px: int
    record: dict[str, Any]

    @property
    def input_size_px(self) -> int:
        return self.arguments["input_size_px"]

    @property
    def graph(self) -> dict[str, Any] | None:
        """The network for other runtimes than TensorFlow: file, sha256, precision and difference to Keras, or None."""
        return self.record.get("graph")

    @property
    def training_splits(self) -> tuple[str, ...]:
        """The splits of the dataset that its weights were trained on, in whole or in part."""
        named = str(self.record.get("splits", {}).get("weights", "train"))
        return tuple(split for split in ("train", "validation", "test") if split in named)


@dataclass(frozen=True)
class ConformalEntry:
    """Quantiles of `core.diagnosis.conformal`, fitted on the validation split.

    Attributes:
        confidence_level: target coverage of the sets.
        marginal_quantile: one for all classes: covers that share of all images.
        class_quantiles: one a class: covers that share of each class.
    """

    confidence_level: float
    marginal_quantile: float
    class_quantiles: tuple[float, ...]


@dataclass(frozen=True)
class NoveltyEntry:
    """The parameters of `core.diagnosis.novelty` beside the manifest, and the score above which an image is out of distribution."""

    file: str
    sha256: str
    threshold: float
    origin: str


@dataclass(frozen=True)
class StructuresEntry:
    """The probe of `core.diagnosis.structures` beside the manifest, and how well it was tested.

    Attributes:
        file, sha256: of the probe.
        auc: structure -> {"estimate", "low", "high"} of its ROC AUC, the last two a 95 % interval.
        origin: the images that it was fitted and tested on, as text.
    """

    file: str
    sha256: str
    auc: dict[str, dict[str, float]]
    origin: str

    def auc_low(self, structure: str) -> float:
        """Lower limit of a structure's tested AUC; 0 where it was not tested."""
        return float(self.auc.get(structure, {}).get("low") or 0.0)


@dataclass(frozen=True)
class Manifest:
    """What a bundle states about itself.

    Attributes:
        classes: diagnosis codes in the order of the classifier's outputs.
        views: which windows of an image the classifier sees, of `VIEWS`.
        crop_margin: skin around the lesion in the "crop" view, as a share of its longer side.
        temperature: logits are divided by it; fitted on the validation split.
        suspicious_threshold: decision threshold on the probability of malignancy.
        threshold_origin: where that threshold comes from, as text.
        filters: names of the filters before the classifier that are on by default.
        conformal: for prediction sets; None if the bundle has none.
        novelty: for the out-of-distribution score; None if the bundle has none.
        structures: for the probe of dermoscopic structures; None if the bundle has none.
        description: what kind of system it is, in a few words; "" if the bundle does not say.
        decision_offsets: (K,) added to log-probabilities for the highest balanced accuracy, or None.
        test_time_augmentation: whether eight symmetric views are averaged unless the user says otherwise.
    """

    folder: Path
    name: str
    version: str
    segmenter: NetworkEntry
    classifier: NetworkEntry
    classes: tuple[str, ...]
    views: tuple[str, ...]
    crop_margin: float
    temperature: float
    suspicious_threshold: float
    threshold_origin: str
    filters: tuple[str, ...]
    conformal: ConformalEntry | None = None
    novelty: NoveltyEntry | None = None
    decision_offsets: tuple[float, ...] | None = None
    structures: StructuresEntry | None = None
    description: str = ""
    test_time_augmentation: bool = True

    @property
    def fingerprint(self) -> str:
        """Short hash of both weights files, sizes and the decision numbers: changes whenever an answer can.

        What is fitted to evaluated predictions afterwards (sets, novelty, offsets) leaves it as it is, as
        it leaves the probabilities and the masks.
        """
        parts = (
            *(self.segmenter.sha256, self.classifier.sha256, self.temperature),
            *(self.suspicious_threshold, self.views, self.crop_margin, self.classes),
            *(self.segmenter.arguments, self.segmenter.long_side_px),
            *(self.classifier.arguments, self.classifier.long_side_px),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]

    @property
    def working_side_px(self) -> int:
        """The long side that larger images are shrunk to before anything else: what the finer network was trained at."""
        return max(self.segmenter.long_side_px, self.classifier.long_side_px)

    @property
    def training_splits(self) -> tuple[str, ...]:
        """The splits of the dataset that a network was trained on, in whole or in part."""
        return tuple(dict.fromkeys(self.segmenter.training_splits + self.classifier.training_splits))

    @property
    def training_sets(self) -> tuple[str, ...]:
        """The data sets that its classifier was trained on; HAM10000 for older bundles, which do not record it."""
        return tuple(self.classifier.record.get("sets", ("ham10000",)))

    @property
    def stamp(self) -> dict[str, str]:
        """Which bundle a record is about: the first lines of every file that a command writes of one."""
        return {"bundle": self.name, "version": self.version, "fingerprint": self.fingerprint}


def read_manifest(folder: str | Path | None = None) -> Manifest:
    """Read and check `manifest.json` of a bundle's folder; `bundle_dir()` if None.

    Raises:
        BundleError: missing, not JSON, a field missing or out of range.
    """
    folder = bundle_dir() if folder is None else Path(folder)
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise BundleError(f"No {MANIFEST_NAME} in {folder}. Restore models/weights from the repository.")
    try:
        record = json.loads(path.read_text())
        return _parse(folder, record)
    except (KeyError, TypeError, ValueError) as error:
        detail = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise BundleError(f"{path} is not a valid manifest: {detail}.") from error


def _parse(folder: Path, record: dict) -> Manifest:
    classifier = record["classifier"]
    manifest = Manifest(
        folder=folder,
        name=record["name"],
        version=record["version"],
        segmenter=_parse_network(record["segmenter"]),
        classifier=_parse_network(classifier),
        classes=tuple(classifier["classes"]),
        views=tuple(classifier["views"]),
        crop_margin=float(classifier["crop_margin"]),
        temperature=float(classifier["temperature"]),
        suspicious_threshold=float(classifier["suspicious_threshold"]["value"]),
        threshold_origin=classifier["suspicious_threshold"]["origin"],
        filters=tuple(name for name, on in record["preprocessing"]["defaults"].items() if on),
        description=str(record.get("description", "")),
        test_time_augmentation=bool(record.get("test_time_augmentation", True)),
        **_parse_trust(classifier, n_classes=len(classifier["classes"])),
    )
    if not manifest.temperature > 0:  # NaN, which JSON readers let through, is refused too
        raise ValueError(f"`temperature` must be positive; got {manifest.temperature}")
    if not 0 < manifest.suspicious_threshold <= 1:
        raise ValueError(f"`suspicious_threshold` must lie in (0, 1]; got {manifest.suspicious_threshold}")
    if not manifest.views or not set(manifest.views) <= set(VIEWS):
        raise ValueError(f"`views` must be of {VIEWS}; got {manifest.views}")
    return manifest


def _parse_trust(classifier: dict, n_classes: int) -> dict[str, Any]:
    """What `training.bundle.fit_trust` and `fit_structures` added to the classifier's entry; older bundles have none of it."""
    found: dict[str, Any] = {}
    if conformal := classifier.get("conformal"):
        quantiles = tuple(map(float, conformal["class_quantiles"]))
        entry = ConformalEntry(
            float(conformal["confidence_level"]), float(conformal["marginal_quantile"]), quantiles
        )
        if len(quantiles) != n_classes or not all(0 <= q <= 1 for q in (*quantiles, entry.marginal_quantile)):
            raise ValueError(f"`conformal` needs {n_classes} class quantiles, and all in [0, 1]")
        found["conformal"] = entry
    if novelty := classifier.get("novelty"):
        if Path(novelty["file"]).name != novelty["file"]:
            raise ValueError(f"`file` must lie beside the manifest; got {novelty['file']!r}")
        threshold = novelty["threshold"]
        if not threshold["value"] > 0:
            raise ValueError(f"`novelty` needs a positive threshold; got {threshold['value']}")
        found["novelty"] = NoveltyEntry(
            novelty["file"], novelty["sha256"], float(threshold["value"]), threshold["origin"]
        )
    if structures := classifier.get("structures"):
        if Path(structures["file"]).name != structures["file"]:
            raise ValueError(f"`file` must lie beside the manifest; got {structures['file']!r}")
        names = ("file", "sha256", "auc", "origin")
        found["structures"] = StructuresEntry(**{name: structures[name] for name in names})
    if decision := classifier.get("decision"):
        offsets = tuple(map(float, decision["offsets"]))
        if len(offsets) != n_classes or not all(map(math.isfinite, offsets)):
            raise ValueError(f"`decision` needs {n_classes} finite offsets; got {decision['offsets']}")
        found["decision_offsets"] = offsets
    return found


def _parse_network(record: dict) -> NetworkEntry:
    if Path(record["file"]).name != record["file"] and not SIBLING_FILE.fullmatch(record["file"]):
        raise ValueError(
            f"`file` must lie beside the manifest or be ../BUNDLE/NAME.weights.h5; got {record['file']!r}"
        )
    graph = record.get("graph")
    if graph and (Path(graph["file"]).name != graph["file"] or "sha256" not in graph):
        raise ValueError(f"`graph` of {record['file']} must name a file beside the manifest and its sha256")
    if "input_size_px" not in record["arguments"]:
        raise ValueError(f"`arguments` of {record['file']} must name `input_size_px`")
    return NetworkEntry(
        file=record["file"],
        sha256=record["sha256"],
        builder=record["builder"],
        arguments=dict(record["arguments"]),
        long_side_px=int(record["long_side_px"]),
        record=record,
    )


def file_sha256(path: str | Path) -> str:
    """Hex SHA-256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
