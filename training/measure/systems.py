"""Compare the classic systems with ours: score, size and speed of each on the same test split.

    dermalens evaluate systems --data DIR

Reads what `training.measure.evaluate --split test` wrote for each bundle and measures how long an image takes. Writes
training/runs/systems.json, which the app shows. Every system is evaluated on the masks and probabilities that the app
shows for it; one that only tells malignant from benign has no scores over the diagnoses.
"""

import argparse
import ast
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.analyzer import Analyzer
from core.datasets.ham10000 import default_data_dir, load_pixels
from core.datasets.splits import HAM10000
from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.metrics import roc_auc
from core.systems.evaluations import CONFIGS_DIR, RUNS_DIR, Evaluation
from core.systems.systems import SYSTEMS_FILE
from core.tables.writing import to_json_types
from core.taxonomy import BINARY_CLASSES, suspicious_flags
from models.manifest import SHIPPED_DIR, Manifest, read_manifest
from training.command import exit_with_message
from training.data.sets import read_split
from training.fit.environment import describe_environment

BOTH, MASKS, CLASSES = ("segmentation", "classification"), ("segmentation",), ("classification",)


@dataclass(frozen=True)
class System:
    """One row of the table.

    Attributes:
        title: what it is called.
        about: what it is, in a sentence.
        configs: its training configurations; in the order of `tasks` where a bundle holds them.
        bundle: folder of the bundle it ships in.
        tasks: what it does, of "segmentation" and "classification"; the parts of the bundle that are its own.
    """

    title: str
    about: str
    configs: tuple[str, ...]
    bundle: Path
    tasks: tuple[str, ...]


CLASSIC_PAIR, CLASSIC_PLAIN = SHIPPED_DIR / "unet256_efficientnet", SHIPPED_DIR / "unet224_cnn"
CLASSIC_WIDE = SHIPPED_DIR / "unet64_512_cnn"
CLASSIC_BINARY = SHIPPED_DIR / "unet224_binary"
N_TIMED = 24
SYSTEMS = (
    System(
        "U-Net 16–256 and EfficientNet",
        "A U-Net of width 16 to 256 from scratch outlines; an EfficientNetV2B0 with a dense head names.",
        ("classic_unet_256", "classic_efficientnet"),
        CLASSIC_PAIR,
        BOTH,
    ),
    System(
        "Plain CNN at 128 px",
        "Three convolutional layers on the whole image, nevi drawn less often and the rest more often.",
        ("classic_cnn_128",),
        CLASSIC_PLAIN,
        CLASSES,
    ),
    System(
        "Binary CNN at 224 px",
        "Three convolutional layers and a large dense one: malignant or benign.",
        ("classic_binary_cnn_224",),
        CLASSIC_BINARY,
        CLASSES,
    ),
    System(
        "U-Net 64–512 at 96 px",
        "A wide U-Net from scratch on small images; it only outlines.",
        ("classic_unet_64_512",),
        CLASSIC_WIDE,
        MASKS,
    ),
    System(
        "Dual stage with attention (ours)",
        "A U-Net on an EfficientNetV2B0 outlines; two such networks with attention name it.",
        (),
        SHIPPED_DIR,
        BOTH,
    ),
    System(
        "U-Net at 224 px",
        "A narrow U-Net from scratch; it only outlines.",
        ("classic_unet_224",),
        CLASSIC_PLAIN,
        MASKS,
    ),
)


def describe_cut(config: str) -> str:
    """How a recipe was shortened, the sentence of its configuration that begins with "Cut short"."""
    docstring = ast.get_docstring(ast.parse((CONFIGS_DIR / f"{config}.py").read_text()))
    found = re.search(r"Cut short[^.]*\.", docstring)
    return " ".join(found.group().split()) if found else ""


# --- a system whose weights ship ------------------------------------------------------------------------
def score_shipped(system: System, runs_dir: Path = RUNS_DIR) -> dict[str, Any]:
    """The scores of a bundle's record that a system's parts earned.

    Raises:
        FileNotFoundError: the bundle was not evaluated; names the command.
        ValueError: the record is of other weights.
    """
    manifest = read_manifest(system.bundle)
    folder = runs_dir / manifest.name
    path = folder / "test_scores.json"
    if not path.is_file():
        raise FileNotFoundError(f"Run dermalens evaluate scores --split test --bundle {system.bundle} first.")
    record = json.loads(path.read_text())
    if record["fingerprint"] != manifest.fingerprint:
        raise ValueError(f"{path} is about other weights than {system.bundle}: evaluate the bundle again.")
    scores = {}
    if "classification" in system.tasks:
        predictions = Evaluation(manifest.name, "test", folder / "test_predictions.csv").read_predictions()
        truth = suspicious_flags(predictions.classes)[predictions.labels]
        if predictions.classes != BINARY_CLASSES:
            names = ("balanced_accuracy", "accuracy", "macro_roc_auc")
            scores |= {name: record["classification"][name] for name in names}
        arrays = predictions.lesions, truth, predictions.malignancy_probability
        scores["suspicious_roc_auc"] = asdict(grouped_bootstrap(roc_auc, *arrays))
        scores |= {
            f"suspicious_{name}": record["suspicious_at_threshold"][name]
            for name in ("sensitivity", "specificity")
        }
    if "segmentation" in system.tasks:
        scores |= {name: record["segmentation"][name] for name in ("dice", "jaccard", "share_failed")}
    return scores


def weigh(system: System, manifest: Manifest) -> dict[str, Any]:
    """Parameters and size of the weights files of a system's parts."""
    parts = {"segmentation": manifest.segmenter, "classification": manifest.classifier}
    entries = [parts[task] for task in system.tasks]
    size_bytes = sum((manifest.folder / entry.file).stat().st_size for entry in entries)
    return {"parameters": sum(entry.record["parameters"] for entry in entries), "size_mb": size_bytes / 1e6}


def time_shipped(system: System, images: list[np.ndarray]) -> float:
    """Median milliseconds that a system's parts take for one image, in the analysis that the app runs."""
    analyzer = Analyzer.load(system.bundle)
    analyzer.analyze_batch(images[:1])
    stages = [analyzer.analyze_batch([image])[0].stage_ms for image in images]
    return float(np.median([sum(ms[task] for task in system.tasks) for ms in stages]))


# --- the table ------------------------------------------------------------------------------------------
def measure(system: System, images: list[np.ndarray], runs_dir: Path = RUNS_DIR) -> dict[str, Any]:
    """The record of one system: what it is, its scores, parameters, size and speed."""
    about = {
        "title": system.title,
        "about": system.about,
        "tasks": list(system.tasks),
        "configs": list(system.configs),
        "cut": " ".join(f"{config}: {cut}" for config in system.configs if (cut := describe_cut(config))),
    }
    manifest = read_manifest(system.bundle)
    return about | {
        "bundle": manifest.name,
        "fingerprint": manifest.fingerprint,
        "scores": score_shipped(system, runs_dir),
        **weigh(system, manifest),
        "ms_per_image": time_shipped(system, images),
    }


def run(data: Path) -> None:
    """Measure every system and write systems.json."""
    images = load_pixels(read_split(data, "validation", (HAM10000,)).head(N_TIMED), long_side_px=10_000)
    record = {
        "split": "test",
        "n_timed": len(images),
        "environment": describe_environment(),
        "systems": [measure(system, images) for system in SYSTEMS],
    }
    SYSTEMS_FILE.write_text(json.dumps(to_json_types(record), indent=1) + "\n")
    print(f"Wrote {SYSTEMS_FILE}")


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    run(parser.parse_args().data)


if __name__ == "__main__":
    main()
