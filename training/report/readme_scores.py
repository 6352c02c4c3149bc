"""Write the README's scores, and the bundle's model card, from the files that the evaluation and the benchmark wrote.

    dermalens evaluate readme

A test compares both with what this command would write.
"""

import json
from pathlib import Path

import pandas as pd

from core.evaluation.calibration import INTERVAL_NOTE
from core.systems.evaluations import PROJECT_DIR, RESULTS_DIR, RUNS_DIR
from core.systems.hub_card import write_card
from core.systems.training_runs import shipped_runs
from models.manifest import MANIFEST_NAME, read_manifest
from training.command import exit_with_message

README = PROJECT_DIR / "README.md"
PAGES = ("diagnose", "evaluate", "dataset", "training", "about")
START, END = "<!-- scores: dermalens evaluate readme -->", "<!-- end of scores -->"
# Heading of a column, the evaluation it shows.
COLUMNS = {
    "HAM10000, test": "test",
    "MILK10k, test": "milk10k_test",
    "ISIC 2018 Task 1, test": "isic2018_task1_test",
    "HAM10000, validation": "validation",
}
ROWS = (
    ("Lesion Dice", "segmentation", "dice"),
    ("Lesion Jaccard", "segmentation", "jaccard"),
    ("Thresholded Jaccard (0.65)", "segmentation", "thresholded_jaccard"),
    ("Masks with Jaccard < 0.65", "segmentation", "share_failed"),
    ("Balanced accuracy, of the classes that the set has", "classification", "balanced_accuracy"),
    ("Accuracy", "classification", "accuracy"),
    ("Macro ROC AUC", "classification", "macro_roc_auc"),
    ("Expected calibration error (15 bins)", "classification", "expected_calibration_error"),
    ("Melanoma ROC AUC", "melanoma", "roc_auc_melanoma"),
    ("Melanoma sensitivity at 0.90 specificity", "melanoma", "melanoma_sensitivity_at_90_specificity"),
    ("ROC AUC, malignant or in situ against benign", "", "suspicious_roc_auc"),
    (
        "Sensitivity, malignant or in situ, at the decision threshold",
        "suspicious_at_threshold",
        "sensitivity",
    ),
    (
        "Specificity, malignant or in situ, at the decision threshold",
        "suspicious_at_threshold",
        "specificity",
    ),
)


def read_scores(split: str) -> dict:
    """The scores file of the shipped bundle for one split; {} where that was not evaluated."""
    path = RUNS_DIR / read_manifest().name / f"{split}_scores.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def score_table() -> str:
    """Markdown: each score on the test split of each dataset with its interval, and on HAM10000's validation split."""
    columns = {title: scores for title, split in COLUMNS.items() if (scores := read_scores(split))}
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for label, group, key in ROWS:
        cells = [_cell((scores.get(group, {}) if group else scores).get(key)) for scores in columns.values()]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    test = read_scores("test")
    counts = [
        f"{title} {scores['n_images']} images of {scores['n_lesions']} lesions"
        for title, scores in columns.items()
    ]
    lines.append(f"\n{'; '.join(counts)}. 95 % intervals over lesions. {_by_the_rule()}")
    lines.append(
        f"Bundle {test['bundle']} version {test['version']}, fingerprint `{test['fingerprint']}`. {INTERVAL_NOTE}"
    )
    return "\n".join(lines)


def _cell(value: dict | None) -> str:
    """A score with its interval; "–" for one that a dataset does not allow."""
    return f"{value['estimate']:.3f} ({value['low']:.3f} to {value['high']:.3f})" if value else "–"


def _by_the_rule() -> str:
    """Balanced accuracy by the decision rule that validation gave, where it was tested."""
    path = RUNS_DIR / read_manifest().name / "trust.json"
    found = json.loads(path.read_text())["decision"].get("test", {}).get("balanced_accuracy")
    return (
        f"Balanced accuracy on HAM10000 by the decision rule for it: {_cell(found['after'])}."
        if found
        else ""
    )


def benchmark_line() -> str:
    """What `make bench` measured: one sentence; ratios are within one run."""
    results = json.loads((RESULTS_DIR / "benchmark.json").read_text())
    opening = [results[f"page_{page}_opens_seconds"] for page in PAGES]
    return (
        f"Speed (`make bench`): one analysis takes {results['analysis_over_bare']:.2f} times as long as TensorFlow's "
        f"bare forward passes, one of a 24-megapixel photograph {results['peak_memory_24mp_mb']:.0f} MB at its peak; "
        f"pages open in {min(opening):.2f} to {max(opening):.2f} s once Streamlit is imported, without TensorFlow. "
        "All figures: `training/results/benchmark.json`."
    )


def training_line() -> str:
    """How long the runs behind the shipped weights trained, or which code trained them."""
    manifest = read_manifest()
    tables = [pd.read_csv(RESULTS_DIR / f"{task}.csv") for task in ("segmentation", "classification")]
    runs = pd.concat(tables)
    runs = runs[runs["name"].isin(shipped_runs(manifest)) & (runs["minutes"] > 0)]
    if len(runs):
        machines = " and ".join(dict.fromkeys(runs["machine"]))
        return f"The {len(runs)} runs behind these weights trained for {runs['minutes'].sum() / 60:.1f} hours ({machines})."
    provenance = json.loads((manifest.folder / MANIFEST_NAME).read_text()).get("provenance", "")
    return f"Weights: {provenance or 'their runs are not on record'}; `training/LOG.md` says how, and which validation images they have seen."


def render(text: str) -> str:
    """The README's text with fresh scores between the markers.

    Raises:
        ValueError: a marker is missing.
    """
    if START not in text or END not in text:
        raise ValueError(f"The README lacks the markers {START!r} and {END!r}.")
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{score_table()}\n{training_line()}\n\n{benchmark_line()}\n{END}{after}"


@exit_with_message
def main() -> None:
    path = Path(README)
    path.write_text(render(path.read_text()))
    print(f"Wrote the scores of {path.name} and {write_card(read_manifest())}")


if __name__ == "__main__":
    main()
