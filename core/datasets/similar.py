"""Similar cases: nearest neighbours in the classifier's feature space, from a file that ships.

`dermalens train features` writes features.npz and map.csv; reading them needs no TensorFlow and no image.
Similar means similar to the network, not to a dermatologist, and says nothing about the diagnosis.
"""

import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import DermalensError

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

FEATURES_NAME = "features.npz"
MAP_NAME = "map.csv"
_FINGERPRINT = re.compile(r"fingerprint (\w+)")


class FeatureIndexError(DermalensError):
    """The feature index or the map is missing or damaged; the message names the command that makes it."""


@dataclass(frozen=True, eq=False)
class FeatureIndex:
    """Features of a dataset's images, for nearest-neighbour search.

    Attributes:
        fingerprint: of the bundle whose classifier computed them; another one means they are stale.
        image_ids: (N,) str, each once.
        lesion_ids: (N,) str.
        features: (N, D) float32, each of length 1.
    """

    fingerprint: str
    image_ids: np.ndarray
    lesion_ids: np.ndarray
    features: np.ndarray

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or not len(self.image_ids) == len(self.lesion_ids) == len(self.features):
            raise FeatureIndexError(
                f"{len(self.image_ids)} images, {len(self.lesion_ids)} lesions and features "
                f"{self.features.shape} do not agree. Run dermalens train features again."
            )

    @classmethod
    def load(cls, folder: str | Path) -> "FeatureIndex":
        """Read the index in a run's folder.

        Raises:
            FeatureIndexError: missing or damaged.
        """
        path = Path(folder) / FEATURES_NAME
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(
                    fingerprint=str(file["fingerprint"]),
                    image_ids=file["image_ids"],
                    lesion_ids=file["lesion_ids"],
                    features=file["features"].astype(np.float32),
                )
        except FileNotFoundError:
            raise _missing(path) from None
        except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise FeatureIndexError(
                f"{path} is no feature index: {error}. Run dermalens train features again."
            ) from error

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._rows

    def __len__(self) -> int:
        return len(self.image_ids)

    def similar(self, image_id: str, n: int = 8, exclude_same_lesion: bool = True) -> list[tuple[str, float]]:
        """The nearest other images, nearest first.

        Args:
            image_id: an image of the index.
            n: how many at most.
            exclude_same_lesion: leave out other photographs of the same lesion.

        Returns:
            (image id, cosine distance); 0 is the same direction, 1 unrelated, 2 opposite.

        Raises:
            KeyError: the image is not in the index.
        """
        row = self._rows[image_id]
        own = self.lesion_ids == self.lesion_ids[row] if exclude_same_lesion else np.zeros(len(self), bool)
        own[row] = True
        wanted = min(n + int(own.sum()), len(self))
        distances, rows = self._search.kneighbors(self.features[row : row + 1], n_neighbors=wanted)
        return [
            (str(self.image_ids[k]), float(d))
            for d, k in zip(distances[0], rows[0], strict=True)
            if not own[k]
        ][:n]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {str(image_id): row for row, image_id in enumerate(self.image_ids)}

    @cached_property
    def _search(self) -> "NearestNeighbors":
        from sklearn.neighbors import NearestNeighbors  # seconds to import: not for pages that only open

        return NearestNeighbors(metric="cosine", algorithm="brute").fit(self.features)


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """The feature space projected to a plane: near is similar; large distances and gaps mean little.

    Attributes:
        fingerprint: of the bundle whose classifier computed it.
        frame: `image_id`, `x`, `y`, one row an image.
    """

    fingerprint: str
    frame: pd.DataFrame


def read_map(folder: str | Path) -> FeatureMap:
    """Read the 2-D map in a run's folder.

    Raises:
        FeatureIndexError: missing or damaged.
    """
    path = Path(folder) / MAP_NAME
    if not path.is_file():
        raise _missing(path)
    try:
        with path.open(encoding="utf-8") as file:
            found = _FINGERPRINT.search(file.readline())
        if not found:
            raise ValueError("its first line names no fingerprint")
        return FeatureMap(found.group(1), pd.read_csv(path, comment="#")[["image_id", "x", "y"]])
    except (OSError, KeyError, ValueError) as error:
        raise FeatureIndexError(
            f"{path} is no feature map: {error}. Run dermalens train features again."
        ) from error


def _missing(path: Path) -> FeatureIndexError:
    return FeatureIndexError(
        f"No {path.name} in {path.parent}. Make it with dermalens train features --data DIR."
    )
