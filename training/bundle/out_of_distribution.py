"""Out-of-distribution images and two textbook scores, to evaluate the out-of-distribution score."""

from pathlib import Path

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from core.diagnosis.novelty import unit_length
from core.images.reading import read_image
from core.phantoms.scenes import SCENES, draw_scene

SCENES_PER_KIND = 20
SIZE_PX = (450, 600)
RIVAL_COMPONENTS = 64
N_NEIGHBOURS = 10


def draw_scenes() -> dict[str, list[np.ndarray]]:
    """Drawn pictures of every kind."""
    return {kind: [draw_scene(kind, seed, SIZE_PX) for seed in range(SCENES_PER_KIND)] for kind in SCENES}


def read_sample_pictures() -> dict[str, np.ndarray]:
    """scikit-image's sample pictures that come with the package, by file name; {} if it is not installed.

    Real photographs and scans; nothing is fitted to them.
    """
    try:
        import skimage
    except ImportError:
        return {}
    folder = Path(skimage.__file__).parent / "data"
    files = sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg"))
    return {path.name: read_image(path).pixels for path in files}


def auroc(known: np.ndarray, unknown: np.ndarray) -> float:
    """Share of pairs in which the out-of-distribution image has the higher score."""
    labels = np.r_[np.zeros(len(known)), np.ones(len(unknown))]
    return float(roc_auc_score(labels, np.r_[known, unknown]))


def compare_scores(train: np.ndarray, known: np.ndarray, unknown: np.ndarray) -> dict[str, float]:
    """AUROC of the two textbook scores on the same features, for comparison with the shipped one.

    Args:
        train: (N, C) pooled features, one image a lesion.
        known: (M, C) of validation images.
        unknown: (S, C) of out-of-distribution images.
    """
    reduce = PCA(min(RIVAL_COMPONENTS, *train.shape), random_state=0).fit(unit_length(train))
    train, known, unknown = (reduce.transform(unit_length(x)) for x in (train, known, unknown))
    shape = LedoitWolf().fit(train)
    neighbours = NearestNeighbors(n_neighbors=min(N_NEIGHBOURS, len(train))).fit(train)
    return {
        "mahalanobis": auroc(shape.mahalanobis(known), shape.mahalanobis(unknown)),
        "nearest_neighbours": auroc(*(neighbours.kneighbors(x)[0][:, -1] for x in (known, unknown))),
    }
