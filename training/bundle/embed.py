"""Compute the classifier's features of every image of a dataset, for similar images and the map.

    dermalens train features --data DIR

Each image is seen once, whole, as the classifier sees it without test-time augmentation; its features are
averaged over the image, reduced by principal components and scaled to length 1. Writes to
training/runs/<bundle>/:
    features.npz   fingerprint of the bundle, image_ids, lesion_ids, features (N, D) float16
    map.csv        image_id, x, y: the same features on a plane by t-SNE
No pixels in either; both state the bundle's fingerprint, and `core.datasets.similar` reads them.

Reference:
    t-SNE: van der Maaten and Hinton (2008), JMLR 9:2579.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import normalize
from tqdm import tqdm

from core.analyzer import classifier_input
from core.datasets.ham10000 import DatasetError, default_data_dir
from core.datasets.layouts import read_dataset
from core.datasets.similar import FEATURES_NAME, MAP_NAME
from core.diagnosis.classification import window_squares
from core.images.preprocessing import Box, limit_long_side, preprocess
from core.images.reading import ImageError, read_image
from core.settings import default_filters
from core.systems.evaluations import RUNS_DIR
from models.loading import Bundle, load_bundle
from models.manifest import Manifest
from training.command import exit_with_message

N_COMPONENTS = 48
PERPLEXITY = 30.0
SEED = 20180814
BATCH_SIZE = 32


def embed(bundle: Bundle, frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write features.npz and map.csv of a dataset into `folder`.

    Args:
        bundle: its classifier is used.
        frame: as `core.datasets.layouts.read_dataset` gives it; images that cannot be read are left out.
        folder: made if needed.

    Returns:
        The rows of `frame` that are in the files.

    Raises:
        DatasetError: fewer than three images can be read.
    """
    frame = frame[frame["image_path"] != ""].drop_duplicates("image_id")
    pooled, read = pool_features(bundle, frame["image_path"].to_list())
    frame = frame[read].reset_index(drop=True)
    if len(frame) < 3:
        raise DatasetError(f"{len(frame)} images could be read; a map needs three at least.")
    features = reduce_features(pooled)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / FEATURES_NAME,
        fingerprint=np.array(bundle.manifest.fingerprint),
        image_ids=frame["image_id"].to_numpy(object).astype(str),
        lesion_ids=frame["lesion_id"].to_numpy(object).astype(str),
        features=features,
    )
    write_map(folder / MAP_NAME, bundle.manifest, frame["image_id"], flatten(features))
    return frame


def pool_features(bundle: Bundle, paths: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mean features of whole images, one view each; the next batch is read while the network works.

    Returns:
        (M, C) float32 for the M images that could be read, and (N,) bool which those are.
    """
    read_square, readable, pooled = square_reader(bundle.manifest), [], []
    batches = [paths[start : start + BATCH_SIZE] for start in range(0, len(paths), BATCH_SIZE)]
    with ThreadPoolExecutor(max_workers=1) as reader:

        def read_ahead(batch: list[str]) -> Future:
            return reader.submit(lambda: [read_square(path) for path in batch])

        coming = read_ahead(batches[0] if batches else [])
        for following in tqdm([*batches[1:], []], unit="batch"):
            batch, coming = coming.result(), read_ahead(following)
            readable.extend(square is not None for square in batch)
            if good := [square for square in batch if square is not None]:
                pooled.append(bundle.feature_network(np.stack(good)).mean(axis=(1, 2)))
    return np.concatenate(pooled or [np.empty((0, 1))]), np.array(readable, dtype=bool)


def square_reader(manifest: Manifest) -> Callable[[str], np.ndarray | None]:
    """A function from an image's path to the (S, S, 3) uint8 that the classifier sees; None if unreadable."""
    seen = classifier_input(manifest)

    def read_square(path: str) -> np.ndarray | None:
        try:
            pixels = read_image(path).pixels
        except ImageError as error:
            tqdm.write(f"{path}: {error}")
            return None
        image = preprocess(limit_long_side(pixels, manifest.working_side_px), default_filters(manifest))
        return window_squares(image, [Box.whole(image)], image.shape[:2], seen)[0]

    return read_square


def reduce_features(pooled: np.ndarray) -> np.ndarray:
    """(N, C) -> (N, D) float16 principal components of length 1, D at most `N_COMPONENTS`."""
    n_components = min(N_COMPONENTS, *pooled.shape)
    return normalize(PCA(n_components, random_state=SEED).fit_transform(pooled)).astype(np.float16)


def flatten(features: np.ndarray) -> np.ndarray:
    """(N, D) -> (N, 2) float32 by t-SNE, the same for the same features on the same machine."""
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=SEED).fit_transform(
        features.astype(np.float32)
    )


def write_map(path: Path, manifest: Manifest, image_ids: pd.Series, points: np.ndarray) -> None:
    """The map as CSV, under a comment that names the bundle."""
    table = pd.DataFrame({"image_id": image_ids, "x": points[:, 0], "y": points[:, 1]})
    heading = f"# bundle {manifest.name} version {manifest.version}, fingerprint {manifest.fingerprint}\n"
    path.write_text(heading + table.to_csv(index=False, float_format="%.3f"), encoding="utf-8")


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="the dataset's folder")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    arguments = parser.parse_args()
    frame = read_dataset(arguments.data)
    bundle = load_bundle(arguments.bundle)
    folder = RUNS_DIR / bundle.manifest.name
    written = embed(bundle, frame, folder)
    print(f"{len(written)} of {len(frame)} images in {folder}/{FEATURES_NAME} and {MAP_NAME}")


if __name__ == "__main__":
    main()
