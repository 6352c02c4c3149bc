"""Who may judge a network that has learned the validation lesions: those that it is the mean of.

Two runs learn half of the validation lesions each, and their mean has learned all (`training.merge_halves`). No
validation image is left to judge the mean by; so each image is shown to the run that has not learned it, and what
is chosen and scored on the validation split is chosen and scored on these answers together.

Reference:
    Vovk (2015), Cross-conformal predictors, Annals of Mathematics and Artificial Intelligence 74:9-28.
"""

import json
from pathlib import Path

from core.datasets.ham10000 import HALVES
from core.systems.evaluations import RUNS_DIR
from models.manifest import BundleError, Manifest, read_manifest

WHOLE = "validation"


def judging_runs(run_dir: Path) -> dict[str, Path]:
    """The split that judges a run -> its folder; for a mean of two halves, each half -> the run that it judges."""
    judge = _judge(run_dir)
    if judge:
        return {judge: run_dir}
    parents = json.loads((run_dir / "scores.json").read_text())["average_of"]
    return {_judge(run_dir.with_name(parent)): run_dir.with_name(parent) for parent in parents}


def _judge(run_dir: Path) -> str:
    """The configuration's `judge`; records from before there were halves have none."""
    return json.loads((run_dir / "config.json").read_text())["config"].get("judge", WHOLE)


def judging_pairs(segmentation: Path, classification: Path) -> dict[str, tuple[Path, Path]]:
    """Split -> folders of the segmenter's and the classifier's run that have not learned it; it takes one or both halves.

    A run that learned no validation lesions goes with either half.

    Raises:
        ValueError: a run has learned half of the lesions, and none that could judge that half is with it.
    """
    judges = judging_runs(segmentation), judging_runs(classification)
    splits = [WHOLE] if {*judges[0], *judges[1]} == {WHOLE} else HALVES
    return {split: tuple(_find_judge(found, split) for found in judges) for split in splits}


def _find_judge(judges: dict[str, Path], split: str) -> Path:
    if WHOLE not in judges and split not in judges:
        names = ", ".join(folder.name for folder in judges.values())
        raise ValueError(
            f"{names} cannot judge {split}. Merge it with the other half (training.merge_halves)."
        )
    return judges.get(split) or judges[WHOLE]


def half_folder(name: str, half: str) -> Path:
    """Where the export leaves the bundle that half of the validation split judges; not committed."""
    return RUNS_DIR / name / "checkpoints" / half


def judging_bundles(manifest: Manifest, split: str) -> dict[str, Path]:
    """Which part of `split` is shown to the bundle in which folder, so that no bundle has learned what it is shown.

    Raises:
        BundleError: the bundle has learned the split and its halves are not there, or are another version's.
    """
    if split != WHOLE or WHOLE not in manifest.learned_splits:
        return {split: manifest.folder}
    folders = {half: half_folder(manifest.name, half) for half in HALVES}
    for folder in folders.values():
        if not folder.is_dir() or _decided(read_manifest(folder)) != _decided(manifest):
            raise BundleError(
                f"{manifest.name} version {manifest.version} has learned the validation split, and the bundles "
                f"that have learned half of it are not in {folder.parent}. `make train` writes them."
            )
    return folders


def judged_in(manifest: Manifest) -> Path | None:
    """The folder whose records say what the classifier answered to the validation split; None if it can be asked.

    See `training.replace_segmenter` and `training.replace_classifier`.
    """
    name = manifest.classifier.record.get("judged_in")
    return RUNS_DIR / name if name else None


def _decided(manifest: Manifest) -> tuple:
    """What the halves of a bundle have in common with it."""
    return manifest.version, manifest.temperature, manifest.suspicious_threshold, manifest.classes
