"""Train the lesion segmenter on experts' masks.

dermalens train segmenter --config segmenter --data DIR --imagenet WEIGHTS.h5
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.datasets.ham10000 import load_masks, load_pixels
from core.evaluation.mask_metrics import dice, jaccard
from core.images.preprocessing import Box, crop_square, mask_picture
from models.unet import build_unet
from training.command import exit_with_message
from training.data.augmentation import Augmentation
from training.data.batches import SegmentationBatches
from training.data.sets import HAM10000, draw_chances, read_split
from training.fit.arguments import parse_arguments
from training.fit.devices import data_parallel
from training.fit.engine import Objective, load_config, seed_everything, train
from training.fit.losses import segmentation_loss
from training.fit.run_folder import Run, run_dir
from training.fit.schedules import Stage


@dataclass(frozen=True)
class SegmentationConfig:
    """One segmentation experiment.

    Attributes:
        name: of the run's folder.
        model: arguments of `models.unet.build_unet`.
        stages: see `training.fit.schedules.Stage`.
        sets: share of each set in what is drawn; see `training.data.sets.draw_chances`.
        draws: images an epoch; None is each image once.
        long_side_px: images are shrunk to this before anything else, here and in the analyser.
        loss: see `training.fit.losses.segmentation_loss`.
        boundary_strength: extra weight of the loss along the lesion's edge.
        sampling_power: of rare classes, see `draw_chances`; with 0 and one set every image is drawn once an epoch.
        validation_stride: every so many validation images are scored after an epoch.
        weight_decay, clip_norm, average, keep_last: see `training.fit.engine.Objective`.
    """

    name: str
    model: dict
    stages: tuple[Stage, ...]
    augmentation: Augmentation = field(default_factory=Augmentation)
    sets: Mapping[str, float] = field(default_factory=lambda: {HAM10000: 1.0})
    draws: int | None = None
    long_side_px: int = 200
    batch_size: int = 16
    loss: str = "bce_dice"
    boundary_strength: float = 0.0
    sampling_power: float = 0.0
    validation_stride: int = 1
    weight_decay: float = 1e-4
    clip_norm: float = 0.0
    average: float = 0.0
    patience: int = 5
    seed: int = 1
    keep_last: bool = False


def make_validator(frame: pd.DataFrame, images, masks, size_px: int, batch_size: int = 32):
    """A function model -> scores on whole images squeezed to the network's square, threshold 0.5.

    `val_<score>` is of HAM10000 if it is among the images, else of the first set; others stand as `val_<set>_<score>`.
    """
    squares = np.stack([crop_square(image, Box.whole(image), size_px) for image in images])
    truth = np.stack([crop_square(mask_picture(m), Box.whole(m), size_px) > 127 for m in masks])
    sets = frame["dataset"].to_numpy()
    first = HAM10000 if HAM10000 in sets else sets[0]

    def validate(model) -> dict[str, float]:
        predicted = model.predict(squares, batch_size=batch_size, verbose=0)[..., 0] > 0.5
        pairs = list(zip(predicted, truth, strict=True))
        dices = np.array([dice(a, b) for a, b in pairs])
        jaccards = np.array([jaccard(a, b) for a, b in pairs])
        scores = {}
        for name in dict.fromkeys([first, *sets]):
            prefix, own = ("val" if name == first else f"val_{name}"), sets == name
            scores |= {
                f"{prefix}_dice": float(dices[own].mean()),
                f"{prefix}_jaccard": float(jaccards[own].mean()),
                f"{prefix}_failed_share": float((jaccards[own] < 0.65).mean()),
            }
        return scores

    return validate


def load_split(data, split: str, config: SegmentationConfig, stride: int = 1):
    """(rows, images, expert masks) of the configuration's sets at the working size; only images with a mask."""
    rows = read_split(data, split, tuple(config.sets))
    rows = rows[rows["mask_path"] != ""].iloc[::stride].reset_index(drop=True)
    images = load_pixels(rows, config.long_side_px)
    return rows, images, load_masks(rows, [image.shape[:2] for image in images])


def make_batches(config: SegmentationConfig, rows: pd.DataFrame, images, masks) -> SegmentationBatches:
    """The configuration's training batches."""
    plain = config.sampling_power == 0 and rows["dataset"].nunique() == 1
    return SegmentationBatches(
        images,
        masks,
        config.model["input_size_px"],
        config.augmentation,
        config.batch_size,
        config.seed,
        None if plain else draw_chances(rows, config.sets, config.sampling_power),
        config.draws,
    )


def run_experiment(config: SegmentationConfig, arguments: argparse.Namespace) -> None:
    """Train one configuration and write its run folder."""
    seed_everything(config.seed)
    rows, images, masks = load_split(arguments.data, "train", config)
    limit = arguments.limit
    batches = make_batches(config, rows[:limit], images[:limit], masks[:limit])
    with batches.made_by(arguments.workers):
        _train_on(batches, config, arguments)


def _train_on(
    batches: SegmentationBatches, config: SegmentationConfig, arguments: argparse.Namespace
) -> None:
    limit, size_px = arguments.limit, config.model["input_size_px"]
    validation = load_split(arguments.data, "validation", config, config.validation_stride)
    rows, images, masks = (part[:limit] for part in validation)
    model = build_unet(
        **config.model, imagenet_weights=arguments.imagenet if config.model.get("encoder") else None
    )
    objective = Objective(
        segmentation_loss(config.loss, config.boundary_strength),
        make_validator(rows, images, masks, size_px),
        "val_dice",
        config.patience,
        config.weight_decay,
        config.keep_last,
        config.clip_norm,
        config.average,
    )
    train(model, config.stages, batches, objective, Run(run_dir(config.name), config))


@exit_with_message
def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    config = load_config(arguments.config)
    with data_parallel(arguments.devices):
        run_experiment(config, arguments)


if __name__ == "__main__":
    main()
