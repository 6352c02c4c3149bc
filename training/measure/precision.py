"""Whether bfloat16 may run a bundle's networks: the validation split again, beside its stored predictions.

    dermalens evaluate precision --data DIR

Needs `dermalens evaluate scores --split validation` first, and a processor that multiplies bfloat16. It may, where every
stored score stays within `MAX_SCORE_CHANGE` and at most `MAX_ANSWERS_CHANGED` of the images get another class or another
side of the decision threshold. Both figures go into the manifest as "lower_precision" of the classifier, and from then
on `models.loading` takes bfloat16 where there is one.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.analyzer import Analyzer
from core.datasets.ham10000 import default_data_dir
from core.datasets.splits import HAM10000
from core.errors import DermalensError
from core.evaluation.predictions import Predictions, from_frame
from core.systems.evaluations import RUNS_DIR
from core.systems.systems import MAX_ANSWERS_CHANGED
from core.taxonomy import suspicious_flags
from models.loading import load_bundle
from models.manifest import Manifest, read_manifest
from models.runtimes.openvino import supports_bf16
from training.bundle.manifest_record import edit_manifest
from training.command import exit_with_message
from training.data.sets import read_split
from training.measure.evaluate import predict_split, score_predictions

PRECISION, SPLIT = "bf16", "validation"
MAX_SCORE_CHANGE = 0.001


def estimates(scores: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every score in the nested dictionaries that `score_predictions` gives, by its path."""
    if "estimate" in scores:
        yield name, float(scores["estimate"])
        return
    for key, value in scores.items():
        if isinstance(value, dict):
            yield from estimates(value, f"{name}/{key}" if name else key)


def compare(before: Predictions, after: Predictions, threshold: float) -> dict[str, Any]:
    """What another precision changes: the largest change of a score, which score, and the share of other answers.

    Args:
        before: N predictions.
        after: of the same images in the same order.
        threshold: for the probability of malignancy.
    """
    old, new = (dict(estimates(score_predictions(table, threshold))) for table in (before, after))
    changes = {name: abs(new[name] - old[name]) for name in old if np.isfinite(old[name])}
    score = max(changes, key=changes.get)
    changed = float((_answers(before, threshold) != _answers(after, threshold)).any(axis=1).mean())
    return {
        "images": len(before.frame),
        "largest_score_change": changes[score],
        "score": score,
        "answers_changed": changed,
        "allowed": changes[score] <= MAX_SCORE_CHANGE and changed <= MAX_ANSWERS_CHANGED,
    }


def _answers(table: Predictions, threshold: float) -> np.ndarray:
    """(N, 2): the class, and whether it is called suspicious."""
    malignancy = table.probabilities[:, suspicious_flags(table.classes)].sum(axis=1)
    return np.stack([table.probabilities.argmax(axis=1), malignancy >= threshold], axis=1)


def read_stored(manifest: Manifest, limit: int | None) -> pd.DataFrame:
    """The validation predictions of this very bundle.

    Raises:
        DermalensError: there are none, or they are of another bundle.
    """
    folder = RUNS_DIR / manifest.name
    scores, table = folder / f"{SPLIT}_scores.json", folder / f"{SPLIT}_predictions.csv"
    fits = scores.is_file() and json.loads(scores.read_text()).get("fingerprint") == manifest.fingerprint
    if not fits or not table.is_file():
        raise DermalensError(
            f"{folder} has no validation predictions of bundle {manifest.fingerprint}. "
            f"First: dermalens evaluate scores --split {SPLIT} --data DIR"
        )
    return pd.read_csv(table)[:limit]


def measure(manifest: Manifest, data: Path, limit: int | None = None) -> dict[str, Any]:
    """Analyse the images of the stored predictions again in bfloat16.

    Raises:
        DermalensError: see `read_stored`; or the dataset has not all of their images.
    """
    stored = read_stored(manifest, limit)
    rows = read_split(data, SPLIT, (HAM10000,)).set_index("image_id", drop=False)
    if missing := set(stored["image_id"]) - set(rows.index):
        raise DermalensError(f"{data} lacks {len(missing)} of the images, such as {min(missing)}.")
    analyzer = Analyzer(load_bundle(manifest.folder, "openvino", PRECISION))
    again = predict_split(analyzer, rows.loc[stored["image_id"]].reset_index(drop=True))
    return compare(from_frame(stored), from_frame(again), manifest.suspicious_threshold)


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument("--limit", type=int, help="only this many images, to try it out: nothing is stored")
    arguments = parser.parse_args()
    if not supports_bf16():
        raise DermalensError(
            "This processor has no bfloat16 (AVX512-BF16 or AMX): nothing can be measured here, and float32 is used."
        )
    manifest = read_manifest(arguments.bundle)
    found = {"precision": PRECISION, **measure(manifest, arguments.data, arguments.limit)}
    print(json.dumps(found, indent=1))
    if not arguments.limit:
        with edit_manifest(manifest.folder) as record:
            record["classifier"]["lower_precision"] = found


if __name__ == "__main__":
    main()
