"""Put all finished runs side by side: what was tried, what it scored, what it cost.

    python -m training.report.results

Writes training/RESULTS.md for readers and training/RESULTS.json for the app:

    {"runs": [{"name": str, "task": "classification" or "segmentation", "description": str,
               "scores": {"val_...": float, ...} of the best epoch, "best_epoch": int or null,
               "epochs": int, "minutes": float, "parameters": int or null, "cores": int or null,
               "accelerator": str, "command": str}, ...]}

Runs are sorted by task and then by macro AUC or Dice, best first; epochs count from 1.
The short runs that differ from a base in one thing (`core.systems.ablations`) have tables of their own, and so have
the versions of the shipped bundle (`training.versions`).
What patient facts would add follows, from training/runs/patient_facts.json (`python -m training.measure.patient_facts`),
and the classic systems beside ours, from training/runs/systems.json (`python -m training.measure.systems`).
A run made of others has no epochs of its own: 0 epochs, 0 minutes and null for the best.
A run that has not finished has no scores.json yet and is left out.
"""

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.lineage import merged_from
from core.systems.ablations import DECIDES, is_ablation, list_ablations
from core.systems.evaluations import RUNS_DIR
from core.systems.systems import SystemRecord, format_cell, read_systems, systems_table
from core.systems.training_runs import shipped_networks
from models.manifest import SHIPPED_DIR, read_manifest
from training.report.markdown import markdown_table
from training.versions import (
    read_robustness,
    read_together,
    read_versions,
    render_robustness,
    render_versions,
)

CONFIGS_DIR = Path(__file__).parents[1] / "configs"
PATIENT_FACTS_FILE = RUNS_DIR / "patient_facts.json"
# Runs are sorted by the first score.
COLUMNS = {
    "classification": {
        "val_macro_auc": "macro AUC",
        "val_balanced_accuracy": "balanced accuracy",
        "val_accuracy": "accuracy",
        "val_loss": "log loss",
    },
    "segmentation": {
        "val_dice": "Dice",
        "val_jaccard": "Jaccard",
        "val_failed_share": "share < 0.65",
    },
}
HEADING = """# What was tried

Written by `python -m training.report.results` from the folders in `training/runs/`. Scores are those of each run's
best epoch on the validation split (of its last where the configuration keeps that), one view of each window, before
temperature and refinement; each run's configuration is `training/configs/<name>.py`. Runs that end in _a, _b, _a_mean or
_b_mean learned half of the validation lesions too and are judged by the other half; scores of their mean, halves, are
theirs together. Minutes are wall time on machines that had other work too.
"""
ABLATIONS_HEADING = """## One change at a time: {task}

Runs of equal length that differ from the first row in one thing each (`make ablations`), validation split. They are
short and small, so they say which way a choice points, not what it scores at full length. The second row
differs from the first in its random numbers alone: differences no larger than its own may be chance.
"""
FACTS_HEADING = """## Age, sex and body site beside the image

Not in the shipped classifier: what they would add to its calibrated probabilities on the validation split, as
`python -m training.measure.patient_facts` found it (naive Bayes, counted on the training split's lesions; share 1 takes
the facts at full weight).
"""
SYSTEMS_HEADING = """## The classic systems beside ours

On the test split, as `python -m training.measure.systems` found them; intervals are in `training/runs/systems.json` and
in the app. Megabytes in half precision; milliseconds that the networks take for one image on two cores.
"""


def describe_config(path: Path) -> str:
    """The first line of a configuration's docstring; "" where the file is gone."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) if path.is_file() else None
    return docstring.splitlines()[0] if docstring else ""


def read_run(folder: Path, configs: Path = CONFIGS_DIR) -> dict[str, Any]:
    """One row of the table, from a run's config.json, scores.json and history.csv."""
    record = json.loads((folder / "config.json").read_text())
    scores = json.loads((folder / "scores.json").read_text())
    best = scores["best_epoch"]
    parents, described = merged_from(scores)
    seconds = [] if parents else pd.read_csv(folder / "history.csv")["seconds"]
    return {
        "name": folder.name,
        "task": "segmentation" if "val_dice" in best else "classification",
        "description": described or describe_config(configs / f"{folder.name}.py"),
        "scores": {name: value for name, value in best.items() if name.startswith("val_")},
        "best_epoch": None if parents else int(best["epoch"]) + 1,
        "epochs": len(seconds),
        "minutes": round(float(sum(seconds)) / 60, 1),
        "parameters": scores.get("parameters", _shipped_parameters().get(folder.name)),
        "cores": record.get("cores"),
        "accelerator": record.get("accelerator", ""),
        "command": record.get("command", ""),
    }


def _shipped_parameters() -> dict[str, int | None]:
    """Parameters of the runs behind the shipped bundle, which were trained before runs recorded them."""
    return {
        name: parameters for name, (parameters, _) in shipped_networks(read_manifest(SHIPPED_DIR)).items()
    }


