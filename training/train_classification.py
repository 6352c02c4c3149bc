"""Train the diagnosis classifier on HAM10000: whole images and lesion crops into one network.

python -m training.train_classification --config classification_v2b0 --data DIR --imagenet WEIGHTS.h5
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.special import softmax

from core.metrics import balanced_accuracy, log_loss, macro_roc_auc
from core.preprocessing import Box, crop_square, lesion_box
from core.taxonomy import HAM10000_CLASSES
from models.efficientnet import build_classifier
from training.augmentation import Augmentation
from training.batches import ClassificationBatches
from training.engine import RUNS_DIR, Objective, Run, Stage, load_config, seed_everything, start_from, train
from training.losses import class_weights, focal_loss
from training.train_segmentation import load_split_arrays, parse_arguments


@dataclass(frozen=True)
class ClassificationConfig:
    """One classification experiment.

    Attributes:
        name: of the run's folder.
        model: arguments of `models.efficientnet.build_classifier`.
        stages: see `training.engine.Stage`; the first trains the head only.
        long_side_px: images are shrunk to this before anything else, here and in the analyser.
        crop_margin: skin around the lesion in the validation crop, as a share of its longer side.
        sampling_power: 0 draws images as they come, 1 draws classes evenly, 0.5 is in between.
        class_weight_power: the loss of a class is weighted by count**-power.
        focal_gamma: 0 is weighted cross-entropy.
        mixup: see `training.batches.ClassificationBatches`; 0 mixes nothing.
        start_from: name of the run whose best weights training begins with; "" begins with ImageNet's.
    """

    name: str
    model: dict
    stages: tuple[Stage, ...]
    augmentation: Augmentation = field(default_factory=Augmentation)
    classes: tuple[str, ...] = HAM10000_CLASSES
    long_side_px: int = 200
    crop_margin: float = 0.3
    batch_size: int = 32
    sampling_power: float = 0.5
    class_weight_power: float = 0.25
    focal_gamma: float = 1.5
    label_smoothing: float = 0.0
    mixup: float = 0.0
    weight_decay: float = 1e-4
    patience: int = 6
    seed: int = 1
    start_from: str = ""


def view_squares(images, masks, config: ClassificationConfig) -> dict[str, np.ndarray]:
    """Both views of each image as (N, S, S, 3) uint8: "whole", and "crop" around the lesion."""
    size_px = config.model["input_size_px"]
    return {
        "whole": np.stack([crop_square(image, Box.whole(image), size_px) for image in images]),
        "crop": np.stack(
            [
                crop_square(image, lesion_box(mask, config.crop_margin), size_px)
                for image, mask in zip(images, masks, strict=True)
            ]
        ),
    }


def make_validator(squares: dict[str, np.ndarray], labels: np.ndarray, batch_size: int = 64):
    """A function model -> validation scores of each view and of the mean of both."""

    def validate(model) -> dict[str, float]:
        probabilities = {
            view: softmax(model.predict(batch, batch_size=batch_size, verbose=0), axis=1)
            for view, batch in squares.items()
        }
        both = np.mean(list(probabilities.values()), axis=0)
        scores = {
            f"val_balanced_accuracy_{view}": float(balanced_accuracy(labels, p))
            for view, p in probabilities.items()
        }
        return scores | {
            "val_loss": float(log_loss(labels, both)),
            "val_accuracy": float((both.argmax(axis=1) == labels).mean()),
            "val_balanced_accuracy": float(balanced_accuracy(labels, both)),
            "val_macro_auc": float(macro_roc_auc(labels, both)),
        }

    return validate


def run_experiment(config: ClassificationConfig, data: Path, imagenet: str | None, limit: int | None = None):
    """Train one configuration and write its run folder."""
    seed_everything(config.seed)
    run = Run(RUNS_DIR / config.name, config)
    code_index = {code: index for index, code in enumerate(config.classes)}
    rows, images, masks = load_split_arrays(data, "train", config.long_side_px)
    labels = rows["dx"].map(code_index).to_numpy(dtype=np.int64)
    val_rows, val_images, val_masks = load_split_arrays(data, "validation", config.long_side_px)
    val_labels = val_rows["dx"].map(code_index).to_numpy(dtype=np.int64)
    model = build_classifier(**config.model, n_classes=len(config.classes), imagenet_weights=imagenet)
    start_from(model, config.start_from)
    batches = ClassificationBatches(
        images[:limit],
        masks[:limit],
        labels[:limit],
        len(config.classes),
        config.model["input_size_px"],
        config.augmentation,
        config.batch_size,
        config.seed,
        config.sampling_power,
        mixup=config.mixup,
    )
    weights = class_weights(labels, len(config.classes), config.class_weight_power)
    objective = Objective(
        focal_loss(weights, config.focal_gamma, config.label_smoothing),
        make_validator(view_squares(val_images[:limit], val_masks[:limit], config), val_labels[:limit]),
        "val_balanced_accuracy",
        config.patience,
        config.weight_decay,
    )
    train(model, config.stages, batches, objective, run)


def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    config = load_config(arguments.config)
    run_experiment(config, arguments.data, arguments.imagenet, arguments.limit)


if __name__ == "__main__":
    main()
