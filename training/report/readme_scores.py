"""Write the README's tables of scores from the files that the evaluation and the benchmark wrote.

    python -m training.report.readme_scores

A test compares the README with what this command would write.
"""

import json
from pathlib import Path

import pandas as pd

from core.datasets.ham10000 import SPLIT_FILE
from core.evaluation.calibration import INTERVAL_NOTE
from core.lineage import runs_behind, training_cost
from core.systems.evaluations import PROJECT_DIR
from core.systems.training_runs import shipped_networks
from models.manifest import read_manifest
from training.command import in_words
from training.fit.engine import RUNS_DIR

README = PROJECT_DIR / "README.md"
# Trained at the same time, on one accelerator.
GPU_RUNS = tuple(f"classification_v2b0_teacher_{number}" for number in range(1, 5))
SLOW_RUN = "segmentation_v2b0_half_a"  # a segmenter on one of two cores
START, END = "<!-- scores: python -m training.report.readme_scores -->", "<!-- end of scores -->"
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
    ("Sensitivity for suspicious lesions", "suspicious_at_threshold", "sensitivity"),
    ("Specificity for suspicious lesions", "suspicious_at_threshold", "specificity"),
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
    kept = validation.get("classes_judged_in")
    lines.append("")
    lines.append(
        f"Test: {test['n_images']} images of {test['n_lesions']} lesions; bundle {test['bundle']} "
        f"version {test['version']}, fingerprint `{test['fingerprint']}`. {INTERVAL_NOTE}"
        + (f" Classes on validation: from `training/runs/{kept}/`, the same classifier's." if kept else "")
    )
    return "\n".join(lines)


def benchmark_table() -> str:
    """Markdown: what `make bench` measured, each ratio within one run."""
    results = json.loads((RUNS_DIR / "benchmark.json").read_text())
    rows = (
        ("One analysis as a multiple of the bare forward passes in it", "analysis_over_bare", "{:.2f}"),
        (
            "Command line over a folder, share of bare batched throughput",
            "cli_throughput_share_of_bare",
            "{:.2f}",
        ),
        ("Training with its input pipeline, share of the bare step", "training_share_of_bare", "{:.2f}"),
        ("Forward passes with oneDNN's kernels, times as fast as without", "onednn_speedup_passes", "{:.2f}"),
        ("Training step with oneDNN's kernels, times as fast", "onednn_speedup_training", "{:.2f}"),
        *(
            (
                f"{page.title()} opens, Streamlit imported, no TensorFlow",
                f"page_{page}_opens_seconds",
                "{:.2f} s",
            )
            for page in ("diagnose", "evaluate", "dataset", "training", "about")
        ),
        ("Peak memory of the analyses in the benchmark", "peak_memory_mb", "{:.0f} MB"),
    )
    lines = ["| | measured |", "|---|---|"]
    lines += [f"| {label} | {form.format(results[key])} |" for label, key, form in rows]
    return "\n".join(lines)


def training_line() -> str:
    """How long the runs behind the shipped weights trained, and how long the same would take elsewhere."""
    names = set().union(*(runs_behind(name) for name in shipped_networks(read_manifest())))
    splits = pd.read_csv(SPLIT_FILE)
    sizes = {**splits["split"].value_counts(), **splits["half"].value_counts()}
    fast = sorted(name for name in names if _accelerator(name))
    hours, images = training_cost(names - {*fast}, sizes)
    epochs = [pd.read_csv(RUNS_DIR / run / "history.csv")["seconds"][1:] for run in GPU_RUNS]
    seconds = float(pd.concat(epochs).median())
    per_second = len(GPU_RUNS) * sizes["train"] / seconds
    return (
        f"The runs behind these weights trained for {hours:.1f} hours on two cores{_say_fast(fast, sizes)}. On one "
        f"{_accelerator(GPU_RUNS[0])}, {len(GPU_RUNS)} classifiers side by side took {seconds:.0f} seconds an epoch each "
        f"(`{GPU_RUNS[0]}` and its like), {per_second:.0f} images a second together: at that pace the "
        f"{images / 1000:.0f} thousand images that the runs on two cores saw would take {images / per_second / 60:.0f} minutes, "
        "more for segmenters, which are slower, and a minute or two for each run to compile."
    )


def _say_fast(runs: list[str], sizes: dict[str, int]) -> str:
    """How long runs side by side on an accelerator took, and would have taken on two cores; "" without any."""
    if not runs:
        return ""
    minutes = max(training_cost({name}, sizes)[0] for name in runs) * 60
    (_, images), (slow_hours, slow_images) = (training_cost(part, sizes) for part in ({*runs}, {SLOW_RUN}))
    return (
        f", and {len(runs)} more, side by side, for {minutes:.0f} minutes on one {_accelerator(runs[0])} "
        f"({' and '.join(f'`{name}`' for name in runs)}): at the pace of `{SLOW_RUN}` on one of two cores that would "
        f"be {images / slow_images * slow_hours:.0f} hours more, one after the other"
    )


def _accelerator(run: str) -> str:
    """What a run was trained on; "" for a processor, as in records from before there was a choice."""
    return json.loads((RUNS_DIR / run / "config.json").read_text()).get("accelerator", "")


def render(text: str) -> str:
    """The README's text with fresh tables between the markers.

    Raises:
        ValueError: a marker is missing.
    """
    if START not in text or END not in text:
        raise ValueError(f"The README lacks the markers {START!r} and {END!r}.")
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{score_table()}\n{training_line()}\n\n{benchmark_table()}\n{END}{after}"


@in_words
def main() -> None:
    path = Path(README)
    path.write_text(render(path.read_text()))
    print(f"Wrote the tables of {path.name}")


if __name__ == "__main__":
    main()
