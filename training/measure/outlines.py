"""Measure where experts would draw the outline: the band of the mask's probability that spans their outlines.

    dermalens evaluate outlines --data DIR [--limit N] [--report-test]

Fitted on the validation parts of the sets with experts' outlines (HAM10000 and ISIC 2018 Task 1, whose experts follow
different conventions): the low threshold so that the widest plausible outline holds the expert's, the high one so that
the expert's holds the tightest. Each set's band covers `SHARE` of its images; the bundle's is the wider of them. Writes the
entry "outline_band" of the segmenter into the manifest and training/runs/<bundle>/outlines.json; --report-test adds how
often the band holds on the test parts and chooses nothing.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from core.datasets.ham10000 import default_data_dir, load_masks, load_pixels
from core.datasets.splits import HAM10000
from core.evaluation.bootstrap import grouped_bootstrap
from core.images.preprocessing import limit_shape
from core.lesion.band import OutlineBand, plausible_masks
from core.lesion.refinement import refine_mask
from core.lesion.segmentation import predict_masks
from core.systems.evaluations import RUNS_DIR
from core.tables.writing import to_json_types
from models.loading import Bundle, load_bundle
from models.manifest import bundle_dir
from training.bundle.manifest_record import edit_manifest
from training.bundle.validation import CHUNK, require_unseen
from training.command import exit_with_message
from training.data.sets import find_sets, read_split

OUTLINED_SETS = (HAM10000, "isic2018_task1")
REPORT_NAME = "outlines.json"
SHARE = 0.8
# A drawn line is some pixels wide: this share of an outline's area may lie on its wrong side.
TOLERANCE = 0.05
# Long side at which outlines are compared: finer than the networks' own input, and a split fits into memory.
SIDE_PX = 320
# Beyond these a threshold says nothing about the border.
LOWEST, HIGHEST = 0.02, 0.98
Outline = tuple[np.ndarray, np.ndarray, np.ndarray]  # mask probability, the lesion found, the expert's


def read_rows(data: Path, split: str, dataset: str, limit: int | None) -> pd.DataFrame:
    """The images of a split that have an expert's outline; `limit` of them drawn at random, always the same."""
    rows = read_split(data, split, (dataset,))
    rows = rows[rows["mask_path"] != ""]
    return (rows if limit is None or limit >= len(rows) else rows.sample(limit, random_state=0)).reset_index(
        drop=True
    )


def find_outlines(bundle: Bundle, rows: pd.DataFrame) -> Iterator[Outline]:
    """What the bundle's segmenter and an expert outlined in each image, at `SIDE_PX`."""
    entry = bundle.manifest.segmenter
    sizes = {"input_size_px": entry.input_size_px, "long_side_px": entry.long_side_px}
    for start in tqdm(range(0, len(rows), CHUNK), unit="batch"):
        part = rows.iloc[start : start + CHUNK]
        images = load_pixels(part, long_side_px=10_000)
        shapes = [limit_shape(image.shape[:2], SIDE_PX) for image in images]
        maps = predict_masks(bundle.segmenter, images, shapes, **sizes)
        for found, expert in zip(maps, load_masks(part, shapes), strict=True):
            yield found.astype(np.float16), refine_mask(found).lesion_mask, expert


def needed_thresholds(outline: Outline) -> tuple[float, float]:
    """The highest low and the lowest high threshold at which this expert's outline lies within the band.

    0 and 1, which no band has, where there is none.
    """
    found, lesion, expert = outline
    if not expert.any() or not lesion.any():
        return 0.0, 1.0
    low = float(np.quantile(found[expert].astype(np.float32), TOLERANCE))
    order = np.argsort(-found[lesion], kind="stable")
    precise = np.cumsum(expert[lesion][order]) >= (1 - TOLERANCE) * np.arange(1, len(order) + 1)
    high = float(found[lesion][order][np.flatnonzero(precise)[-1]]) if precise.any() else 1.0
    return low, high


def fit_band(outlines: Sequence[Outline], origin: str = "") -> OutlineBand:
    """The narrowest thresholds that leave out half of 1 - `SHARE` of the images on either side."""
    lows, highs = np.array([needed_thresholds(one) for one in outlines]).T
    miss = (1 - SHARE) / 2
    low = float(np.clip(np.quantile(lows, miss), LOWEST, 0.5))
    high = float(np.clip(np.quantile(highs, 1 - miss), 0.5, HIGHEST))
    return OutlineBand(low, high, SHARE, origin)


