"""Out-of-distribution score of an image, from the classifier's own pooled features.

Features of dermoscopic images lie close to a subspace of few dimensions; other images are far
from it. The score is the distance from that subspace: the part of the unit-length pooled feature vector
that the leading principal components of the training lesions leave over.

Reference:
    Wang et al. (2022), ViM: out-of-distribution with virtual-logit matching, arXiv:2203.10807 (the
    residual); unit length after Sun et al. (2022), arXiv:2204.06507. We weigh the classes equally.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.loading import check_weights
from models.manifest import BundleError, Manifest


@dataclass(frozen=True, eq=False)
class NoveltyModel:
    """The subspace of in-distribution images.

    Attributes:
        mean: (C,) float32, of unit-length feature vectors.
        components: (D, C) float32 orthonormal rows.
    """

    mean: np.ndarray
    components: np.ndarray

    def __post_init__(self):
        if self.mean.ndim != 1 or self.components.shape[1:] != self.mean.shape:
            raise ValueError(
                f"`mean` must be (C,) and `components` (D, C); got {self.mean.shape}, {self.components.shape}."
            )

    def score(self, pooled: np.ndarray) -> np.ndarray:
        """Distance from the subspace, higher for images unlike the training images.

        Args:
            pooled: (..., C) features averaged over the map, see `pool_features`.

        Returns:
            (...) float64 from 0 to about 1.
        """
        centred = unit_length(pooled) - self.mean
        inside = centred @ self.components.T
        squares = (centred**2).sum(axis=-1) - (inside**2).sum(axis=-1)
        return np.sqrt(np.maximum(squares, 0))

    def save(self, path: str | Path) -> None:
        """Write an `.npz` without pickled objects."""
        np.savez_compressed(path, mean=self.mean, components=self.components)

    @classmethod
    def read(cls, path: str | Path) -> "NoveltyModel":
        """Read what `save` wrote.

        Raises:
            ValueError, OSError, KeyError: no such file, or another one.
        """
        with np.load(path, allow_pickle=False) as file:
            return cls(file["mean"], file["components"])


def load_novelty(manifest: Manifest) -> NoveltyModel | None:
    """The novelty model of a bundle; None if its manifest states none.

    Raises:
        BundleError: the file is missing, has another SHA-256 or cannot be read.
    """
    if manifest.novelty is None:
        return None
    check_weights(manifest.folder, manifest.novelty)
    try:
        return NoveltyModel.read(manifest.folder / manifest.novelty.file)
    except (ValueError, OSError, KeyError) as error:
        raise BundleError(f"{manifest.novelty.file} is no novelty model: {error}") from error


def fit_novelty(pooled: np.ndarray, labels: np.ndarray, n_components: int) -> NoveltyModel:
    """The leading principal components of training features; every class weighs the same.

    Without the weights two thirds of the images, the nevi, would shape the subspace, and rare
    diagnoses would count as out of distribution.

    Args:
        pooled: (N, C), one image a lesion.
        labels: (N,) int class numbers.
        n_components: D, less than N and C.
    """
    counts = np.bincount(labels)
    weights = 1 / counts[labels]
    weights /= weights.sum()
    vectors = unit_length(pooled)
    mean = weights @ vectors
    centred = vectors - mean
    _, axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)  # ascending
    return NoveltyModel(mean.astype(np.float32), axes[:, ::-1][:, :n_components].T.astype(np.float32))


def pool_features(features: np.ndarray) -> np.ndarray:
    """(..., C) mean over the map of (..., h, w, C) features."""
    return features.mean(axis=(-3, -2))


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """(..., C) float64 of length 1; a vector of zeros stays what it is."""
    vectors = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
