"""Robustness of a bundle to fourteen image corruptions and five drawn artefacts.

    dermalens evaluate robustness --data DIR [--images 150] [--nevi 150]

Uses a fixed part of the validation split, one image a lesion, never the test split: `--images` lesions
spread as evenly over the classes as there are lesions, and for the artefacts `--nevi` nevi. Images are
shrunk to the networks' working size first, so that a severity means the same for any release of the data.
Test-time augmentation is off: one view of each window, at an eighth of the cost. A user, who gets eight
views, gets somewhat more robust answers. Corruptions that were not used in the bundle's training are also averaged
separately, since only they measure generalisation.

Writes training/runs/<bundle>/robustness.json. Rows are kept after every corruption and severity in
training/runs/<bundle>/checkpoints/ (not committed): the command resumes where it was stopped. Delete them
after a change to the corruptions.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from tqdm import tqdm

from core.analyzer import Analyzer
from core.datasets.ham10000 import default_data_dir, load_masks, load_pixels
from core.datasets.splits import HAM10000
from core.evaluation.mask_metrics import dice
from core.phantoms.artefacts import ARTEFACTS
from core.settings import AnalysisSettings, default_filters
from core.systems.evaluations import RUNS_DIR
from core.tables.writing import to_json_types
from models.manifest import Manifest, read_manifest
from training.bundle.validation import require_unseen
from training.command import exit_with_message
from training.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from training.data.sets import read_split
from training.fit.environment import describe_environment
from training.measure.robustness_scores import CLEAN, score_artefacts, score_corruptions

SPLIT = "validation"
SEED = 20261
RESULT_NAME = "robustness.json"
CHUNK = 16
Change = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Sample:
    """The lesions whose images are corrupted.

    Attributes:
        rows: N rows of the dataset with `image_id`, `lesion_id` and `dx`.
        images: each (H, W, 3) uint8 at the networks' working size.
        masks: each (H, W) bool, the experts'.
    """

    rows: pd.DataFrame
    images: list[np.ndarray]
    masks: list[np.ndarray]

    @classmethod
    def read(cls, rows: pd.DataFrame, long_side_px: int) -> "Sample":
        images = load_pixels(rows, long_side_px)
        return cls(rows, images, load_masks(rows, [image.shape[:2] for image in images]))


# --- which images, and what happens to them ---------------------------------------------------------
def choose_lesions(frame: pd.DataFrame, count: int, seed: int = SEED) -> pd.DataFrame:
    """One image each of `count` lesions, spread as evenly over the diagnoses as there are lesions.

    The same frame and seed always give the same rows, sorted by image; a larger count adds to a smaller.
    """
    shuffled = frame.sort_values("image_id").sample(frac=1, random_state=seed)
    lesions = shuffled.drop_duplicates("lesion_id")
    turn = lesions.groupby("dx").cumcount()  # the first of every diagnosis, then the second, ...
    order = turn.to_frame("turn").assign(dx=lesions["dx"]).sort_values(["turn", "dx"]).index
    return lesions.loc[order[:count]].sort_values("image_id", ignore_index=True)


def corruption_steps() -> Iterator[tuple[str, int, Change]]:
    """(name, severity, change) of the clean image and of every corruption at every severity."""
    yield CLEAN, 0, lambda image, mask, rng: (image, mask)
    for name in CORRUPTIONS:
        for severity in SEVERITIES:
            yield name, severity, lambda image, mask, rng, n=name, s=severity: corrupt(image, mask, n, s, rng)


def artefact_steps() -> Iterator[tuple[str, int, Change]]:
    """(name, 1, change) of the clean image and of every drawn artefact."""
    yield CLEAN, 0, lambda image, mask, rng: (image, mask)
    for name, draw in ARTEFACTS.items():
        yield name, 1, lambda image, mask, rng, d=draw: (d(image, rng), mask)


def generator(name: str, image_id: str) -> np.random.Generator:
    """Random numbers of one corruption of one image: the same at every severity."""
    return np.random.default_rng((SEED, crc32(name.encode()), crc32(image_id.encode())))


# --- answers ----------------------------------------------------------------------------------------
def answer(analyzer: Analyzer, sample: Sample, name: str, severity: int, change: Change) -> pd.DataFrame:
    """One row an image: its probabilities and the Dice of its mask after `change`, without augmentation."""
    settings = AnalysisSettings(default_filters(analyzer.manifest), test_time_augmentation=False)
    changed = [
        change(image, mask, generator(name, image_id))
        for image, mask, image_id in zip(sample.images, sample.masks, sample.rows["image_id"], strict=True)
    ]
    rows = []
    for start in range(0, len(changed), CHUNK):
        images, masks = zip(*changed[start : start + CHUNK], strict=True)
        for analysis, mask in zip(analyzer.analyze_batch(images, settings), masks, strict=True):
            codes, values = analysis.classification.classes, analysis.classification.probabilities
            shares = {f"p_{code}": p for code, p in zip(codes, values, strict=True)}
            rows.append({**shares, "dice": dice(analysis.lesion.lesion_mask, mask)})
    facts = sample.rows[["image_id", "lesion_id", "dx"]].reset_index(drop=True)
    facts = facts.assign(change=name, severity=severity)
    return pd.concat([facts, pd.DataFrame(rows)], axis=1)


def answer_all(analyzer: Analyzer, sample: Sample, steps, kept: Path) -> pd.DataFrame:
    """The answers to every step; those that the file `kept` holds in full are not computed again."""
    image_ids = sample.rows["image_id"].tolist()
    done = pd.read_csv(kept) if kept.is_file() else pd.DataFrame(columns=["change", "severity"])
    parts = {
        step: part
        for step, part in done.groupby(["change", "severity"])
        if part["image_id"].tolist() == image_ids
    }
    steps = list(steps)
    kept.parent.mkdir(parents=True, exist_ok=True)
    for name, severity, change in tqdm(steps, unit="step", desc=kept.stem.split("_")[0]):
        if (name, severity) not in parts:
            parts[name, severity] = answer(analyzer, sample, name, severity, change)
            unfinished = kept.with_suffix(".part")
            pd.concat(parts.values()).to_csv(unfinished, index=False)
            unfinished.replace(kept)  # at once, so that a kill never leaves half a file
    return pd.concat([parts[name, severity] for name, severity, _ in steps], ignore_index=True)


# --- the command ------------------------------------------------------------------------------------
def training_corruptions(manifest: Manifest) -> tuple[str, ...]:
    """The corruptions used in the training of a bundle's networks, as its manifest says."""
    networks = manifest.segmenter, manifest.classifier
    return tuple(
        dict.fromkeys(name for network in networks for name in network.record.get("corruptions_learned", ()))
    )


