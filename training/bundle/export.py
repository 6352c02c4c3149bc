"""Make a model bundle of two trained runs: weights, decisions from the validation split, manifest.

    python -m training.bundle.export --segmentation RUN --classification RUN --data DIR --out models/weights

A run that is the mean of two halves (`training.merge_halves`) has learned the validation split: there each image is
shown to bundles of the halves, which go to training/runs/<bundle>/checkpoints/ (not committed).

On the validation split this chooses the windows the classifier sees, with `--margins` the skin around the
lesion in them, the filters that are on by default, how much of the class prior its logits get back, the
temperature and the threshold for "suspicious", and writes what it compared to
training/runs/<bundle>/validation_choices.json. It never reads the test split.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.analyzer import classifier_input
from core.datasets.ham10000 import default_data_dir
from core.diagnosis.decision import apply_offsets
from core.evaluation.metrics import threshold_for_sensitivity
from core.images.preprocessing import PreprocessingSettings
from core.lesion.refinement import refine_mask
from core.settings import AnalysisSettings
from core.systems.choices import CHOICES_NAME
from core.systems.evaluations import PROJECT_DIR
from core.taxonomy import suspicious_flags
from models.loading import load_bundle
from models.manifest import MANIFEST_NAME, SHIPPED_DIR
from training.bundle.packing import export_network, shift_exported
from training.bundle.validation import (
    LabelledImages,
    apply_temperature,
    compare_filters,
    compare_refinements,
    filters_that_help,
    fit_temperature,
    predict_all_masks,
    view_scores,
)
from training.bundle.windows import choose_margin, choose_windows
from training.command import in_words
from training.fit.engine import RUNS_DIR
from training.halves import WHOLE, half_folder, judging_pairs
from training.prior import STRENGTHS, choose_prior

SENSITIVITY = 0.95
FILTER_STRIDE = 2  # four filters cost four passes: half of the images will do


def draft_manifest(about: dict[str, Any], segmentation: Path, classification: Path, out: Path) -> dict:
    """What the bundle says about itself, both networks exported, and decisions that are still neutral."""
    config = json.loads((classification / "config.json").read_text())["config"]
    segmenter = export_network(segmentation, "unet", out / "segmenter.weights.h5")
    classifier = export_network(
        classification,
        config["builder"],
        out / "classifier.weights.h5",
        n_classes=len(config["classes"]),
    )
    classifier |= {
        "classes": config["classes"],
        "views": config["views"],
        "crop_margin": config["crop_margin"],
        "temperature": 1.0,
        "suspicious_threshold": {"value": 0.5, "origin": "not set"},
    }
    return {
        **about,
        "licence": "CC BY-NC 4.0, as HAM10000; trained from ImageNet weights under Apache-2.0",
        "segmenter": segmenter,
        "classifier": classifier,
        "preprocessing": {"defaults": {}, "origin": "not set"},
    }


def calibrate(views: np.ndarray, labels: np.ndarray, flags: np.ndarray) -> tuple[dict, dict]:
    """(what the temperature changes, the temperature and the threshold for "suspicious").

    Args:
        views: (N, V, K), each view's softmax at temperature 1.
        labels: (N,) class numbers.
        flags: (K,) bool, which classes are suspicious.
    """
    temperature = fit_temperature(views, labels)
    calibrated = apply_temperature(views, temperature)
    threshold = threshold_for_sensitivity(flags[labels], calibrated[:, flags].sum(axis=1), SENSITIVITY)
    compared = {
        "value": temperature,
        "before": view_scores(labels, views.mean(axis=1)),
        "after": view_scores(labels, calibrated),
    }
    return compared, {
        "temperature": temperature,
        "suspicious_threshold": {
            "value": threshold,
            "origin": f"reaches {SENSITIVITY:.0%} sensitivity for suspicious lesions on the validation split",
        },
    }


def make_choices(
    split: LabelledImages,
    margins: Sequence[float] = (),
    prior: float | None = None,
    filters: PreprocessingSettings | None = None,
) -> tuple[dict, dict]:
    """(what was compared, the classifier and preprocessing decisions) on the validation split, for drafts.

    Filters and the prior are choices of bundles with test-time augmentation; classic recipes have neither.
    `margins`, `prior` and `filters` as in `export`; given filters are on in every comparison of what the classifier
    sees but their own.
    """
    manifest = split.bundles[0].manifest
    seen = classifier_input(manifest)  # the draft's: all windows, temperature 1
    augmented = manifest.test_time_augmentation
    shown = split.filtered(filters) if filters else split
    n_views = AnalysisSettings(test_time_augmentation=augmented).n_views
    maps = predict_all_masks(split, n_views)
    compared: dict[str, Any] = {"n_images": len(split.labels)}
    compared["refinement"] = compare_refinements(maps, split.masks)
    print(compared["refinement"], flush=True)
    masks = [refine_mask(probability).lesion_mask for probability in maps]
    decisions: dict[str, Any] = {"preprocessing": asdict(filters or PreprocessingSettings())}
    if margins:
        compared["crop_margin"], margin = choose_margin(shown, masks, seen, margins)
        seen = replace(seen, crop_margin=margin)
        decisions["crop_margin"] = margin
    compared["windows"], windows, views = choose_windows(shown, masks, seen, n_views)
    decisions["views"] = list(windows)
    if augmented:
        part = split.every(FILTER_STRIDE)
        compared["filters_one_view"] = compare_filters(
            part, masks[::FILTER_STRIDE], replace(seen, windows=windows)
        )
        compared["n_images_for_filters"] = len(part.labels)
        if not filters:
            decisions["preprocessing"] = asdict(filters_that_help(compared["filters_one_view"]))
        compared["prior"], decisions["prior"] = choose_prior(
            views, split.labels, split.rows["lesion_id"].to_numpy(), prior
        )
        views = apply_offsets(views, decisions["prior"]["offsets"])
    compared["temperature"], operating = calibrate(views, split.labels, suspicious_flags(seen.classes))
    return compared, decisions | operating


def export(
    about: dict[str, Any],
    segmentation: Path,
    classification: Path,
    data: Path,
    out: Path,
    limit: int | None = None,
    margins: Sequence[float] = (),
    prior: float | None = None,
    filters: PreprocessingSettings | None = None,
) -> None:
    """Write a bundle to `out` and the record of its choices to training/runs/<name>/.

    Args:
        about: the bundle's name, version, description and whether it uses test-time augmentation.
        segmentation: folder of a finished run.
        classification: folder of a finished run.
        data: HAM10000's folder.
        out: the bundle's folder.
        limit: use only this many images.
        margins: of skin around the lesion to choose from; none keeps that of the training's configuration.
        prior: strength of the class prior to take instead of choosing one.
        filters: to switch on instead of choosing them.
    """
    write_draft(about, segmentation, classification, out)
    judges = {WHOLE: out}
    pairs = judging_pairs(segmentation, classification)
    if WHOLE not in pairs:
        judges = {half: half_folder(about["name"], half) for half in pairs}
        for half, folder in judges.items():
            write_draft(about, *pairs[half], folder)
    bundles = {part: load_bundle(folder) for part, folder in judges.items()}
    compared, decisions = make_choices(LabelledImages.read(data, bundles, limit), margins, prior, filters)
    choices_file = RUNS_DIR / about["name"] / CHOICES_NAME
    choices_file.parent.mkdir(parents=True, exist_ok=True)
    choices_file.write_text(json.dumps(compared | {"decisions": decisions}, indent=1) + "\n")
    for folder in {out, *judges.values()}:
        write_decisions(folder, decisions, str(choices_file.resolve().relative_to(PROJECT_DIR)))
    print(f"Wrote {out / MANIFEST_NAME}: {decisions}")


def write_draft(about: dict[str, Any], segmentation: Path, classification: Path, folder: Path) -> None:
    """Both networks and a manifest whose decisions are still neutral."""
    folder.mkdir(parents=True, exist_ok=True)
    record = draft_manifest(about, segmentation, classification, folder)
    (folder / MANIFEST_NAME).write_text(json.dumps(record, indent=1) + "\n")


def write_decisions(folder: Path, decisions: dict[str, Any], origin: str) -> None:
    """Put what `make_choices` decided into a draft and its classifier's biases; `origin` names the record of it."""
    path = folder / MANIFEST_NAME
    record = json.loads(path.read_text())
    record["preprocessing"] = {"defaults": decisions["preprocessing"], "origin": origin}
    if prior := decisions.get("prior"):
        record["classifier"] = shift_exported(record["classifier"], folder, prior["offsets"])
    record["classifier"] |= {name: value for name, value in decisions.items() if name != "preprocessing"}
    path.write_text(json.dumps(record, indent=1) + "\n")


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default="ham10000", help="of the bundle")
    parser.add_argument("--version", default="19", help="of the bundle")
    parser.add_argument("--description", default="", help="what kind of system it is, for those who pick it")
    parser.add_argument("--segmentation", required=True, help="run in training/runs/")
    parser.add_argument("--classification", required=True, help="run in training/runs/")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    parser.add_argument("--out", type=Path, default=SHIPPED_DIR)
    parser.add_argument(
        "--one-view", action="store_true", help="no test-time augmentation and no filters, as classic systems"
    )
    parser.add_argument(
        "--margins", type=float, nargs="+", default=(), help="choose the crop's margin of these"
    )
    parser.add_argument(
        "--prior", type=float, choices=STRENGTHS, help="take this strength of the class prior, choose none"
    )
    parser.add_argument(
        "--filters",
        nargs="+",
        choices=[field.name for field in fields(PreprocessingSettings)],
        help="switch these filters on, choose none",
    )
    parser.add_argument("--limit", type=int, help="use only this many images, to try things out")
    a = parser.parse_args()
    about = {"name": a.name, "version": a.version, "description": a.description}
    if a.one_view:
        about["test_time_augmentation"] = False
    runs = RUNS_DIR / a.segmentation, RUNS_DIR / a.classification
    filters = PreprocessingSettings(**dict.fromkeys(a.filters, True)) if a.filters else None
    export(about, *runs, a.data, a.out, a.limit, a.margins, a.prior, filters)


if __name__ == "__main__":
    main()
