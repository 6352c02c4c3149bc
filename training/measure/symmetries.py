"""Consistency of predictions under the eight flips and quarter-turns of images of the test split.

    dermalens evaluate symmetries --data DIR [--images 240]

Writes training/runs/<bundle>/symmetries.json: with and without test-time augmentation, the share of images
for which at least one of the other seven symmetries has another most probable class, and the largest change of a
probability. Images are one a lesion, spread over the classes as in `training.measure.robustness`. The bundle was trained on
none of them, and their diagnoses are not used.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.analyzer import Analyzer
from core.datasets.ham10000 import default_data_dir, load_pixels
from core.datasets.splits import HAM10000
from core.images.symmetry import N_SYMMETRIES, apply_symmetry
from core.settings import AnalysisSettings, default_filters
from core.systems.evaluations import RUNS_DIR
from core.tables.writing import to_json_types
from training.command import exit_with_message
from training.data.sets import read_split
from training.fit.environment import describe_environment
from training.measure.robustness import SEED, choose_lesions

SPLIT = "test"
RESULT_NAME = "symmetries.json"


def answer_symmetries(analyzer: Analyzer, image: np.ndarray, test_time_augmentation: bool) -> np.ndarray:
    """(8, K) probabilities of an image, (H, W, 3) uint8, in each of its symmetries; the first is the image."""
    settings = AnalysisSettings(default_filters(analyzer.manifest), test_time_augmentation)
    turned = [np.ascontiguousarray(apply_symmetry(image, number)) for number in range(N_SYMMETRIES)]
    analyses = analyzer.analyze_batch(turned, settings)
    return np.stack([analysis.classification.probabilities for analysis in analyses])


def score_symmetries(probabilities: np.ndarray) -> dict[str, float]:
    """Consistency of (N, 8, K) probabilities of N images: shares of images that change, and the largest change."""
    answers = probabilities.argmax(axis=2)
    moved = answers != answers[:, :1]
    return {
        "images_changed": float(moved.any(axis=1).mean()),
        "symmetries_changed": float(moved[:, 1:].mean()),
        "largest_probability_change": float(np.abs(probabilities - probabilities[:, :1]).max()),
    }


def measure(analyzer: Analyzer, images: list[np.ndarray]) -> dict[str, dict[str, float]]:
    """Scores with ("eight_views") and without ("one_view") test-time augmentation."""
    return {
        name: score_symmetries(
            np.stack([answer_symmetries(analyzer, image, augmented) for image in tqdm(images, desc=name)])
        )
        for name, augmented in (("one_view", False), ("eight_views", True))
    }


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the data sets")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument("--images", type=int, default=240, help="how many, each of another lesion")
    arguments = parser.parse_args()
    analyzer = Analyzer.load(arguments.bundle)
    chosen = choose_lesions(read_split(arguments.data, SPLIT, (HAM10000,)), arguments.images)
    manifest = analyzer.manifest
    record = {
        **manifest.stamp,
        "split": SPLIT,
        "seed": SEED,
        "n_images": len(chosen),
        "environment": describe_environment(),
        **measure(analyzer, load_pixels(chosen, manifest.working_side_px)),
    }
    path = RUNS_DIR / manifest.name / RESULT_NAME
    path.write_text(json.dumps(to_json_types(record), indent=1) + "\n")
    for name in ("one_view", "eight_views"):
        print(name, {key: round(value, 5) for key, value in record[name].items()})


if __name__ == "__main__":
    main()
