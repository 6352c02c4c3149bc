"""Dermoscopic structures by a linear probe on the classifier's pooled features: five yes/no probabilities.

The networks learned diagnoses, not structures; the probe says what their features happen to tell of pigment network,
negative network, globules, streaks and milia-like cysts. How well, each structure's tested AUC in the manifest says:
only those whose interval lies above `MIN_AUC` are reported.

Reference:
    Alain and Bengio (2017), Understanding intermediate layers using linear classifier probes, arXiv:1610.01644;
    the structures are those of ISIC 2018 Task 2, Codella et al. (2019), arXiv:1902.03368.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.loading import check_weights
from models.manifest import BundleError, Manifest

# Structure -> its name, and what it looks like and where it is seen (Kittler et al. 2016, doi:10.1016/j.jaad.2015.12.038).
STRUCTURE_WORDS = {
    "pigment_network": (
        "Pigment network",
        "A net of brown lines over a lighter ground. Regular in many moles, irregular in many melanomas.",
    ),
    "negative_network": (
        "Negative network",
        "The reverse: light lines around darker meshes. Seen in some melanomas and in Spitz nevi.",
    ),
    "globules": (
        "Globules",
        "Round or oval clods of pigment. Even in many moles; of different size and spacing in many melanomas.",
    ),
    "streaks": (
        "Streaks",
        "Lines at the border that point outwards, with or without knobs. All around in Reed nevi, on one side in melanomas.",
    ),
    "milia_like_cyst": (
        "Milia-like cysts",
        "Small white or yellowish dots of horn. Typical of seborrheic keratoses; some moles and melanomas have them too.",
    ),
}
# Lower limit of the interval of a structure's tested AUC, from which on it is reported.
MIN_AUC = 0.70


@dataclass(frozen=True, eq=False)
class StructureProbe:
    """A logistic regression for each structure.

    Attributes:
        names: S structures, as `core.tables.columns.STRUCTURES` names them.
        weights: (S, C) float32, on pooled features as they are.
        bias: (S,) float32.
    """

    names: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray

    def __post_init__(self):
        if (
            self.weights.ndim != 2
            or self.bias.shape != (len(self.names),)
            or len(self.weights) != len(self.bias)
        ):
            raise ValueError(
                f"`weights` must be ({len(self.names)}, C) and `bias` ({len(self.names)},); "
                f"got {self.weights.shape} and {self.bias.shape}."
            )

    def predict(self, pooled: np.ndarray) -> np.ndarray:
        """(..., S) probabilities that a structure is there.

        Args:
            pooled: (..., C) features averaged over the map, see `core.diagnosis.novelty.pool_features`.
        """
        return sigmoid(self.logits(pooled))

    def logits(self, features: np.ndarray) -> np.ndarray:
        """(..., S) log-odds. Those of pooled features are the mean of those of the map's cells."""
        return np.asarray(features, np.float64) @ self.weights.T + self.bias

    def save(self, path: str | Path) -> None:
        """Write an `.npz` without pickled objects."""
        np.savez_compressed(path, names=np.array(self.names), weights=self.weights, bias=self.bias)

    @classmethod
    def read(cls, path: str | Path) -> "StructureProbe":
        """Read what `save` wrote.

        Raises:
            ValueError, OSError, KeyError: no such file, or another one.
        """
        with np.load(path, allow_pickle=False) as file:
            return cls(tuple(map(str, file["names"])), file["weights"], file["bias"])


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of log-odds; SciPy's own would cost the first analysis its import."""
    return 0.5 * (1 + np.tanh(np.asarray(logits) / 2))


def load_structures(manifest: Manifest) -> StructureProbe | None:
    """The probe of a bundle, of the structures that it reports; None if its manifest states none.

    Raises:
        BundleError: the file is missing, has another SHA-256 or cannot be read.
    """
    if manifest.structures is None:
        return None
    check_weights(manifest.folder, manifest.structures)
    try:
        probe = StructureProbe.read(manifest.folder / manifest.structures.file)
    except (ValueError, OSError, KeyError) as error:
        raise BundleError(f"{manifest.structures.file} is no structure probe: {error}") from error
    kept = [k for k, name in enumerate(probe.names) if manifest.structures.auc_low(name) > MIN_AUC]
    return StructureProbe(tuple(probe.names[k] for k in kept), probe.weights[kept], probe.bias[kept])
