"""Export trained runs as a bundle: weights, choices made on the validation split, manifest.

    dermalens train export --segmentation RUN --classification RUN [RUN ...] --data DIR --out models/weights

Several classification runs become one network that answers with the mean of their logits (`models.ensemble`).

On the validation split this chooses the windows the classifier sees, with `--margins` the skin around the
lesion in them, the filters that are on by default, the temperature and the decision threshold, and
writes what it compared to training/runs/<bundle>/validation_choices.json. It never reads the test split.
Class frequency is corrected in one place, the decision that `training.bundle.fit_trust` fits.
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
from core.evaluation.metrics import threshold_for_sensitivity
from core.images.preprocessing import PreprocessingSettings
from core.lesion.refinement import refine_mask
from core.settings import AnalysisSettings
from core.systems.choices import CHOICES_NAME
from core.systems.evaluations import PROJECT_DIR, RUNS_DIR
from core.systems.hub_card import write_card
from core.taxonomy import suspicious_flags
from models.loading import load_bundle
from models.manifest import MANIFEST_NAME, SHIPPED_DIR, read_manifest
from training.bundle.graph import add_graphs
from training.bundle.manifest_record import edit_manifest
from training.bundle.packing import answers_of, export_classifier, export_network
from training.bundle.validation import (
    LabelledImages,
    apply_temperature,
    compare_filters,
    compare_refinements,
    filters_that_help,
    fit_temperature,
    predict_all_masks,
    require_unseen,
    view_scores,
)
from training.bundle.windows import choose_margin, choose_windows
from training.command import exit_with_message
from training.fit.run_folder import read_config, run_dir

SENSITIVITY = 0.95
FILTER_STRIDE = 3  # four filters cost four passes: a third of the images suffices


def draft_manifest(
    about: dict[str, Any], segmentation: Path, classifications: Sequence[Path], out: Path
) -> dict:
    """What the bundle says about itself, both networks exported, and decisions that are still neutral."""
    config = read_config(classifications[0])
    segmenter = export_network(segmentation, "unet", out / "segmenter.weights.h5")
    classifier = export_classifier(classifications, out / "classifier.weights.h5")
    classifier |= {
        "classes": answers_of(config),
        "views": config["views"],
        "crop_margin": config["crop_margin"],
        "temperature": 1.0,
        "suspicious_threshold": {"value": 0.5, "origin": "not set"},
    }
    return {
        **about,
        "licence": "CC BY-NC 4.0, as the training data; trained from ImageNet weights under Apache-2.0",
        "segmenter": segmenter,
        "classifier": classifier,
        "preprocessing": {"defaults": {}, "origin": "not set"},
    }


def calibrate(
    views: np.ndarray, labels: np.ndarray, flags: np.ndarray, sets: np.ndarray
) -> tuple[dict, dict]:
    """(what the temperature changes, the temperature and the decision threshold).

    The threshold is the highest that reaches the sensitivity in every set.

    Args:
        views: (N, V, K), each view's softmax at temperature 1.
        labels: (N,) class numbers.
        flags: (K,) bool, which classes count as malignant.
        sets: (N,) name of each image's set.
    """
    temperature = fit_temperature(views, labels)
    calibrated = apply_temperature(views, temperature)
    malignancy, positive = calibrated[:, flags].sum(axis=1), flags[labels]
    threshold_of = {
        name: threshold_for_sensitivity(positive[sets == name], malignancy[sets == name], SENSITIVITY)
        for name in dict.fromkeys(sets)
    }
    threshold = min(threshold_of.values())
    compared = {
        "value": temperature,
        "before": view_scores(labels, views.mean(axis=1), sets),
        "after": view_scores(labels, calibrated, sets),
        "threshold_by_set": threshold_of,
    }
    return compared, {
        "temperature": temperature,
        "suspicious_threshold": {
            "value": threshold,
            "origin": f"reaches {SENSITIVITY:.0%} sensitivity for malignancy on the validation split of "
            + " and of ".join(threshold_of),
        },
    }


def make_choices(
    split: LabelledImages,
    margins: Sequence[float] = (),
    filters: PreprocessingSettings | None = None,
) -> tuple[dict, dict]:
    """(what was compared, the classifier and preprocessing decisions) on the validation split, for a draft.

    Filters are a choice of bundles with test-time augmentation; classic recipes have none. `margins` and `filters`
    as in `export`; given filters are on in every comparison of what the classifier sees but their own.
    """
    manifest = split.bundle.manifest
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
        chosen = replace(seen, windows=windows)
        compared["filters_one_view"] = compare_filters(part, masks[::FILTER_STRIDE], chosen)
        compared["n_images_for_filters"] = len(part.labels)
        if not filters:
            decisions["preprocessing"] = asdict(filters_that_help(compared["filters_one_view"]))
    flags = suspicious_flags(seen.classes)
    compared["temperature"], operating = calibrate(views, split.labels, flags, split.sets)
    return compared, decisions | operating


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def export(
    about: dict[str, Any],
    segmentation: Path,
    classifications: Sequence[Path],
    data: Path,
    out: Path,
    limit: int | None = None,
    margins: Sequence[float] = (),
    filters: PreprocessingSettings | None = None,
    every: int = 1,
) -> None:
    """Write a bundle to `out` and the record of its choices to training/runs/<name>/.

    Args:
        about: the bundle's name, version, description and whether it uses test-time augmentation.
        segmentation: folder of a finished run.
        classifications: folders of finished runs, one or more that differ in nothing but training.
        data: folder of the data sets; choices are made on the validation part of those that the classifier was trained on.
        out: the bundle's folder.
        limit: use only this many images.
        margins: of skin around the lesion to choose from; none keeps that of the training's configuration.
        filters: to switch on instead of choosing them.
        every: choices are made on every so many of the validation images.

    Raises:
        BundleError: a network was trained on the validation split, on which it cannot be validated then.
        ValueError: the classification runs differ in what they see or answer.
    """
    write_draft(about, segmentation, classifications, out)
    bundle = load_bundle(out)
    require_unseen(bundle.manifest, "validation")
    split = LabelledImages.read(data, bundle, limit, every)
    add_graphs(out, split.images)
    split = replace(split, bundle=load_bundle(out))  # choices are made by what ships, which is faster too
    compared, decisions = make_choices(split, margins, filters)
    write_decisions(out, decisions, _write_choices(about["name"], compared | {"decisions": decisions}))
    write_card(read_manifest(out))
    print(f"Wrote {out / MANIFEST_NAME}: {decisions}")


def _write_choices(name: str, choices: dict[str, Any]) -> str:
    """Put what was compared and chosen beside a bundle's evaluations; the name of the file."""
    path = RUNS_DIR / name / CHOICES_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(choices, indent=1) + "\n")
    return _without_folder(path)


