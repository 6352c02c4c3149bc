"""Find pictures of one lesion that stand in two sets under other names, so that no split separates them.

    dermalens train duplicates --data DIR

Candidates look alike as 24 x 24 thumbnails under one of the eight symmetries; keypoints that agree on one geometry
confirm them. Pairs that share a lesion id already are left out, and so are pairs of which neither image is judged. The
pairs go to training/splits/same_skin.csv, which `dermalens train split` reads.

Reference:
    Lowe (2004), Distinctive image features from scale-invariant keypoints, doi:10.1023/B:VISI.0000029664.99615.94;
    Fischler and Bolles (1981), Random sample consensus, doi:10.1145/358669.358692.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from core.datasets.ham10000 import default_data_dir
from core.datasets.splits import read_splits
from core.images.reading import read_image
from training.command import exit_with_message
from training.data.make_split import SAME_SKIN_FILE
from training.data.sets import read_sets

THUMBNAIL_PX = 24
MIN_CORRELATION = 0.88
CANDIDATES = 2  # of each image under each symmetry
# Two photographs of one skin agree on dozens of keypoints. Of 1,488 pairs of strangers that look alike none agreed on
# more than 22, most of those on a transform that shrinks one image to a spot: so its scale is limited too.
MIN_KEYPOINTS = 25
MAX_SCALE = 3.0
_MATCHED_PX = 320
_RATIO, _REPROJECTION_PX = 0.8, 4.0
_BLOCK = 1000


def thumbnail_vector(image: np.ndarray) -> np.ndarray:
    """(576,) float32 of unit length: what is coarser than the whole and finer than a sixth of the central square."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    grey = cv2.cvtColor(image[top : top + side, left : left + side], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = small - cv2.GaussianBlur(small, (0, 0), 4)
    fine -= fine.mean()
    return (fine / (np.linalg.norm(fine) + 1e-6)).ravel()


def find_candidates(vectors: np.ndarray, sets: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """(P, 2) numbers of images of different sets that look alike, one of them judged.

    Args:
        vectors: (N, 576), see `thumbnail_vector`.
        sets: (N,) name of each image's set.
        judged: (N,) bool.
    """
    found = set()
    squares = vectors.reshape(-1, THUMBNAIL_PX, THUMBNAIL_PX)
    queries = np.flatnonzero(judged)
    for symmetry in range(8):
        turned = np.rot90(squares, symmetry % 4, axes=(1, 2))
        turned = (turned[:, :, ::-1] if symmetry > 3 else turned).reshape(len(squares), -1)
        for start in range(0, len(queries), _BLOCK):
            rows = queries[start : start + _BLOCK]
            likeness = turned[rows] @ vectors.T
            likeness[sets[rows][:, None] == sets[None]] = -1
            nearest = np.argpartition(-likeness, CANDIDATES, axis=1)[:, :CANDIDATES]
            for row, columns, values in zip(
                rows, nearest, np.take_along_axis(likeness, nearest, 1), strict=True
            ):
                found |= {
                    tuple(sorted((int(row), int(k))))
                    for k, v in zip(columns, values, strict=True)
                    if v >= MIN_CORRELATION
                }
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 2)


def count_matched_keypoints(first: np.ndarray, second: np.ndarray) -> int:
    """How many keypoints of two images agree on one similarity of the plane, mirrored or not.

    Args:
        first: (H, W, 3) uint8 RGB.
        second: the same, of any other size.
    """
    return max(_matched(first, second), _matched(first, second[:, ::-1]))


def _matched(first: np.ndarray, second: np.ndarray) -> int:
    (points_a, words_a), (points_b, words_b) = map(_keypoints, (first, second))
    if len(points_a) < 4 or len(points_b) < 4:
        return 0
    pairs = cv2.BFMatcher().knnMatch(words_a, words_b, k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < _RATIO * p[1].distance]
    if len(good) < 4:
        return 0
    source = np.float32([points_a[m.queryIdx] for m in good])
    target = np.float32([points_b[m.trainIdx] for m in good])
    matrix, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=_REPROJECTION_PX)
    if matrix is None or not 1 / MAX_SCALE <= np.hypot(*matrix[:, 0]) <= MAX_SCALE:
        return 0
    return int(inliers.sum())


def _keypoints(image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    scale = _MATCHED_PX / max(image.shape[:2])
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    points, words = cv2.SIFT_create(nfeatures=400).detectAndCompute(grey, None)
    return np.float32([p.pt for p in points]), words


def find_duplicates(data: Path | None) -> pd.DataFrame:
    """`first,second,why` of every pair of images that show the same skin under two lesion ids.

    Raises:
        DatasetError: see `training.data.sets.read_sets`.
    """
    known = read_splits(None)[["dataset", "image_id", "lesion_id", "split"]]
    frame = read_sets(data).drop(columns="lesion_id").merge(known, on=["dataset", "image_id"])
    images = tqdm(frame["image_path"], desc="thumbnails")
    vectors = np.stack([thumbnail_vector(read_image(path).pixels) for path in images])
    judged = frame["split"].isin(["validation", "test"]).to_numpy()
    candidates = find_candidates(vectors, frame["dataset"].to_numpy(), judged)
    lesions, names = frame["lesion_id"].to_numpy(), frame["image_id"].to_numpy()
    rows = []
    for a, b in tqdm(candidates[lesions[candidates[:, 0]] != lesions[candidates[:, 1]]], desc="keypoints"):
        pictures = (read_image(frame["image_path"].iloc[k]).pixels for k in (a, b))
        count = 999 if names[a] == names[b] else count_matched_keypoints(*pictures)
        if count >= MIN_KEYPOINTS:
            rows.append((names[a], names[b], f"{count} keypoints"))
    return pd.DataFrame(rows, columns=["first", "second", "why"])


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="folder of the sets")
    parser.add_argument("--out", type=Path, default=SAME_SKIN_FILE)
    arguments = parser.parse_args()
    pairs = find_duplicates(arguments.data)
    pairs.to_csv(arguments.out, index=False)
    print(f"Wrote {len(pairs)} pairs to {arguments.out}. Split anew: dermalens train split")


if __name__ == "__main__":
    main()
