"""Train the diagnosis classifier on HAM10000: whole images and lesion crops into one network.

python -m training.fit.train_classification --config classification_v2b0 --data DIR --imagenet WEIGHTS.h5
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import softmax

from core.evaluation.metrics import balanced_accuracy, log_loss, macro_roc_auc
from core.images.preprocessing import (
    Box,
    PreprocessingSettings,
    crop_square,
    lesion_box,
    mask_picture,
    preprocess,
)
from core.taxonomy import HAM10000_CLASSES, suspicious_flags
from models.builders import BUILDERS
from models.manifest import VIEWS
from training.command import in_words
from training.data.augmentation import Augmentation
from training.data.batches import ClassificationBatches
from training.distillation import join_teachers, load_teachers, taught_loss
from training.fit.devices import data_parallel
from training.fit.engine import RUNS_DIR, Objective, load_config, seed_everything, start_from, train
from training.fit.losses import class_weights, focal_loss, log_priors, with_mask
from training.fit.run_folder import Run
from training.fit.schedules import Stage, without_clock
from training.fit.train_segmentation import load_split_arrays, parse_arguments


@dataclass(frozen=True)
class ClassificationConfig:
    """One classification experiment.

    Attributes:
        name: of the run's folder.
        model: arguments of the builder.
        builder: a key of `models.builders.BUILDERS`.
        stages: see `training.fit.schedules.Stage`; the first trains the head only.
        long_side_px: images are shrunk to this before anything else, here and in the analyser.
        filters: names of `core.images.preprocessing.PreprocessingSettings`, applied to every image first.
        passes: through the images an epoch.
        crop_margin: skin around the lesion in the validation crop, as a share of its longer side.
        sampling_power: 0 draws images as they come, 1 draws classes evenly, 0.5 is in between.
        class_weight_power: the loss of a class is weighted by count**-power.
        focal_gamma: 0 is weighted cross-entropy.
        logit_adjustment: strength of `training.fit.losses.log_priors` in the loss; 0 leaves the logits alone.
        mixup, cutmix: see `training.data.batches.ClassificationBatches`; 0 mixes nothing.
        mask_weight: of the lesion's mask in the loss, for a model with `mask_cells`.
        monitor: the validation score that decides which epoch is best; macro AUC is the least noisy.
        views: windows learned and judged: "whole", "crop" or both.
        binary: tell suspicious from other lesions instead of `classes` apart.
        start_from: name of the run whose best weights training begins with; "" begins with ImageNet's.
        teachers: runs of the same architecture; see `training.distillation`.
        teacher_share: of the teachers in the targets; the labels have the rest.
        plain_teacher: whether they answer to the unchanged photographs.
        learn, judge, keep_last: as in `training.fit.train_segmentation.SegmentationConfig`.
    """

    name: str
    model: dict
    stages: tuple[Stage, ...]
    builder: str = "classifier"
    augmentation: Augmentation = field(default_factory=Augmentation)
    classes: tuple[str, ...] = HAM10000_CLASSES
    long_side_px: int = 200
    filters: tuple[str, ...] = ()
    passes: int = 1
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
    weight_decay: float = 1e-4
    patience: int = 6
    monitor: str = "val_macro_auc"
    seed: int = 1
    views: tuple[str, ...] = VIEWS
    binary: bool = False
    start_from: str = ""
    teachers: tuple[str, ...] = ()
    teacher_share: float = 0.0
    plain_teacher: bool = False
    learn: tuple[str, ...] = ("train",)
    judge: str = "validation"
    keep_last: bool = False

    def __post_init__(self):
        if self.teachers and self.model.get("mask_cells"):
            raise ValueError("`mask_cells` do not go with `teachers`, who know classes alone.")
        if self.plain_teacher and not self.teachers:
            raise ValueError("`plain_teacher` needs `teachers`.")

    @property
    def n_classes(self) -> int:
        return 2 if self.binary else len(self.classes)


def class_numbers(diagnoses, config: ClassificationConfig) -> np.ndarray:
    """(N,) int64: the place of each code in `config.classes`, or 1 where it is suspicious if `binary`."""
    places = np.array([config.classes.index(code) for code in diagnoses], dtype=np.int64)
    return suspicious_flags(config.classes).astype(np.int64)[places] if config.binary else places


def apply_filters(images, config: ClassificationConfig) -> list[np.ndarray]:
    """The images, each (H, W, 3) uint8, behind the configuration's filters."""
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


def score_logits(logits: dict[str, np.ndarray], labels: np.ndarray) -> dict[str, float]:
    """Validation scores of each view and of the mean of their probabilities; labels are (N,) class numbers."""
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


def make_validator(squares: dict[str, np.ndarray], labels: np.ndarray, n_classes: int):
    """A function model -> `score_logits` of what it answers to `squares`."""
    return lambda model: score_logits(predict_logits(model, squares, n_classes), labels)


def build_model(config: ClassificationConfig, imagenet: str | None):
    """The network of a configuration; only one with a backbone that starts afresh takes ImageNet weights."""
    fresh = "backbone" in config.model and not config.start_from
    pretrained = {"imagenet_weights": imagenet} if fresh else {}
    return BUILDERS[config.builder](**config.model, n_classes=config.n_classes, **pretrained)


def make_batches(config: ClassificationConfig, images, masks, labels: np.ndarray) -> ClassificationBatches:
    """The configuration's training batches."""
    return ClassificationBatches(
        images,
        masks,
        labels,
        config.n_classes,
        config.model["input_size_px"],
        config.augmentation,
        config.batch_size,
        config.seed,
        config.sampling_power,
        mixup=config.mixup,
        crop_share=("crop" in config.views) / len(config.views),
        cutmix=config.cutmix,
        mask_channel=config.model.get("mask_channel", False),
        mask_cells=config.model.get("mask_cells", 0),
        plain=config.plain_teacher,
        passes=config.passes,
    )


def make_loss(config: ClassificationConfig, labels: np.ndarray) -> Callable:
    """The configuration's loss; labels are all (N,) class numbers that are learned."""
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
    rows, images, masks = load_split_arrays(arguments.data, config.learn, config.long_side_px)
    labels = class_numbers(rows["dx"], config)
    batches = make_batches(config, apply_filters(images[part], config), masks[part], labels[part])
    with batches.made_by(arguments.workers):
        _train_on(batches, make_loss(config, labels), config, arguments)


def _train_on(
    batches: ClassificationBatches,
    loss: Callable,
    config: ClassificationConfig,
    arguments: argparse.Namespace,
) -> None:
    part = slice(arguments.limit)
    val_rows, *val_arrays = load_split_arrays(arguments.data, [config.judge], config.long_side_px)
    squares = view_squares(*(array[part] for array in val_arrays), config)
    val_labels = class_numbers(val_rows["dx"], config)[part]
    network = build_model(config, arguments.imagenet)
    start_from(network, config.start_from)
    model = network
    if config.teachers:
        teachers = load_teachers(lambda: build_model(config, None), config.teachers)
        model = join_teachers(network, teachers, config.plain_teacher)
        loss = taught_loss(loss, config.n_classes, config.teacher_share)
    objective = Objective(
        loss,
        make_validator(squares, val_labels, config.n_classes),
        config.monitor,
        config.patience,
        config.weight_decay,
        config.keep_last,
    )
    train(model, config.stages, batches, objective, Run(RUNS_DIR / config.name, config), network)


@in_words
def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    config = without_clock(load_config(arguments.config), arguments.epochs)
    with data_parallel(arguments.devices):
        run_experiment(config, arguments)


if __name__ == "__main__":
    main()
