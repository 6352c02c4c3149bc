"""Train the diagnosis classifier: whole images and lesion crops into one network.

dermalens train classifier --config classifier_first --data DIR --imagenet WEIGHTS.h5
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import softmax

from core.datasets.ham10000 import load_pixels
from core.evaluation.metrics import balanced_accuracy, log_loss, macro_roc_auc
from core.images.preprocessing import (
    Box,
    PreprocessingSettings,
    crop_square,
    lesion_box,
    mask_picture,
    preprocess,
)
from core.taxonomy import BINARY_CLASSES, HAM10000_CLASSES, codes_among
from models.builders import BUILDERS
from models.manifest import VIEWS
from training.command import exit_with_message
from training.data.augmentation import Augmentation
from training.data.batches import ClassificationBatches
from training.data.sets import HAM10000, draw_chances, read_split
from training.fit.arguments import parse_arguments
from training.fit.devices import data_parallel
from training.fit.engine import Objective, load_config, seed_everything, train
from training.fit.losses import class_weights, focal_loss, log_priors, with_mask
from training.fit.outlines import read_outlines
from training.fit.run_folder import Run, run_dir
from training.fit.schedules import Stage


@dataclass(frozen=True)
class ClassificationConfig:
    """One classification experiment.

    Attributes:
        name: of the run's folder.
        model: arguments of the builder.
        builder: a key of `models.builders.BUILDERS`.
        stages: see `training.fit.schedules.Stage`.
        classes: to distinguish; images of other diagnoses are left out.
        sets: share of each set in what is drawn; see `training.data.sets.draw_chances`.
        draws: images an epoch; None is as many as there are.
        outlines: run of the segmenter that outlines images without an expert's mask; "" if there are none.
        long_side_px: images are shrunk to this before anything else, here and in the analyser.
        filters: names of `core.images.preprocessing.PreprocessingSettings`, applied to every image first.
        crop_margin: skin around the lesion in the validation crop, as a share of its longer side.
        sampling_power: within a set, see `draw_chances`: 0 as images come, 1 classes evenly, 0.5 in between.
        class_weight_power: the loss of a class is weighted by count**-power.
        focal_gamma: 0 is weighted cross-entropy.
        logit_adjustment: strength of `training.fit.losses.log_priors` in the loss; 0 leaves the logits alone.
        mixup, cutmix: see `training.data.batches.ClassificationBatches`; 0 mixes nothing.
        mask_weight: of the lesion's mask in the loss, for a model with `mask_cells`.
        monitor: the validation score that decides which epoch is best; macro AUC is the least noisy.
        views: windows for training and validation: "whole", "crop" or both.
        binary: malignant or in situ against benign instead of `classes`.
        validation_stride: every so many validation images are scored after an epoch.
        weight_decay, clip_norm, average, keep_last: see `training.fit.engine.Objective`.
    """

    name: str
    model: dict
    stages: tuple[Stage, ...]
    builder: str = "classifier"
    augmentation: Augmentation = field(default_factory=Augmentation)
    classes: tuple[str, ...] = HAM10000_CLASSES
    sets: Mapping[str, float] = field(default_factory=lambda: {HAM10000: 1.0})
    draws: int | None = None
    outlines: str = ""
    long_side_px: int = 200
    filters: tuple[str, ...] = ()
    crop_margin: float = 0.3
    batch_size: int = 32
    sampling_power: float = 0.5
    class_weight_power: float = 0.25
    focal_gamma: float = 1.5
    logit_adjustment: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    mask_weight: float = 1.0
    validation_stride: int = 1
    weight_decay: float = 1e-4
    clip_norm: float = 0.0
    average: float = 0.0
    patience: int = 6
    monitor: str = "val_macro_auc"
    seed: int = 1
    views: tuple[str, ...] = VIEWS
    binary: bool = False
    keep_last: bool = False

    @property
    def answers(self) -> tuple[str, ...]:
        """The classes in the order of the network's outputs."""
        return BINARY_CLASSES if self.binary else self.classes

    @property
    def n_classes(self) -> int:
        return len(self.answers)


def class_numbers(diagnoses, config: ClassificationConfig) -> np.ndarray:
    """(N,) int64: the place of each code among the configuration's answers."""
    found = codes_among(list(diagnoses), config.answers)
    return np.array([config.answers.index(code) for code in found], dtype=np.int64)


def load_split(data, split: str, config: ClassificationConfig, stride: int = 1):
    """(rows, images, lesion masks) of the configuration's sets and classes at the working size.

    A mask is the expert's or, where there is none, what the segmenter `config.outlines` finds.
    """
    rows = read_split(data, split, tuple(config.sets))
    rows = rows[rows["dx"].isin(config.classes)].iloc[::stride].reset_index(drop=True)
    images = load_pixels(rows, config.long_side_px)
    return rows, images, read_outlines(rows, images, config.outlines)


def apply_filters(images, config: ClassificationConfig) -> list[np.ndarray]:
    """The images, each (H, W, 3) uint8, behind the configuration's filters."""
    if not config.filters:
        return images
    settings = PreprocessingSettings(**dict.fromkeys(config.filters, True))
    return [preprocess(image, settings) for image in images]


