"""Score a binary run (suspicious or not) on the test split from its checkpoint, without shipping its weights.

    python -m training.score_binary --config classic_binary_cnn_224 --data DIR

Writes training/runs/<config>/test_scores.json: ROC AUC, and sensitivity and specificity at the threshold that
reaches 95 % sensitivity on the validation split, each with its interval over lesions; parameters, megabytes
in half precision, and milliseconds an image.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from core.datasets.ham10000 import default_data_dir
from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.metrics import roc_auc, threshold_for_sensitivity
from core.tables import to_json_types
from models.builders import BUILDERS
from models.loading import CompiledNetwork, Network
from training.bundle.export import SENSITIVITY
from training.command import in_words
from training.fit.engine import RUNS_DIR, load_config
from training.fit.environment import describe_environment
from training.fit.run_folder import BEST_WEIGHTS
from training.fit.train_classification import ClassificationConfig, class_numbers, view_squares
from training.fit.train_segmentation import load_split_arrays
from training.measure.evaluate import rate_calls

SCORES_NAME = "test_scores.json"
N_TIMED = 24


def suspicious_auc(truth: np.ndarray, probability: np.ndarray, lesions: np.ndarray) -> dict[str, float]:
    """ROC AUC of "suspicious" with its interval; (N,) bool truth, (N,) probabilities and str lesions."""
    return asdict(grouped_bootstrap(roc_auc, lesions, truth, probability))


def score_suspicious(truth, probability, lesions, threshold: float) -> dict[str, dict[str, float]]:
    """AUC, sensitivity and specificity, each with its interval over lesions. Arguments as `suspicious_auc`."""
    rates = rate_calls(truth, probability, threshold, lesions)
    return {
        "suspicious_roc_auc": suspicious_auc(truth, probability, lesions),
        **{f"suspicious_{name}": rate for name, rate in rates.items()},
    }


def read_squares(config: ClassificationConfig, data: Path, split: str):
    """(lesion ids, truth, whole images as (N, S, S, 3) uint8) of a split."""
    rows, images, masks = load_split_arrays(data, [split], config.long_side_px)
    truth = class_numbers(rows["dx"], config).astype(bool)
    return rows["lesion_id"].to_numpy(object).astype(str), truth, view_squares(images, masks, config)["whole"]


def suspicious_probability(network: Network, squares: np.ndarray) -> np.ndarray:
    """(N,) of (N, S, S, 3) squares."""
    return softmax(network(squares).astype(np.float64), axis=1)[:, 1]


def median_milliseconds(network: Network, squares: np.ndarray) -> float:
    """Of one image, over the first `N_TIMED`; the network is warm."""
    durations = []
    for square in squares[:N_TIMED]:
        started = time.perf_counter()
        network(square[None])
        durations.append((time.perf_counter() - started) * 1000)
    return float(np.median(durations))


def score(config: ClassificationConfig, data: Path) -> dict[str, Any]:
    """The record that is written."""
    model = BUILDERS[config.builder](**config.model, n_classes=config.n_classes)
    model.load_weights(RUNS_DIR / config.name / BEST_WEIGHTS)
    network = CompiledNetwork(model, "uint8")
    _, truth, squares = read_squares(config, data, "validation")
    threshold = threshold_for_sensitivity(truth, suspicious_probability(network, squares), SENSITIVITY)
    lesions, truth, squares = read_squares(config, data, "test")
    return {
        "split": "test",
        "environment": describe_environment(),
        "threshold": threshold,
        "scores": score_suspicious(truth, suspicious_probability(network, squares), lesions, threshold),
        "parameters": model.count_params(),
        "size_mb": 2 * model.count_params() / 1e6,
        "ms_per_image": median_milliseconds(network, squares),
    }


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a binary run in training/runs/")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    arguments = parser.parse_args()
    record = to_json_types(score(load_config(arguments.config), arguments.data))
    (RUNS_DIR / arguments.config / SCORES_NAME).write_text(json.dumps(record, indent=1) + "\n")
    for name, value in record["scores"].items():
        print(f"{name:28s} {value['estimate']:.3f}  [{value['low']:.3f}, {value['high']:.3f}]")


if __name__ == "__main__":
    main()
