"""Lesion masks for images without an expert's: predicted by a trained segmenter, once per run of it."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from core.datasets.ham10000 import load_masks
from core.images.preprocessing import Box, crop_square, resize_mask
from core.lesion.refinement import refine_mask
from models.manifest import file_sha256
from models.unet import build_unet
from training.fit.run_folder import BEST_WEIGHTS, read_config, run_dir

CHUNK = 32
KEPT_SIDE_PX = 128  # of the masks that are kept between runs: windows are drawn with a random margin anyway


def read_outlines(rows: pd.DataFrame, images: Sequence[np.ndarray], segmenter: str) -> list[np.ndarray]:
    """The lesion mask of each image, (H, W) bool: the expert's, else that of a finished segmenter run.

    Args:
        rows: N images with `mask_path` and `image_id`.
        images: N of (H, W, 3) uint8.
        segmenter: name of the run; "" if every image has an expert's mask.

    Raises:
        FileNotFoundError: an image has no mask, and the segmenter is not trained yet.
    """
    shapes = [image.shape[:2] for image in images]
    drawn = (rows["mask_path"] != "").to_numpy()
    masks: list[np.ndarray | None] = [None] * len(rows)
    expert = load_masks(rows[drawn], [shapes[k] for k in np.flatnonzero(drawn)])
    for k, mask in zip(np.flatnonzero(drawn), expert, strict=True):
        masks[k] = mask
    missing = np.flatnonzero(~drawn)
    if len(missing):
        found = _found_masks(
            [rows["image_id"].iloc[k] for k in missing], [images[k] for k in missing], segmenter
        )
        for k, mask in zip(missing, found, strict=True):
            masks[k] = resize_mask(mask, shapes[k])
    return masks


def _found_masks(names: list[str], images: list[np.ndarray], segmenter: str) -> list[np.ndarray]:
    """(S, S) bool masks of the images squeezed to a square; those that were found before are read."""
    folder = run_dir(segmenter)
    weights = folder / BEST_WEIGHTS
    if not segmenter or not weights.is_file():
        raise FileNotFoundError(
            f"{len(names)} images have no expert mask: train the segmenter {segmenter!r} first."
        )
    file = folder / f"outlines_{file_sha256(weights)[:12]}.npz"
    kept = dict(np.load(file)) if file.is_file() else {}
    new = [k for k, name in enumerate(names) if name not in kept]
    if new:
        kept |= dict(zip([names[k] for k in new], _predict([images[k] for k in new], folder), strict=True))
        np.savez_compressed(file, **kept)
    shape = (KEPT_SIDE_PX, KEPT_SIDE_PX)
    return [np.unpackbits(kept[name]).reshape(shape).astype(bool) for name in names]


def _predict(images: list[np.ndarray], folder: Path) -> list[np.ndarray]:
    """One packed mask an image, of `KEPT_SIDE_PX` squared bits."""
    model = build_unet(**read_config(folder)["model"])
    model.load_weights(folder / BEST_WEIGHTS)
    size_px = model.input_shape[1]
    packed = []
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        squares = np.stack([crop_square(image, Box.whole(image), size_px) for image in part])
        packed += map(pack_mask, model.predict(squares, verbose=0)[..., 0])
    return packed


def pack_mask(probability: np.ndarray) -> np.ndarray:
    """The refined mask of an (S, S) probability map as packed bits of `KEPT_SIDE_PX` squared pixels."""
    mask = refine_mask(probability).lesion_mask.astype(np.uint8)
    return np.packbits(cv2.resize(mask, (KEPT_SIDE_PX, KEPT_SIDE_PX), interpolation=cv2.INTER_AREA))
