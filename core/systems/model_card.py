"""The contents of the model card, read from the files that the evaluation commands wrote.

<split>_scores.json     dermalens evaluate scores --split <split>
phantom_scores.json     dermalens evaluate phantoms
robustness.json         dermalens evaluate robustness
symmetries.json         dermalens evaluate symmetries
trust.json              dermalens train trust
splits/splits.csv       dermalens train split
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.datasets.splits import SPLIT_FILE, SPLITS, read_splits
from core.phantoms.lesions import PhantomSpec
from core.systems.evaluations import RUNS_DIR
from models.manifest import Manifest

SCORE_GROUPS = ("segmentation", "classification", "melanoma", "suspicious_at_threshold")
N_WORST_MASKS = 2
# Smaller changes of the probability of malignancy are not reported as failures.
MIN_RISE = 0.05


@dataclass(frozen=True)
class DrawnFailure:
    """A drawn image on which the bundle failed, and how.

    Attributes:
        seed, spec: arguments of `core.phantoms.lesions.draw_phantom`.
        title, text: what went wrong, with the numbers of the record.
    """

    seed: int
    spec: PhantomSpec
    title: str
    text: str


def read_record(manifest: Manifest, name: str, runs_dir: Path = RUNS_DIR) -> dict[str, Any]:
    """A JSON file that a command wrote of a bundle; {} where there is none, or one of other weights."""
    path = runs_dir / manifest.name / name
    record = json.loads(path.read_text()) if path.is_file() else {}
    return record if record.get("fingerprint") == manifest.fingerprint else {}


def score_table(records: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """One row a score: `score`, then for each split its text with the 95 % interval.

    Args:
        records: split -> its scores file; splits without one are left out.
    """
    columns = {split: record for split, record in records.items() if record}
    names = [
        (group, name)
        for group in SCORE_GROUPS
        for name in dict.fromkeys(n for r in columns.values() for n in r.get(group, {}))
    ]
    rows = [
        {
            "score": _plain(name),
            **{split: format_score(r.get(group, {}).get(name)) for split, r in columns.items()},
        }
        for group, name in names
    ]
    return pd.DataFrame(rows, columns=["score", *columns])


def format_score(value: Any) -> str:
    """A number, or an estimate with its limits, as text; "undefined" for null.

    >>> format_score({"estimate": 0.9234, "low": 0.91, "high": 0.9312}), format_score(None)
    ('0.923 (0.910 to 0.931)', 'undefined')
    """
    if isinstance(value, dict):
        estimate, low, high = (format_score(value.get(key)) for key in ("estimate", "low", "high"))
        return f"{estimate} ({low} to {high})"
    return "undefined" if value is None else f"{value:.3f}"


def split_table(split_file: Path = SPLIT_FILE) -> pd.DataFrame:
    """Images and lesions of each split, and images by class: one row a split."""
    assignment = read_splits(path=split_file)
    rows = []
    for split in SPLITS:
        part = assignment[assignment["split"] == split]
        counts = part["dx"].value_counts().sort_index()
        rows.append(
            {"split": split, "images": len(part), "lesions": part["lesion_id"].nunique(), **counts.to_dict()}
        )
    return pd.DataFrame(rows)


def trust_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    """(what was measured, its value) of a record in trust.json: sets, balanced decision, out-of-distribution images."""
    rows = []
    for variant, found in record["sets"].get("test", {}).items():
        name = "one threshold" if variant == "marginal" else "one threshold a class"
        covered = {code: one for code, one in found["by_class"].items() if one["estimate"] is not None}
        worst = min(covered, key=lambda code: covered[code]["estimate"])
        rows.append((f"90 % sets, {name}: coverage on test", format_score(found["overall"])))
        rows.append((f"90 % sets, {name}: worst class ({worst})", format_score(covered[worst])))
        rows.append((f"90 % sets, {name}: mean size", f"{found['mean_size']:.2f} classes"))
    for metric, found in record.get("decision", {}).get("test", {}).items():
        rows.append(
            (
                f"{_plain(metric).capitalize()} on test, by the class-balanced decision",
                format_score(found["after"]),
            )
        )
    novelty = record["novelty"]
    rows.append(
        ("Out-of-distribution images: false positives on validation", f"{novelty['false_alarms']:.1%}")
    )
    for key, name in (("sample_pictures", "scikit-image's pictures"), ("drawn_scenes", "drawn scenes")):
        found = novelty.get(key)
        found = found["all"] if found and key == "drawn_scenes" else found
        if found:
            rows.append(
                (f"AUROC against {name}", f"{found['auroc']:.3f} ({found['share_caught']:.0%} detected)")
            )
    return rows


def severity_rows(record: dict[str, Any]) -> list[dict[str, str]]:
    """Mean losses by severity of a record in robustness.json; corruptions that training did not use are listed apart."""
    every = record["mean_by_severity"]
    unseen = {row["severity"]: row for row in record.get("mean_by_severity_unseen", every)}
    return [
        {
            "Severity": f"{row['severity']:.0f}",
            "Balanced accuracy lost": f"{100 * row['balanced_accuracy_loss']:.1f} points",
            "… never trained with": f"{100 * unseen[row['severity']]['balanced_accuracy_loss']:.1f} points",
            "Dice lost": f"{100 * row['dice_loss']:.1f} points",
            "Same answer": f"{row['unchanged_share']:.0%}",
        }
        for row in every
    ]


def artefact_rows(record: dict[str, Any]) -> list[dict[str, str]]:
    """False positives on nevi with each drawn artefact, of a record in robustness.json."""
    nevi = record["nevi"]
    clean = nevi["clean_false_positive_rate"]["estimate"]
    return [
        {
            "Drawn on nevi": row["artefact"],
            "False positives": f"{clean:.1%} → {row['false_positive_rate']:.1%}",
            "Change (95 % interval)": _points(row["change"]),
        }
        for row in nevi["artefacts"]
    ]


def symmetry_rows(record: dict[str, Any]) -> list[dict[str, str]]:
    """Whether rotated and mirrored images keep their prediction, of a record in symmetries.json."""
    names = {"eight_views": "eight views averaged", "one_view": "one view"}
    return [
        {
            "Eight symmetries of an image": name,
            "Another answer in any": f"{record[key]['images_changed']:.1%} of {record['n_images']} images",
            "Largest change of a probability": f"{100 * record[key]['largest_probability_change']:.1f} points",
        }
        for key, name in names.items()
    ]


def _points(change: dict[str, float]) -> str:
    estimate, low, high = (100 * change[key] for key in ("estimate", "low", "high"))
    return f"{estimate:+.1f} points ({low:+.1f} to {high:+.1f})"


def known_failures(phantoms: dict[str, Any]) -> list[DrawnFailure]:
    """The worst masks and, for each artefact, the lesion whose probability of malignancy it raises most, if clearly.

    Args:
        phantoms: the record in phantom_scores.json; {} gives none.
    """
    worst = sorted(phantoms.get("phantoms", []), key=lambda row: row["dice"])[:N_WORST_MASKS]
    masks = [
        DrawnFailure(row["seed"], _spec(row), "Weakest outline", f"Dice {row['dice']:.2f}")
        for row in worst
        if "spec" in row
    ]
    return masks + _artefact_failures(phantoms.get("artefacts", []))


def _artefact_failures(rows: list[dict[str, Any]]) -> list[DrawnFailure]:
    clean = {row["seed"]: row["suspicious_probability"] for row in rows if row["artefact"] is None}
    largest: dict[str, tuple[float, dict]] = {}
    for row in (r for r in rows if r["artefact"]):
        rise = row["suspicious_probability"] - clean[row["seed"]]
        if rise > largest.get(row["artefact"], (MIN_RISE, {}))[0]:
            largest[row["artefact"]] = rise, row
    return [
        DrawnFailure(
            row["seed"],
            _spec(row),
            f"Misled by {artefact}",
            f"Probability of malignancy {clean[row['seed']]:.0%} without, {row['suspicious_probability']:.0%} with",
        )
        for artefact, (_, row) in largest.items()
    ]


def _spec(row: dict[str, Any]) -> PhantomSpec:
    """A spec from JSON, whose lists were tuples."""
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in row["spec"].items()}
    return PhantomSpec(**values)


def _plain(name: str) -> str:
    return name.replace("_", " ")
