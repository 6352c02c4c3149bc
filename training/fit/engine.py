"""Train a network in stages: resumable after every epoch, best weights kept, everything logged (`training.fit.run_folder`)."""

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import cv2
import keras
import numpy as np

from training.data.batches import Batches
from training.fit.averaging import AverageWeights
from training.fit.hosts import on_this_host, save_weights
from training.fit.memory import KeepMemory
from training.fit.run_folder import Run
from training.fit.schedules import DiscriminativeAdamW, Stage, cosine_rate, plateau_rate


@dataclass(frozen=True)
class Objective:
    """The loss of a run and its validation.

    Attributes:
        loss: Keras loss on a batch.
        validate: model -> dict of validation scores.
        monitor: the score that decides which epoch is best (higher is better).
        patience: epochs without improvement before the run stops.
        weight_decay: of AdamW, not on biases and batch normalisation; 0 is plain Adam.
        clip_norm: of the gradient of all weights together; 0 clips nothing.
        average: decay of the moving average of the weights every `training.fit.averaging.EVERY` steps; the
            average is validated and saved. 0 saves the weights themselves.
        keep_last: keep the last epoch's weights instead of the best's: where the learning rate has come down,
            it is the result, and no choice is made on the validation images.
    """

    loss: Callable
    validate: Callable[[keras.Model], dict[str, float]]
    monitor: str
    patience: int = 5
    weight_decay: float = 0.0
    keep_last: bool = False
    clip_norm: float = 0.0
    average: float = 0.0


