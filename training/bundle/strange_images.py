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


def auroc(usual: np.ndarray, strange: np.ndarray) -> float:
    """Share of pairs in which the out-of-distribution image has the higher score."""
    labels = np.r_[np.zeros(len(usual)), np.ones(len(strange))]
    return float(roc_auc_score(labels, np.r_[usual, strange]))


def compare_scores(train: np.ndarray, usual: np.ndarray, strange: np.ndarray) -> dict[str, float]:
    """AUROC of the two textbook scores on the same features, for comparison with the shipped one.

    Args:
        train: (N, C) pooled features, one image a lesion.
        usual: (M, C) of validation images.
        strange: (S, C) of what is to be told apart.
    """
    reduce = PCA(min(RIVAL_COMPONENTS, *train.shape), random_state=0).fit(unit_length(train))
    train, usual, strange = (reduce.transform(unit_length(x)) for x in (train, usual, strange))
    shape = LedoitWolf().fit(train)
    neighbours = NearestNeighbors(n_neighbors=min(N_NEIGHBOURS, len(train))).fit(train)
    return {
        "mahalanobis": auroc(shape.mahalanobis(usual), shape.mahalanobis(strange)),
        "nearest_neighbours": auroc(*(neighbours.kneighbors(x)[0][:, -1] for x in (usual, strange))),
    }
