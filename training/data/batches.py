"""Augmented training batches for both networks, reproducible from (seed, epoch, batch)."""

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2
import keras
import numpy as np

from core.images.preprocessing import Box, lesion_box, mask_picture
from training.data.augmentation import Augmentation, augment_window, shrink_and_sample
from training.fit.hosts import host, n_hosts


class Batches(keras.utils.PyDataset):
    """Epochs of augmented samples; a subclass says what one sample is.

    Call `start_epoch` before each epoch. The same seed, epoch and batch index always give the same
    batch, so that an interrupted run continues exactly as it would have. Among several hosts each gets its
    own part of every batch, as if one batch had been made and divided. `made_by` has several processes
    make them: the same batches, sooner.
    """

    def __init__(
        self,
        n_samples: int,
        batch_size: int,
        seed: int,
        sampling: np.ndarray | None = None,
        draws: int | None = None,
    ):
        """Epochs of `draws` samples, or as many as there are.

        `sampling` (N,) is each sample's chance to be drawn; without it every pass through the samples has each once.
        """
        super().__init__(workers=1, max_queue_size=8)
        if batch_size % n_hosts():
            raise ValueError(f"A batch of {batch_size} cannot be shared evenly by {n_hosts()} hosts.")
        self.n_samples, self.batch_size, self.seed = n_samples, batch_size, seed
        self.sampling, self.draws = sampling, draws or n_samples
        self.pool = None
        self.start_epoch(0)

    @contextmanager
    def made_by(self, count: int) -> Iterator[None]:
        """Have `count` processes make the batches; before the backend is used, whose threads do not survive a fork.

        With 1 they are made in this process, which suffices where the network is the slower of the two.
        """
        if count == 1:
            yield
            return
        _inherited.append(self)
        self.workers, self.max_queue_size = count + 1, 2 * count  # threads that wait for the processes
        try:
            with multiprocessing.get_context("fork").Pool(count) as self.pool:
                yield
        finally:
            self.pool, self.workers = None, 1
            _inherited.remove(self)

    def start_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.order = self.draw_order(np.random.default_rng((self.seed, epoch)))

    def draw_order(self, rng: np.random.Generator) -> np.ndarray:
        """Indices of this epoch's samples, in order."""
        if self.sampling is None:
            passes = -(-self.draws // self.n_samples)
            return np.concatenate([rng.permutation(self.n_samples) for _ in range(passes)])[: self.draws]
        return rng.choice(self.n_samples, size=self.draws, p=self.sampling)

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, index: int):
        return self.pool.apply(_make, (self.epoch, index)) if self.pool else self.make(index)

    def make(self, index: int):
        """Batch number `index` of this epoch, made in this process."""
        part = self.batch_size // n_hosts()
        first = index * self.batch_size + host() * part
        samples = (
            self.sample(self.order[place], np.random.default_rng((self.seed, self.epoch, place)))
            for place in range(first, first + part)
        )
        inputs, targets = map(np.stack, zip(*samples, strict=True))
        return self.finish(inputs, targets, np.random.default_rng((self.seed, self.epoch, first, 1)))

    def finish(self, inputs: np.ndarray, targets: np.ndarray, rng: np.random.Generator):
        """The batch, or a host's part of it, as the network gets it; a subclass may mix its samples."""
        return inputs, targets

    def sample(self, index: int, rng: np.random.Generator):
        raise NotImplementedError


_inherited: list[Batches] = []  # the last one is what a worker process has from its parent


def _make(epoch: int, index: int):
    batches = _inherited[-1]
    if batches.epoch != epoch:
        batches.start_epoch(epoch)
    return batches.make(index)


class SegmentationBatches(Batches):
    """(N, S, S, 3) uint8 images and (N, S, S, 1) float32 masks in [0, 1]; `sampling` and `draws` as in `Batches`."""

    def __init__(
        self,
        images: Sequence[np.ndarray],
        masks: Sequence[np.ndarray],
        size_px: int,
        augmentation: Augmentation,
        batch_size: int,
        seed: int,
        sampling: np.ndarray | None = None,
        draws: int | None = None,
    ):
        self.images, self.size_px, self.augmentation = images, size_px, augmentation
        self.masks = [mask_picture(mask) for mask in masks]
        super().__init__(len(images), batch_size, seed, sampling, draws)

    def sample(self, index, rng):
        image = self.images[index]
        square, matrix = augment_window(image, Box.whole(image), self.size_px, self.augmentation, rng)
        mask = shrink_and_sample(self.masks[index], matrix, self.size_px)
        return square, (mask[..., None] / 255).astype(np.float32)