def score_band(outlines: Sequence[Outline], lesions: np.ndarray, band: OutlineBand) -> dict:
    """How often an expert's outline lies inside the widest, outside the tightest, and between both.

    `area` is how often the expert's area lies between the two areas; `area_ratio` the median of widest to tightest.
    """
    rows = [_check(one, band) for one in outlines]
    names = ("inside_widest", "outside_tightest", "between", "area")
    shares = {
        name: asdict(grouped_bootstrap(np.mean, lesions, np.array([row[name] for row in rows], float)))
        for name in names
    }
    ratios = [row["area_ratio"] for row in rows if not np.isnan(row["area_ratio"])]
    return {
        "n_images": len(rows),
        **shares,
        "median_area_ratio": float(np.median(ratios)) if ratios else np.nan,
    }


def _check(outline: Outline, band: OutlineBand) -> dict[str, float]:
    found, lesion, expert = outline
    tight, wide = plausible_masks(found.astype(np.float32), lesion, band)
    if not tight.any() or not expert.any():
        return dict.fromkeys(("inside_widest", "outside_tightest", "between", "area"), 0.0) | {
            "area_ratio": np.nan
        }
    inside = (wide & expert).sum() >= (1 - TOLERANCE) * expert.sum()
    outside = (tight & expert).sum() >= (1 - TOLERANCE) * tight.sum()
    return {
        "inside_widest": inside,
        "outside_tightest": outside,
        "between": inside and outside,
        "area": tight.sum() <= expert.sum() <= wide.sum(),
        "area_ratio": wide.sum() / tight.sum(),
    }


def measure_outlines(
    folder: Path, data: Path, runs: Path = RUNS_DIR, limit: int | None = None, report_test: bool = False
) -> dict:
    """Write the band into a bundle's manifest; returns the report.

    Raises:
        BundleError: the bundle was trained on the validation split.
        DatasetError: none of the sets is there.
    """
    bundle = load_bundle(folder)
    require_unseen(bundle.manifest, "validation")
    names = [name for name in OUTLINED_SETS if name in find_sets(data)]
    read = {name: _read(bundle, data, "validation", name, limit) for name in names}
    bands = {name: fit_band(outlines) for name, (outlines, _) in read.items()}
    counts = ", ".join(f"{len(outlines)} of {name}" for name, (outlines, _) in read.items())
    band = OutlineBand(
        round(min(one.low for one in bands.values()), 4),
        round(max(one.high for one in bands.values()), 4),
        SHARE,
        f"experts' outlines of validation images: {counts}",
    )
    report = {
        **bundle.manifest.stamp,
        **asdict(band),
        "tolerance": TOLERANCE,
        "sets": {name: {"low": one.low, "high": one.high} for name, one in bands.items()},
        "validation": {name: score_band(*found, band) for name, found in read.items()},
    }
    if report_test:
        read = {name: _read(bundle, data, "test", name, limit) for name in names}
        report["test"] = {name: score_band(*found, band) for name, found in read.items()}
    report = to_json_types(report)
    _write(folder, runs, bundle.manifest.name, asdict(band), report)
    return report


def _read(bundle: Bundle, data: Path, split: str, dataset: str, limit: int | None):
    rows = read_rows(data, split, dataset, limit)
    return list(find_outlines(bundle, rows)), rows["lesion_id"].to_numpy(object).astype(str)


def _write(folder: Path, runs: Path, name: str, entry: dict, report: dict) -> None:
    with edit_manifest(folder) as record:
        record["segmenter"]["outline_band"] = entry
    (runs / name).mkdir(parents=True, exist_ok=True)
    (runs / name / REPORT_NAME).write_text(json.dumps(report, indent=1) + "\n")


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument("--limit", type=int, help="use only this many images of each set, drawn at random")
    parser.add_argument("--report-test", action="store_true", help="add how often it holds on the test parts")
    a = parser.parse_args()
    report = measure_outlines(a.bundle or bundle_dir(), a.data, limit=a.limit, report_test=a.report_test)
    print(f"band {report['low']:.3f} to {report['high']:.3f}, aimed at {report['share']:.0%} of the images")
    for split in ("validation", "test"):
        for name, found in report.get(split, {}).items():
            shares = ", ".join(
                f"{key} {found[key]['estimate']:.3f} [{found[key]['low']:.3f}, {found[key]['high']:.3f}]"
                for key in ("between", "inside_widest", "outside_tightest", "area")
            )
            print(
                f"{split} {name} ({found['n_images']}): {shares}; area ratio {found['median_area_ratio']:.2f}"
            )


if __name__ == "__main__":
    main()
