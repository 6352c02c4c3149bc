"""Derive the figures behind core/images/quality.py from real images.

    dermalens evaluate quality --data DIR

reads a random sample of HAM10000 (a minute or two on one core), prints each measure's percentiles, how often
each finding is raised on these real images and how often a blur is recognised, and writes all of it to
training/runs/quality/thresholds.json.
"""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from core.datasets.ham10000 import DatasetError, load_masks, read_ham10000
from core.images.quality import WORKING_SIDE_PX, assess_quality, pixel_features
from core.images.quality_findings import QualityReport
from core.images.reading import read_image
from training.command import exit_with_message

PERCENTILES = (0, 0.5, 1, 2, 5, 50, 95, 98, 99, 99.5, 100)
BLURS_PX = (1.0, 1.5, 2.0, 3.0, 5.0)  # Gaussian sigma, of the working copy
MEASURES = [name for name in QualityReport.__annotations__ if name != "findings"]
OUTPUT = Path(__file__).parents[1] / "runs" / "quality" / "thresholds.json"


@exit_with_message
def main(
    data: Annotated[Path, typer.Option(envvar="DERMALENS_DATA", help="HAM10000's folder")],
    sample: int = 1500,
    seed: int = 0,
) -> None:
    """Print the figures and write them to training/runs/quality/thresholds.json."""
    rows = read_ham10000(data).set_index("image_id")
    ids = sorted(rows.index[(rows["image_path"] != "") & (rows["mask_path"] != "")])
    if not ids:
        raise DatasetError(f"No image with an expert mask in {data}. Unpack HAM10000's masks there.")
    rows = rows.loc[random.Random(seed).sample(ids, min(sample, len(ids)))]
    images = [read_image(path).pixels for path in rows["image_path"]]
    masks = load_masks(rows, [image.shape[:2] for image in images])
    reports = [assess_quality(image, mask) for image, mask in zip(images, masks, strict=True)]
    # Every 7th pixel of every 5th image: 5 million of 400 px images.
    pixels = np.concatenate([np.stack(pixel_features(i)).reshape(4, -1)[:, ::7] for i in images[::5]], axis=1)
    result = {
        "command": f"dermalens evaluate quality --sample {sample} --seed {seed}",
        "images": len(images),
        "measures": {name: _percentiles([getattr(report, name) for report in reports]) for name in MEASURES},
        "pixels": dict(zip(("L", "a", "b", "detail"), map(_percentiles, pixels), strict=True)),
        "finding_rate": _finding_rates(reports),
        "blur_recognised": {f"{blur} px": _blur_recognised(images[:300], blur) for blur in BLURS_PX},
    }
    text = json.dumps(result, indent=2) + "\n"
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(text)
    print(text)


def _percentiles(values: list[float] | np.ndarray) -> dict[str, float]:
    levels = np.nanpercentile(np.asarray(values, dtype=float), PERCENTILES)
    return {f"P{level:g}": round(float(value), 4) for level, value in zip(PERCENTILES, levels, strict=True)}


def _finding_rates(reports: list[QualityReport]) -> dict[str, float]:
    counts = Counter(finding.code for report in reports for finding in report.findings)
    return {code: round(count / len(reports), 4) for code, count in sorted(counts.items())}


def _blur_recognised(images: list[np.ndarray], sigma_px: float) -> float:
    """Share of images found blurred; the sigma is of the working copy, so a larger image is blurred more."""
    reports = [
        assess_quality(cv2.GaussianBlur(image, (0, 0), sigma_px * max(image.shape) / WORKING_SIDE_PX))
        for image in images
    ]
    return _finding_rates(reports).get("blurred", 0.0)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    typer.run(main)
