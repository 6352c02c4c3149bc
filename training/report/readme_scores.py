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
ROWS = (
    ("Lesion Dice", "segmentation", "dice"),
    ("Lesion Jaccard", "segmentation", "jaccard"),
    ("Thresholded Jaccard (0.65)", "segmentation", "thresholded_jaccard"),
    ("Masks with Jaccard < 0.65", "segmentation", "share_failed"),
    ("Balanced accuracy, 7 classes", "classification", "balanced_accuracy"),
    ("Accuracy", "classification", "accuracy"),
    ("Macro ROC AUC", "classification", "macro_roc_auc"),
    ("Expected calibration error (15 bins)", "classification", "expected_calibration_error"),
    ("Melanoma ROC AUC", "melanoma", "roc_auc_melanoma"),
    ("Melanoma sensitivity at 0.90 specificity", "melanoma", "melanoma_sensitivity_at_90_specificity"),
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
    """The scores file of the shipped bundle for one split."""
    path = RUNS_DIR / read_manifest().name / f"{split}_scores.json"
    return json.loads(path.read_text())


def score_table() -> str:
    """Markdown: each score on the test split with its interval, and on the validation split."""
    test, validation = read_scores("test"), read_scores("validation")
    lines = ["| | test split (95 % interval) | validation |", "|---|---|---|"]
    for label, group, key in ROWS:
        value, other = test[group][key], validation[group][key]
        lines.append(
            f"| {label} | {value['estimate']:.3f} ({value['low']:.3f} to {value['high']:.3f}) "
            f"| {other['estimate']:.3f} |"
        )
    lines.append("")
    lines.append(
        f"Test: {test['n_images']} images of {test['n_lesions']} lesions; bundle {test['bundle']} "
        f"version {test['version']}, fingerprint `{test['fingerprint']}`. {INTERVAL_NOTE}"
    )
    return "\n".join(lines)


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