def view_squares(images, masks, config: ClassificationConfig) -> dict[str, np.ndarray]:
    """The filtered views of each image as (N, S, S, 3 or 4) uint8: "whole", and "crop" around the lesion."""
    images = apply_filters(images, config)
    boxes = {
        "whole": lambda image, mask: Box.whole(image),
        "crop": lambda image, mask: lesion_box(mask, config.crop_margin),
    }

    def square(image, mask, box):
        window = crop_square(image, box, config.model["input_size_px"])
        if not config.model.get("mask_channel"):
            return window
        return np.dstack([window, crop_square(mask_picture(mask), box, len(window))])

    return {
        view: np.stack([square(i, m, boxes[view](i, m)) for i, m in zip(images, masks, strict=True)])
        for view in config.views
    }


def predict_logits(
    model, squares: dict[str, np.ndarray], n_classes: int, batch_size: int = 64
) -> dict[str, np.ndarray]:
    """The (N, K) logits of each view of `view_squares`; a mask that a model answers beside them is left out."""
    return {
        view: model.predict(batch, batch_size=batch_size, verbose=0)[:, :n_classes]
        for view, batch in squares.items()
    }


def score_logits(
    logits: dict[str, np.ndarray], labels: np.ndarray, sets: np.ndarray | None = None
) -> dict[str, float]:
    """Validation scores of each view and of the mean of their probabilities; labels are (N,) class numbers.

    With the (N,) names of their `sets`, `val_<score>` is of HAM10000 if it is among them, else of the first; those of
    another set stand as `val_<set>_<score>`.
    """
    if sets is not None and len(set(sets)) > 1:
        first = HAM10000 if HAM10000 in sets else sets[0]
        scores = {}
        for name in dict.fromkeys([first, *sets]):
            own = {view: values[sets == name] for view, values in logits.items()}
            found = score_logits(own, labels[sets == name])
            scores |= {key if name == first else f"val_{name}_{key[4:]}": v for key, v in found.items()}
        return scores
    probabilities = {view: softmax(values, axis=1) for view, values in logits.items()}
    mean = np.mean(list(probabilities.values()), axis=0)
    scores = {
        f"val_balanced_accuracy_{view}": float(balanced_accuracy(labels, p))
        for view, p in probabilities.items()
    }
    return scores | {
        "val_loss": float(log_loss(labels, mean)),
        "val_accuracy": float((mean.argmax(axis=1) == labels).mean()),
        "val_balanced_accuracy": float(balanced_accuracy(labels, mean)),
        "val_macro_auc": float(macro_roc_auc(labels, mean)),
    }


def make_validator(squares: dict[str, np.ndarray], labels: np.ndarray, n_classes: int, sets=None):
    """A function model -> `score_logits` of what it answers to `squares`."""
    return lambda model: score_logits(predict_logits(model, squares, n_classes), labels, sets)


def build_model(config: ClassificationConfig, imagenet: str | None):
    """The network of a configuration; only one with a backbone takes ImageNet weights."""
    pretrained = {"imagenet_weights": imagenet} if "backbone" in config.model else {}
    return BUILDERS[config.builder](**config.model, n_classes=config.n_classes, **pretrained)


def make_batches(config: ClassificationConfig, rows: pd.DataFrame, images, masks) -> ClassificationBatches:
    """The configuration's training batches."""
    return ClassificationBatches(
        apply_filters(images, config),
        masks,
        class_numbers(rows["dx"], config),
        config.n_classes,
        config.model["input_size_px"],
        config.augmentation,
        config.batch_size,
        config.seed,
        draw_chances(rows, config.sets, config.sampling_power),
        mixup=config.mixup,
        crop_share=("crop" in config.views) / len(config.views),
        cutmix=config.cutmix,
        mask_channel=config.model.get("mask_channel", False),
        mask_cells=config.model.get("mask_cells", 0),
        draws=config.draws,
    )


def make_loss(config: ClassificationConfig, labels: np.ndarray) -> Callable:
    """The configuration's loss; labels are all (N,) class numbers of the training images."""
    loss = focal_loss(
        class_weights(labels, config.n_classes, config.class_weight_power),
        config.focal_gamma,
        config.label_smoothing,
        log_priors(labels, config.n_classes, config.logit_adjustment),
    )
    has_mask = config.model.get("mask_cells", 0) > 0
    return with_mask(loss, config.n_classes, config.mask_weight) if has_mask else loss


def run_experiment(config: ClassificationConfig, arguments: argparse.Namespace) -> None:
    """Train one configuration and write its run folder."""
    seed_everything(config.seed)
    part = slice(arguments.limit)
    rows, images, masks = load_split(arguments.data, "train", config)
    batches = make_batches(config, rows[part], images[part], masks[part])
    with batches.made_by(arguments.workers):
        _train_on(batches, make_loss(config, class_numbers(rows["dx"], config)), config, arguments)


def _train_on(
    batches: ClassificationBatches,
    loss: Callable,
    config: ClassificationConfig,
    arguments: argparse.Namespace,
) -> None:
    part = slice(arguments.limit)
    validation = load_split(arguments.data, "validation", config, config.validation_stride)
    rows, images, masks = (whole[part] for whole in validation)
    squares = view_squares(images, masks, config)
    labels = class_numbers(rows["dx"], config)
    objective = Objective(
        loss,
        make_validator(squares, labels, config.n_classes, rows["dataset"].to_numpy()),
        config.monitor,
        config.patience,
        config.weight_decay,
        config.keep_last,
        config.clip_norm,
        config.average,
    )
    model = build_model(config, arguments.imagenet)
    train(model, config.stages, batches, objective, Run(run_dir(config.name), config))


@exit_with_message
def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    config = load_config(arguments.config)
    with data_parallel(arguments.devices):
        run_experiment(config, arguments)


if __name__ == "__main__":
    main()
