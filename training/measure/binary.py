"""Score a binary run (malignant or benign) from its checkpoint, by the same windows and logits as other classifiers.

Its weights are too large to ship, so that there is no bundle to evaluate; `training.measure.systems` asks for it.
"""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy.special import softmax

from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.metrics import roc_auc, threshold_for_sensitivity
from training.bundle.export import SENSITIVITY
from training.fit.engine import load_config
from training.fit.run_folder import BEST_WEIGHTS, run_dir
from training.fit.train_classification import (
    ClassificationConfig,
    build_model,
    class_numbers,
    load_split,
    predict_logits,
    view_squares,
)
from training.measure.evaluate import rate_calls

N_TIMED = 24


def suspicious_auc(truth: np.ndarray, probability: np.ndarray, lesions: np.ndarray) -> dict[str, float]:
    """ROC AUC of "suspicious" with its interval; (N,) bool truth, (N,) probabilities and str lesions."""
    return asdict(grouped_bootstrap(roc_auc, lesions, truth, probability))


def score_suspicious(
    truth: np.ndarray, probability: np.ndarray, lesions: np.ndarray, threshold: float
) -> dict[str, dict[str, float]]:
    """AUC, sensitivity and specificity, each with its interval over lesions. Arguments as `suspicious_auc`."""
    rates = rate_calls(truth, probability, threshold, lesions)
    return {
        "suspicious_roc_auc": suspicious_auc(truth, probability, lesions),
        **{f"suspicious_{name}": rate for name, rate in rates.items()},
    }


def score_binary(name: str, data: Path) -> dict[str, Any]:
    """What a binary run answers to the test split, at the threshold that the validation split gives.

    Args:
        name: of the configuration and of its run.
        data: folder of the data sets.
    """
    config = load_config(name)
    model = build_model(config, imagenet=None)
    model.load_weights(run_dir(name) / BEST_WEIGHTS)
    _, truth, probability, _ = _ask(model, config, data, "validation")
    threshold = threshold_for_sensitivity(truth, probability, SENSITIVITY)
    lesions, truth, probability, squares = _ask(model, config, data, "test")
    return {
        "split": "test",
        "threshold": threshold,
        "scores": score_suspicious(truth, probability, lesions, threshold),
        "parameters": model.count_params(),
        "size_mb": 2 * model.count_params() / 1e6,
        "ms_per_image": _median_milliseconds(model, squares[:N_TIMED]),
    }


def _ask(model: keras.Model, config: ClassificationConfig, data: Path, split: str):
    """(lesion ids, truth, probabilities, whole images) of a split."""
    rows, images, masks = load_split(data, split, config)
    squares = view_squares(images, masks, config)
    logits = predict_logits(model, squares, config.n_classes)["whole"]
    truth = class_numbers(rows["dx"], config).astype(bool)
    lesions = rows["lesion_id"].to_numpy(object).astype(str)
    return lesions, truth, softmax(logits.astype(np.float64), axis=1)[:, 1], squares["whole"]


def _median_milliseconds(model: keras.Model, squares: np.ndarray) -> float:
    """Of one image, once the network is warm."""
    durations = []
    for square in squares:
        started = time.perf_counter()
        model(square[None], training=False)
        durations.append((time.perf_counter() - started) * 1000)
    return float(np.median(durations))
