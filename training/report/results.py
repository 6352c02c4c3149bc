"""Write the results tables: one row a run in training/results/.

    dermalens evaluate results

segmentation.csv, classification.csv    a training: configuration, data, scores of the kept epoch, minutes, machine
ablations.csv                           short runs that differ from a base in one choice, and the difference; controls
bundles.csv                             an evaluated bundle: its scores on the test and the validation split

Rows of runs whose folders are there are written anew; those of runs that are gone stay as they are. Validation
scores of a run are of one view of each window, before temperature and refinement.
"""

import ast
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.systems.ablations import CONTROL, DECIDES, PREFIX, is_ablation
from core.systems.evaluations import CONFIGS_DIR, RESULTS_DIR, RUNS_DIR, WORK_DIR
from training.command import exit_with_message

# Runs are sorted by the first score.
SCORES = {
    "classification": ("val_macro_auc", "val_balanced_accuracy", "val_accuracy", "val_loss"),
    "segmentation": ("val_dice", "val_jaccard", "val_failed_share"),
}
TABLES = (*(f"{task}.csv" for task in SCORES), "ablations.csv", "bundles.csv")
BUNDLE_SCORES = {
    "macro_roc_auc": "macro_roc_auc",
    "balanced_accuracy": "balanced_accuracy",
    "accuracy": "accuracy",
    "log_loss": "log_loss",
    "roc_auc_mel": "melanoma_roc_auc",
}
# Half of a 95 % interval, in differences between two runs that differ in their seed alone.
NOISE_FACTOR = 1.96
DIGITS = 4


def describe_config(path: Path) -> str:
    """The first line of a configuration's docstring; "" where the file is gone."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) if path.is_file() else None
    return docstring.splitlines()[0] if docstring else ""


# --- trainings --------------------------------------------------------------------------------------
def read_run(folder: Path, configs: Path = CONFIGS_DIR) -> dict[str, Any]:
    """One row, from a run's config.json, scores.json and history.csv."""
    record = json.loads((folder / "config.json").read_text())
    scores = json.loads((folder / "scores.json").read_text())
    config, best = record.get("config", {}), scores["best_epoch"]
    task = "segmentation" if "val_dice" in best else "classification"
    seconds = pd.read_csv(folder / "history.csv")["seconds"]
    path = next(configs.rglob(f"{folder.name}.py"), configs / f"{folder.name}.py")
    return {
        "task": task,
        "name": folder.name,
        "description": describe_config(path),
        "config": f"training/configs/{path.relative_to(configs)}" if path.is_file() else "",
        "data": _describe_data(config),
        **{name: round(best[name], DIGITS) for name in SCORES[task] if name in best},
        "best_epoch": int(best["epoch"]) + 1,
        "epochs": len(seconds),
        "minutes": round(float(seconds.sum()) / 60, 1),
        "parameters": scores.get("parameters"),
        "machine": ", ".join(filter(None, (f"{record.get('cores', '?')} cores", record.get("accelerator")))),
    }


def _describe_data(config: dict[str, Any]) -> str:
    """The sets that a run was trained on; HAM10000 for older records, which do not name them."""
    return " + ".join(config.get("sets") or ["ham10000"]) + " (train)"


def collect_runs(
    runs_dirs: Sequence[Path] = (RUNS_DIR, WORK_DIR), configs: Path = CONFIGS_DIR
) -> list[dict[str, Any]]:
    """Every finished training run, of the same name the one in the later folder; one that has not ended is left out."""
    paths = [path for runs_dir in runs_dirs for path in sorted(runs_dir.glob("*/scores.json"))]
    folders = {path.parent.name: path.parent for path in paths if (path.parent / "history.csv").is_file()}
    return [read_run(folder, configs) for folder in folders.values()]


# --- ablations --------------------------------------------------------------------------------------
def compare_ablations(runs: Sequence[dict[str, Any]], task: str) -> list[dict[str, Any]]:
    """The short runs of a task with their difference to the base, best first; [] without the base.

    The interval is that of seeds: 1.96 times the difference between the base and `<base>_seed` is half of the
    interval. With a single repeat the interval is rough.
    """
    score = DECIDES[task]
    family = {run["name"]: run for run in runs if run["name"].startswith(PREFIX + task)}
    base, repeat = (family.get(PREFIX + task + ending) for ending in ("", "_seed"))
    if base is None:
        return []
    noise = NOISE_FACTOR * abs(repeat[score] - base[score]) if repeat else float("nan")
    rows = []
    for run in family.values():
        difference = run[score] - base[score]
        limits = {"difference": difference, "low": difference - noise, "high": difference + noise}
        rows.append(run | {name: round(value, DIGITS) for name, value in limits.items()})
    return sorted(rows, key=lambda row: -row["difference"])