def load_config(name_or_path: str):
    """The `CONFIG` of a file below training/configs/ by its name, or of a Python file elsewhere.

    Raises:
        FileNotFoundError: there is no such configuration; lists those that exist.
    """
    path, configs = Path(name_or_path), Path(__file__).parents[1] / "configs"
    if path.suffix != ".py":
        path = next(configs.rglob(f"{name_or_path}.py"), configs / f"{name_or_path}.py")
    if not path.is_file():
        known = sorted(p.stem for p in configs.rglob("[!_]*.py"))
        raise FileNotFoundError(f"No configuration {name_or_path!r}; there are: {', '.join(known)}.")
    spec = util.spec_from_file_location(path.stem, path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CONFIG


def freeze_until(model: keras.Model, prefix: str) -> None:
    """Freeze the layers before the first one whose name starts with `prefix`; "" frees all.

    Raises:
        ValueError: no layer has that prefix.
    """
    names = [layer.name for layer in model.layers]
    if prefix and not any(name.startswith(prefix) for name in names):
        raise ValueError(f"No layer of {model.name} starts with {prefix!r}.")
    frozen = bool(prefix)
    for layer in model.layers:
        frozen = frozen and not layer.name.startswith(prefix)
        layer.trainable = not frozen


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and the backend; leave OpenCV one thread beside the network's."""
    keras.utils.set_random_seed(seed)
    cv2.setNumThreads(1)


def _jit() -> str | bool:
    """Whether to compile by XLA: not for TensorFlow on a CPU, where it is several times slower than the plain graph."""
    devices = str(keras.distribution.list_devices()).lower()
    pays = keras.backend.backend() != "tensorflow" or "gpu" in devices or "tpu" in devices
    return "auto" if pays else False


def compile_stage(model: keras.Model, stage: Stage, objective: Objective, steps: int) -> None:
    """Compile for one stage: AdamW at its learning rate, `steps` of them an epoch."""
    rate = (
        cosine_rate(stage.learning_rate, steps * stage.epochs)
        if stage.schedule == "cosine"
        else stage.learning_rate
    )
    options = {"weight_decay": objective.weight_decay, "global_clipnorm": objective.clip_norm or None}
    optimizer = (
        keras.optimizers.AdamW(rate, **options)
        if stage.first_layer_share == 1
        else DiscriminativeAdamW(rate, stage.first_layer_share, **options)
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer, objective.loss, jit_compile=_jit())
    optimizer.build(model.trainable_variables)


def train(
    model: keras.Model, stages: tuple[Stage, ...], batches: Batches, objective: Objective, run: Run
) -> dict[str, float]:
    """Train through all stages and leave the weights that are kept in `model`.

    Args:
        model: the network to train.
        stages: one after the other.
        batches: the training data.
        objective: loss and validation.
        run: where everything is written; a run with epochs resumes.

    Returns:
        The history row of the epoch that is kept, which is also written to scores.json.
    """
    bare = keras.Model(model.inputs, model.outputs)  # shares the layers, has no optimiser to load or save
    bare.compile(optimizer=None, jit_compile=_jit())
    if run.rows and run.last_weights.is_file():
        keras.Model(model.inputs, model.outputs).load_weights(run.last_weights)
    average = None
    if objective.average:
        steps_done = [len(batches)] * len(run.rows)
        average = AverageWeights(bare, objective.average, run.average_weights, steps_done)
    end = 0
    for stage in stages:
        start, end = end, end + stage.epochs
        if run.out_of_patience(objective.monitor, objective.patience):
            break
        if len(run.rows) >= end:
            continue
        freeze_until(model, stage.frozen_until)
        compile_stage(model, stage, objective, len(batches))
        if len(run.rows) > start:
            run.resume(model)
        for epoch in range(max(start, len(run.rows)), end):
            _train_epoch(model, bare, average, stage, epoch, batches, objective, run)
            if run.out_of_patience(objective.monitor, objective.patience):
                print(f"No better {objective.monitor} for {objective.patience} epochs: stopping early.")
                break
    return _keep_best(bare, objective, run)


def _keep_best(bare: keras.Model, objective: Objective, run: Run) -> dict[str, float]:
    """Load the weights that are kept and write scores.json; the history row of their epoch."""
    bare.load_weights(run.best_weights)
    kept = run.rows[-1 if objective.keep_last else run.best(objective.monitor)[1]]
    run.write_scores({"best_epoch": kept, "parameters": bare.count_params()})
    print(f"Kept epoch: {kept}")
    return kept


def _train_epoch(
    model,
    bare,
    average: AverageWeights | None,
    stage: Stage,
    epoch: int,
    batches: Batches,
    objective: Objective,
    run: Run,
) -> None:
    started = time.monotonic()
    batches.start_epoch(epoch)
    if stage.schedule == "plateau":
        past = [row[objective.monitor] for row in run.rows if row["stage"] == stage.name]
        model.optimizer.learning_rate = plateau_rate(stage.learning_rate, past)
    loss = _fit_epoch(model, batches, epoch, [KeepMemory(), *([average] if average else [])])
    best_before, _ = run.best(objective.monitor)
    with average.in_place() if average else nullcontext():
        with on_this_host(bare) as copy:
            scores = objective.validate(copy)
        row = {
            "epoch": epoch,
            "stage": stage.name,
            "learning_rate": float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
            "loss": loss,
            **scores,
            "seconds": round(time.monotonic() - started, 1),
        }
        if objective.keep_last or row[objective.monitor] > best_before:
            save_weights(bare, run.best_weights)
    if average:
        average.save()
    save_weights(model, run.last_weights)
    run.record(row)


def _fit_epoch(model: keras.Model, batches: Batches, epoch: int, callbacks: list) -> float:
    """One epoch's training; returns its mean loss.

    Raises:
        SystemExit: the loss is not finite.
    """
    # The epoch's order is drawn already; Keras would shuffle it again, differently after an interruption.
    verbose = 1 if sys.stdout.isatty() else 2
    fitted = model.fit(
        batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=verbose, callbacks=callbacks
    )
    loss = float(fitted.history["loss"][-1])
    if not np.isfinite(loss):
        raise SystemExit(
            f"The loss of epoch {epoch + 1} is {loss}: try a lower learning rate. Earlier epochs are kept."
        )
    return loss
