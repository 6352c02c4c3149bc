"""Fit the novelty score of a bundle: its subspace on training lesions, its threshold on the validation split."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.diagnosis.novelty import NoveltyModel, fit_novelty
from models.loading import Bundle
from training.bundle.embed import pool_features
from training.bundle.out_of_distribution import auroc, compare_scores, draw_scenes, read_sample_pictures
from training.bundle.validation import validated_sets
from training.data.sets import read_split

FALSE_ALARMS = 0.02
N_COMPONENTS = 32


def fit_subspace(bundle: Bundle, data: Path, limit: int | None = None) -> tuple[dict, NoveltyModel, float]:
    """(AUROC of the score and of alternatives, the model, its threshold)."""
    train = _read_known(bundle, data, "train", bundle.manifest.training_sets).drop_duplicates("lesion_id")[
        :limit
    ]
    rows = _read_known(bundle, data, "validation", validated_sets(bundle.manifest))[:limit]
    pooled, model = fit_known(bundle, train)
    validation, read = pool_features(bundle, rows["image_path"].to_list())
    known, diagnoses = model.score(validation), rows["dx"].to_numpy(object)[read]
    scenes = {kind: pool_features(bundle, images)[0] for kind, images in draw_scenes().items()}
    pictures = read_sample_pictures()
    unknown = pool_features(bundle, list(pictures.values()))[0] if pictures else None
    of_set = rows["dataset"].to_numpy(object)[read]
    threshold = _choose_threshold(known, of_set)
    all_scenes = np.concatenate(list(scenes.values()))
    compared = {
        "n_training_lesions": len(pooled),
        "n_validation_images": len(known),
        "n_components": N_COMPONENTS,
        "threshold": threshold,
        "false_alarms": float((known > threshold).mean()),
        "false_alarms_by_set": {
            name: float((known[of_set == name] > threshold).mean()) for name in dict.fromkeys(of_set)
        },
        "false_alarms_by_class": {
            code: float((known[diagnoses == code] > threshold).mean()) for code in bundle.manifest.classes
        },
        "drawn_scenes": {
            kind: _describe_scores(model, known, own, threshold)
            for kind, own in (scenes | {"all": all_scenes}).items()
        },
        "rivals_auroc_on_drawn_scenes": compare_scores(pooled, validation, all_scenes),
    }
    if unknown is not None:
        missed = model.score(unknown) <= threshold
        compared["sample_pictures"] = _describe_scores(model, known, unknown, threshold) | {
            "missed": [name for name, out in zip(pictures, missed, strict=True) if out]
        }
    return compared, model, threshold


def _choose_threshold(known: np.ndarray, of_set: np.ndarray) -> float:
    """The lowest that refuses at most `FALSE_ALARMS` of the validation images of each set."""
    return max(float(np.quantile(known[of_set == name], 1 - FALSE_ALARMS)) for name in set(of_set))


def _read_known(bundle: Bundle, data: Path, split: str, sets: Sequence[str]) -> pd.DataFrame:
    """The images of a split that are of the bundle's classes and of these data sets."""
    rows = read_split(data, split, sets)
    return rows[rows["dx"].isin(bundle.manifest.classes)].reset_index(drop=True)


def fit_known(bundle: Bundle, train: pd.DataFrame) -> tuple[np.ndarray, NoveltyModel]:
    """(M, C) features of training images, as the bundle sees them, and the subspace fitted to them."""
    pooled, read = pool_features(bundle, train["image_path"].to_list())
    labels = train["dx"][read].map({code: k for k, code in enumerate(bundle.manifest.classes)})
    return pooled, fit_novelty(pooled, labels.to_numpy(np.int64), N_COMPONENTS)


def _describe_scores(model: NoveltyModel, known: np.ndarray, pooled: np.ndarray, threshold: float) -> dict:
    scores = model.score(pooled)
    return {
        "n_images": len(scores),
        "auroc": auroc(known, scores),
        "share_caught": float((scores > threshold).mean()),
    }
