"""Train the lesion segmenter on HAM10000's expert masks.

python -m training.fit.train_segmentation --config segmentation_v2b0 --data DIR --imagenet WEIGHTS.h5
"""

import argparse
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from core.datasets.ham10000 import default_data_dir, load_masks, load_pixels, read_split
from core.evaluation.mask_metrics import dice, jaccard
from core.images.preprocessing import Box, crop_square, mask_picture
from models.unet import build_unet
from training.command import in_words
from training.data.augmentation import Augmentation
from training.data.batches import SegmentationBatches, class_sampling
from training.fit.devices import data_parallel
from training.fit.engine import RUNS_DIR, Objective, load_config, seed_everything, start_from, train
from training.fit.losses import segmentation_loss
from training.fit.run_folder import Run
from training.fit.schedules import Stage, without_clock


@dataclass(frozen=True)
class SegmentationConfig:
    """One segmentation experiment.

    Attributes:
        name: of the run's folder.
        model: arguments of `models.unet.build_unet`.
        stages: see `training.fit.schedules.Stage`.
        long_side_px: images are shrunk to this before anything else, here and in the analyser.
        loss: see `training.fit.losses.segmentation_loss`.
        boundary_strength: extra weight of the loss along the lesion's edge.
        sampling_power: see `training.data.batches.class_sampling`; with 0 every epoch has each image once.
        start_from: name of the run whose best weights training begins with.
        learn: splits that are learned; one named twice is learned twice as often.
        judge: the split that says which epoch is best.
        keep_last: see `training.fit.engine.Objective`.
        passes: through the images an epoch.
    """

    name: str
    model: dict
    stages: tuple[Stage, ...]
    augmentation: Augmentation = field(default_factory=Augmentation)
    long_side_px: int = 200
    batch_size: int = 16
    loss: str = "bce_dice"
    boundary_strength: float = 0.0
    sampling_power: float = 0.0
    weight_decay: float = 1e-4
    patience: int = 5
    seed: int = 1
    start_from: str = ""
    learn: tuple[str, ...] = ("train",)
    judge: str = "validation"
    keep_last: bool = False
    passes: int = 1


def load_split_arrays(data: Path, splits: Sequence[str], long_side_px: int):
    """(rows, images, expert masks) of one or several splits, one after the other, at the working size."""
    frame = pd.concat([read_split(data, split) for split in splits], ignore_index=True)
    images = load_pixels(frame, long_side_px)
    return frame, images, load_masks(frame, [image.shape[:2] for image in images])


def make_validator(images, masks, size_px: int, batch_size: int = 32):
    """A function model -> scores on whole images squeezed to the network's square, threshold 0.5."""
    squares = np.stack([crop_square(image, Box.whole(image), size_px) for image in images])
    truth = np.stack([crop_square(mask_picture(m), Box.whole(m), size_px) > 127 for m in masks])

    def validate(model) -> dict[str, float]:
        predicted = model.predict(squares, batch_size=batch_size, verbose=0)[..., 0] > 0.5
        dices = [dice(a, b) for a, b in zip(predicted, truth, strict=True)]
        jaccards = np.array([jaccard(a, b) for a, b in zip(predicted, truth, strict=True)])
        return {
            "val_dice": float(np.mean(dices)),
            "val_jaccard": float(jaccards.mean()),
            "val_failed_share": float((jaccards < 0.65).mean()),
        }

    return validate


def run_experiment(config: SegmentationConfig, arguments: argparse.Namespace) -> None:
    """Train one configuration and write its run folder."""
    seed_everything(config.seed)
    limit, size_px = arguments.limit, config.model["input_size_px"]
    rows, images, masks = load_split_arrays(arguments.data, config.learn, config.long_side_px)
    sampling = None
    if config.sampling_power:
        diagnoses = np.unique(rows["dx"][:limit], return_inverse=True)[1]
        sampling = class_sampling(diagnoses, config.sampling_power)
    batches = SegmentationBatches(
        images[:limit],
        masks[:limit],
        size_px,
        config.augmentation,
        config.batch_size,
        config.seed,
        sampling,
        config.passes,
    )
    with batches.made_by(arguments.workers):
        _train_on(batches, config, arguments)


def _train_on(
    batches: SegmentationBatches, config: SegmentationConfig, arguments: argparse.Namespace
) -> None:
    limit, size_px = arguments.limit, config.model["input_size_px"]
    _, val_images, val_masks = load_split_arrays(arguments.data, [config.judge], config.long_side_px)
    fresh = config.model.get("encoder") and not config.start_from
    model = build_unet(**config.model, imagenet_weights=arguments.imagenet if fresh else None)
    start_from(model, config.start_from)
    objective = Objective(
        segmentation_loss(config.loss, config.boundary_strength),
        make_validator(val_images[:limit], val_masks[:limit], size_px),
        "val_dice",
        config.patience,
        config.weight_decay,
        config.keep_last,
    )
    train(model, config.stages, batches, objective, Run(RUNS_DIR / config.name, config))


def parse_arguments(description: str) -> argparse.Namespace:
    """The arguments that both training commands take; from here on layers compute in the precision asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", required=True, help="name in training/configs/ or a .py file")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    parser.add_argument("--imagenet", default="imagenet", help="weights file; by default Keras downloads")
    parser.add_argument("--devices", type=int, default=1, help="train data-parallel on this many")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare batches")
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        default="float32",
        help="mixed_bfloat16 is faster on recent GPUs",
    )
    parser.add_argument("--epochs", type=int, help="make so many where the configuration goes by the clock")
    parser.add_argument("--limit", type=int, help="use only this many images, to try things out")
    arguments = parser.parse_args()
    if arguments.workers < 1:
        parser.error(f"--workers must be at least 1; got {arguments.workers}")
    if arguments.workers > 1 and "fork" not in multiprocessing.get_all_start_methods():
        parser.error("--workers needs an operating system that can fork processes; leave it out here")
    keras.config.set_dtype_policy(arguments.precision)
    return arguments


@in_words
def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    config = without_clock(load_config(arguments.config), arguments.epochs)
    with data_parallel(arguments.devices):
        run_experiment(config, arguments)


if __name__ == "__main__":
    main()