def _without_folder(path: Path) -> str:
    """The command without folders of the machine it ran on."""
    path = path.resolve()
    return str(path.relative_to(PROJECT_DIR)) if path.is_relative_to(PROJECT_DIR) else path.name


def write_draft(
    about: dict[str, Any], segmentation: Path, classifications: Sequence[Path], folder: Path
) -> None:
    """Both networks and a manifest whose decisions are still neutral."""
    folder.mkdir(parents=True, exist_ok=True)
    record = draft_manifest(about, segmentation, classifications, folder)
    (folder / MANIFEST_NAME).write_text(json.dumps(record, indent=1) + "\n")


def write_decisions(folder: Path, decisions: dict[str, Any], origin: str) -> None:
    """Put what `make_choices` decided into a draft; `origin` names the record of it."""
    with edit_manifest(folder) as record:
        record["preprocessing"] = {"defaults": decisions["preprocessing"], "origin": origin}
        record["classifier"] |= {name: value for name, value in decisions.items() if name != "preprocessing"}


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default="ham10000", help="of the bundle")
    parser.add_argument("--version", default="20", help="of the bundle")
    parser.add_argument("--description", default="", help="what kind of system it is, for those who pick it")
    parser.add_argument("--segmentation", required=True, help="name of a finished run")
    parser.add_argument(
        "--classification", required=True, nargs="+", help="names of finished runs; several are joined"
    )
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=SHIPPED_DIR)
    parser.add_argument(
        "--one-view", action="store_true", help="no test-time augmentation and no filters, as classic systems"
    )
    parser.add_argument(
        "--margins", type=float, nargs="+", default=(), help="choose the crop's margin of these"
    )
    parser.add_argument(
        "--filters",
        nargs="+",
        choices=[field.name for field in fields(PreprocessingSettings)],
        help="switch these filters on, choose none",
    )
    parser.add_argument("--every", type=int, default=1, help="choose by every so many validation images")
    parser.add_argument("--limit", type=int, help="use only this many images, to try things out")
    a = parser.parse_args()
    about = {"name": a.name, "version": a.version, "description": a.description}
    if a.one_view:
        about["test_time_augmentation"] = False
    classifications = [run_dir(name) for name in a.classification]
    filters = PreprocessingSettings(**dict.fromkeys(a.filters, True)) if a.filters else None
    where = run_dir(a.segmentation), classifications, a.data, a.out
    export(about, *where, a.limit, a.margins, filters, a.every)


if __name__ == "__main__":
    main()