def collect_runs(runs_dir: Path = RUNS_DIR, configs: Path = CONFIGS_DIR) -> list[dict[str, Any]]:
    """Every finished training run, by task and then best score first."""
    folders = [path.parent for path in runs_dir.glob("*/scores.json")]
    runs = [read_run(folder, configs) for folder in folders if (folder / "config.json").is_file()]

    def rank(run: dict[str, Any]):
        return run["task"], -run["scores"][next(iter(COLUMNS[run["task"]]))], run["name"]

    return sorted(runs, key=rank)


def results_table(runs: list[dict[str, Any]], task: str) -> str:
    """Markdown table of one task's runs; "–" where something is not known."""
    columns = COLUMNS[task]
    head = ["run", "what it is", *columns.values(), "best of epochs", "minutes", "cores", "parameters"]
    rows = []
    for run in runs:
        scores = [f"{run['scores'][c]:.3f}" if c in run["scores"] else "–" for c in columns]
        parameters = f"{run['parameters'] / 1e6:.1f} M" if run["parameters"] else "–"
        cells = [
            f"`{run['name']}`",
            run["description"].replace("|", "\\|") or "–",
            *scores,
            f"{run['best_epoch']} of {run['epochs']}" if run["epochs"] else "–",
            f"{run['minutes']:.0f}" if run["epochs"] else "–",
            ", ".join(filter(None, (str(run["cores"] or "–"), run["accelerator"]))),
            parameters,
        ]
        rows.append(cells)
    return markdown_table(head, rows)


def render_ablations(runs: list[dict[str, Any]], task: str) -> str:
    """Markdown section of one task's comparison; "" where it was not made."""
    columns = COLUMNS[task]
    score = DECIDES[task]
    found = list_ablations(runs, task, score)
    if not found:
        return ""
    head = ["run", "what is different", *columns.values(), f"gain in {columns[score]}"]
    rows = (
        [
            f"`{run.name}`",
            run.change,
            *(f"{run.scores[c]:.3f}" for c in columns),
            "–" if run.gain is None else f"{run.gain:+.3f}",
        ]
        for run in found
    )
    return f"{ABLATIONS_HEADING.format(task=task)}\n{markdown_table(head, rows)}\n"


def render_systems(systems: list[SystemRecord]) -> str:
    """Markdown section of the classic systems."""
    table = systems_table(systems)
    rows = (
        [*(format_cell(name, value) for name, value in zip(table, row, strict=True)), system.cut or "–"]
        for row, system in zip(table.itertuples(index=False), systems, strict=True)
    )
    return f"{SYSTEMS_HEADING}\n{markdown_table([*table, 'cut short'], rows)}\n"


def render_facts(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown section of what age, sex and site would add; columns as `training.measure.patient_facts` wrote them."""
    scores = [name for name in rows[0] if name not in ("facts", "share")]
    head = ["facts", "share", *(name.replace("_", " ").replace("roc auc", "AUC") for name in scores)]
    cells = (
        [", ".join(row["facts"]) or "none", f"{row['share']:.2f}", *(f"{row[s]:.3f}" for s in scores)]
        for row in rows
    )
    return f"{FACTS_HEADING}\n{markdown_table(head, cells)}\n"


def read_facts(file: Path = PATIENT_FACTS_FILE) -> list[dict[str, Any]]:
    """The rows that `training.measure.patient_facts` wrote; [] before it has run."""
    return json.loads(file.read_text())["rows"] if file.is_file() else []


def render(
    runs: list[dict[str, Any]],
    systems: list[SystemRecord],
    facts: Sequence[dict[str, Any]] = (),
    versions: Sequence[tuple[dict[str, Any], dict[str, Any]]] = (),
    robustness: Sequence[dict[str, Any]] = (),
    together: tuple[list[int], dict[str, float]] | None = None,
) -> str:
    """The whole RESULTS.md."""
    parts = [HEADING]
    for task in COLUMNS:
        chosen = [run for run in runs if run["task"] == task and not is_ablation(run["name"])]
        if chosen:
            commands = "\n".join(f"    {run['command']}" for run in chosen)
            parts.append(f"## {task.capitalize()}\n\n{results_table(chosen, task)}\n\n{commands}\n")
    parts += filter(None, (render_ablations(runs, task) for task in COLUMNS))
    if versions:
        parts.append(render_versions(versions, together))
    if robustness:
        parts.append(render_robustness(robustness))
    if facts:
        parts.append(render_facts(facts))
    if systems:
        parts.append(render_systems(systems))
    return "\n".join(parts)


def main() -> None:
    runs = collect_runs()
    folder = RUNS_DIR.parent
    (folder / "RESULTS.json").write_text(json.dumps({"runs": runs}, indent=1) + "\n")
    text = render(runs, read_systems(), read_facts(), read_versions(), read_robustness(), read_together())
    (folder / "RESULTS.md").write_text(text)
    print(f"Wrote RESULTS.md and RESULTS.json: {len(runs)} runs")


if __name__ == "__main__":
    main()