def list_controls(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The controls: runs of the recipe on HAM10000 alone, which are compared with each other."""
    return [run | {"task": "control"} for run in runs if run["name"].startswith(CONTROL)]


# --- bundles ----------------------------------------------------------------------------------------
def read_bundles(runs_dir: Path = RUNS_DIR) -> Iterator[dict[str, Any]]:
    """One row for each bundle with scores on the test split."""
    for path in sorted(runs_dir.glob("*/test_scores.json")):
        records = {"test": json.loads(path.read_text())}
        other = path.with_name("validation_scores.json")
        if "fingerprint" not in records["test"]:
            continue  # the scores of a run without a bundle
        if other.is_file():
            records["validation"] = json.loads(other.read_text())
        stamp = {key: records["test"][key] for key in ("bundle", "version", "fingerprint")}
        scores = {
            f"{split}_{name}": value
            for split, record in records.items()
            for name, value in _headlines(record).items()
        }
        scores |= _corrupted(path.with_name("robustness.json"), stamp["fingerprint"])
        yield stamp | {name: round(value, DIGITS) for name, value in scores.items()}


def _headlines(record: dict[str, Any]) -> dict[str, float]:
    detail = record["classification_detail"]
    found = {name: detail[key] for key, name in BUNDLE_SCORES.items() if key in detail}
    return found | {"dice": record["segmentation"]["dice"]["estimate"]}


def _corrupted(file: Path, fingerprint: str) -> dict[str, float]:
    """Mean scores on corrupted validation images; {} where they were not measured of these weights."""
    record = json.loads(file.read_text()) if file.is_file() else {}
    if record.get("fingerprint") != fingerprint:
        return {}
    table = pd.DataFrame(record["corruptions"])
    return {f"corrupted_{name}": float(table[name].mean()) for name in ("balanced_accuracy", "dice")}


# --- files ------------------------------------------------------------------------------------------
def update_table(file: Path, rows: Sequence[dict[str, Any]], keys: Sequence[str], order: str = "") -> None:
    """Put rows into a CSV file: those with the same keys are replaced, all others stay."""
    if not rows:
        return
    new = pd.DataFrame(rows)
    if file.is_file():
        old = pd.read_csv(file)
        written = set(zip(*(new[key].astype(str) for key in keys), strict=True))
        gone = [key not in written for key in zip(*(old[key].astype(str) for key in keys), strict=True)]
        new = pd.concat([old[gone], new], ignore_index=True)
    for name in {"best_epoch", "epochs", "parameters"} & set(new):
        new[name] = new[name].astype("Int64")
    if order:
        new = new.sort_values(order, ascending=False, kind="stable")
    file.parent.mkdir(parents=True, exist_ok=True)
    new.to_csv(file, index=False)


def run(runs_dirs: Sequence[Path] = (RUNS_DIR, WORK_DIR), results_dir: Path = RESULTS_DIR) -> list[str]:
    """Update the tables of `TABLES` in `results_dir` from the folders in `runs_dirs`; returns those that are there."""
    runs = collect_runs(runs_dirs)
    ablations = []
    for task, scores in SCORES.items():
        ours = [run for run in runs if run["task"] == task]
        rows = [{k: v for k, v in run.items() if k != "task"} for run in ours if not is_ablation(run["name"])]
        update_table(results_dir / f"{task}.csv", rows, ["name"], scores[0])
        ablations += compare_ablations(ours, task)
    update_table(results_dir / "ablations.csv", ablations + list_controls(runs), ["name"])
    bundles = [row for runs_dir in runs_dirs for row in read_bundles(runs_dir)]
    update_table(results_dir / "bundles.csv", bundles, ["bundle", "version"])
    return [name for name in TABLES if (results_dir / name).is_file()]


@exit_with_message
def main() -> None:
    print(f"Wrote {', '.join(run())}")


if __name__ == "__main__":
    main()