class ClassificationBatches(Batches):
    """(N, S, S, 3) windows, pixel values 0 to 255, and (N, K) float32 shares of each class.

    A `crop_share` of the windows shows the lesion with a random margin, the others the whole image, so
    that one network is trained on both views. `sampling` and `draws` as in `Batches`.
    With `mixup` > 0 a batch is blended with itself in another order, pixels and classes alike, by shares
    from a Beta(mixup, mixup) distribution (Zhang et al. 2018, arXiv:1710.09412). With `cutmix` > 0 the other
    window instead replaces a rectangle, whose area is such a share (Yun et al. 2019, arXiv:1905.04899). With
    `mask_channel` windows are (N, S, S, 4), the mask from 0 to 255 behind the colours; with `mask_cells` M targets
    are (N, K + M x M), the lesion's share of each cell behind the classes.
    """

    def __init__(
        self,
        images: Sequence[np.ndarray],
        masks: Sequence[np.ndarray],
        labels: np.ndarray,
        n_classes: int,
        size_px: int,
        augmentation: Augmentation,
        batch_size: int,
        seed: int,
        sampling: np.ndarray | None = None,
        margins: tuple[float, float] = (0.1, 0.6),
        mixup: float = 0.0,
        crop_share: float = 0.5,
        cutmix: float = 0.0,
        mask_channel: bool = False,
        mask_cells: int = 0,
        draws: int | None = None,
    ):
        if mask_cells and cutmix:
            raise ValueError("`mask_cells` do not go with `cutmix`, which knows classes alone.")
        self.images, self.mixup, self.cutmix, self.crop_share = images, mixup, cutmix, crop_share
        self.masks = masks
        self.mask_channel, self.mask_cells = mask_channel, mask_cells
        self.boxes = [lesion_box(mask, margin=0.0) for mask in masks]
        self.size_px, self.augmentation, self.margins = size_px, augmentation, margins
        self.targets = np.eye(n_classes, dtype=np.float32)[labels]
        super().__init__(len(images), batch_size, seed, sampling, draws)

    def sample(self, index, rng):
        image = self.images[index]
        box = Box.whole(image) if rng.random() < 1 - self.crop_share else self._lesion_window(index, rng)
        square, matrix = augment_window(image, box, self.size_px, self.augmentation, rng)
        target = self.targets[index]
        if self.mask_channel or self.mask_cells:
            mask = shrink_and_sample(mask_picture(self.masks[index]), matrix, self.size_px)
        if self.mask_channel:
            square = np.dstack([square, mask])
        if self.mask_cells:
            cells = cv2.resize(mask, (self.mask_cells, self.mask_cells), interpolation=cv2.INTER_AREA)
            target = np.concatenate([target, cells.ravel() / np.float32(255)])
        return square, target

    def finish(self, inputs, targets, rng):
        if self.mixup:
            inputs, targets = self._mix(inputs, targets, rng)
        if self.cutmix:
            inputs, targets = self._cut(inputs, targets, rng)
        return inputs, targets

    def _mix(self, inputs, targets, rng):
        other = rng.permutation(len(inputs))
        share = rng.beta(self.mixup, self.mixup, len(inputs)).astype(np.float32)
        pixels = share[:, None, None, None]
        blended = pixels * inputs + (1 - pixels) * inputs[other]
        return (
            blended.round().astype(inputs.dtype),  # as small as they were: what waits in line is copied often
            share[:, None] * targets + (1 - share[:, None]) * targets[other],
        )

    def _cut(self, inputs, targets, rng):
        other = rng.permutation(len(inputs))
        sides = np.sqrt(rng.beta(self.cutmix, self.cutmix, len(inputs))) * self.size_px
        corners = rng.uniform(0, 1, (len(inputs), 2)) * (self.size_px - sides[:, None])
        first = corners.round().astype(int)
        last = (corners + sides[:, None]).round().astype(int)
        share = ((last - first).prod(axis=1) / self.size_px**2).astype(np.float32)[:, None]
        cut = inputs.copy()
        for window, source, (top, left), (bottom, right) in zip(cut, other, first, last, strict=True):
            window[top:bottom, left:right] = inputs[source, top:bottom, left:right]
        return cut, (1 - share) * targets + share * targets[other]

    def _lesion_window(self, index: int, rng: np.random.Generator) -> Box:
        box = self.boxes[index]
        grow = rng.uniform(*self.margins) * max(box.width_px, box.height_px)
        return Box(box.x0 - grow, box.y0 - grow, box.x1 + grow, box.y1 + grow)