def answer_steps(analyzer: Analyzer, chosen: pd.DataFrame, steps, what: str) -> pd.DataFrame:
    """The answers to every step about the chosen lesions; they are kept in the bundle's folder of runs."""
    manifest = analyzer.manifest
    kept = RUNS_DIR / manifest.name / "checkpoints"
    file = kept / f"{what}_{manifest.fingerprint}_{SEED}_{len(chosen)}.csv"
    return answer_all(analyzer, Sample.read(chosen, manifest.working_side_px), list(steps), file)


def measure(analyzer: Analyzer, frame: pd.DataFrame, n_images: int, n_nevi: int) -> dict:
    """Everything about one bundle on the rows of one split."""
    manifest = analyzer.manifest
    chosen = choose_lesions(frame[frame["dx"].isin(manifest.classes)], n_images)
    nevi = choose_lesions(frame[frame["dx"] == "nv"], n_nevi)
    corrupted = answer_steps(analyzer, chosen, corruption_steps(), "corruptions")
    drawn = answer_steps(analyzer, nevi, artefact_steps(), "artefacts")
    return {
        **manifest.stamp,
        "split": SPLIT,
        "seed": SEED,
        "n_images": len(chosen),
        "n_images_by_class": chosen["dx"].value_counts().to_dict(),
        "long_side_px": manifest.working_side_px,
        "test_time_augmentation": False,
        "environment": describe_environment(),
        **score_corruptions(corrupted, manifest.classes, training_corruptions(manifest)),
        "nevi": score_artefacts(drawn, manifest.classes, manifest.suspicious_threshold),
    }


def run(data: Path, bundle: Path | None = None, n_images: int = 150, n_nevi: int = 150) -> dict:
    """Measure a bundle and write robustness.json; returns the record.

    Raises:
        BundleError: the bundle was trained on the validation split.
    """
    manifest = read_manifest(bundle)
    require_unseen(manifest, SPLIT)
    frame = read_split(data, SPLIT, (HAM10000,))
    record = to_json_types(measure(Analyzer.load(manifest.folder), frame, n_images, n_nevi))
    (RUNS_DIR / manifest.name / RESULT_NAME).write_text(json.dumps(record, indent=1) + "\n")
    return record


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument("--images", type=int, default=150, help="lesions for the corruptions")
    parser.add_argument("--nevi", type=int, default=150, help="nevi for the drawn artefacts")
    arguments = parser.parse_args()
    record = run(arguments.data, arguments.bundle, arguments.images, arguments.nevi)
    for row in record["mean_by_severity"]:
        print("  ".join(f"{key} {value:.3g}" for key, value in row.items()))
    for row in record["nevi"]["artefacts"]:
        print(f"{row['artefact']:14s} false positives on nevi {row['change']['estimate']:+.3f}")


if __name__ == "__main__":
    main()
