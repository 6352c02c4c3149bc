"""Training that can be interrupted, stops early and keeps its best weights; on a model of two layers."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from training.data.batches import Batches
from training.fit import engine, run_folder
from training.fit.engine import Objective, freeze_until, load_config, train
from training.fit.run_folder import Run
from training.fit.schedules import DiscriminativeAdamW, Stage, cosine_rate, plateau_rate


@dataclass(frozen=True)
class Config:
    name: str = "tiny"
    learning_rate: float = 0.1


class Points(Batches):
    """y = x . (1, -2, 3), with noise that depends on epoch and batch."""

    def sample(self, index, rng):
        x = rng.normal(size=3).astype(np.float32)
        return x, np.float32([x @ [1, -2, 3]])


class Interrupted(Exception):
    pass


@pytest.fixture(autouse=True, scope="module")
def no_tensorboard():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "_summary_writer", lambda folder: None)
        yield


def build_model() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, name="body")(inputs)
    return keras.Model(inputs, keras.layers.Dense(1, name="head")(hidden))


def squared_error(y_true, y_pred):
    return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)


def objective(scores=None, interrupt_before: int | None = None, patience: int = 5) -> Objective:
    """Judge epochs by `scores` in turn, or by the weights themselves if None."""
    given = iter(scores or ())
    judged = 0

    def validate(model) -> dict[str, float]:
        nonlocal judged
        judged += 1
        if judged == interrupt_before:
            raise Interrupted
        own = -float(np.abs(model.get_layer("body").get_weights()[0]).sum())
        return {"val_score": next(given) if scores else own}

    return Objective(squared_error, validate, "val_score", patience, weight_decay=1e-3)


def train_in(folder: Path, stages, objective: Objective) -> tuple[keras.Model, dict]:
    model = build_model()
    best = train(model, stages, Points(24, 8, seed=3), objective, Run(folder, Config()))
    return model, best


def history(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "history.csv").drop(columns="seconds")


# --- layers


def test_layers_before_the_prefix_are_frozen():
    model = build_model()
    freeze_until(model, "head")
    assert {layer.name: layer.trainable for layer in model.layers[1:]} == {"body": False, "head": True}
    freeze_until(model, "")
    assert all(layer.trainable for layer in model.layers)


def test_an_unknown_prefix_is_refused():
    with pytest.raises(ValueError, match="starts with 'tail'"):
        freeze_until(build_model(), "tail")


def test_a_frozen_stage_leaves_the_body_alone(tmp_path):
    before = build_model()
    model, _ = train_in(tmp_path, (Stage("head", 1, 0.1, frozen_until="head"),), objective())
    for name, same in (("body", True), ("head", False)):
        old, new = (m.get_layer(name).get_weights()[0] for m in (before, model))
        assert np.array_equal(old, new) is same


def test_rates_rise_geometrically_from_the_first_variable_to_the_last():
    variables = [keras.Variable(np.zeros(1)) for _ in range(3)]
    optimizer = DiscriminativeAdamW(0.1, first_share=0.01, weight_decay=0.0)
    optimizer.build(variables)
    optimizer.apply([keras.ops.ones(1)] * 3, variables)
    moved = [-float(variable[0]) for variable in variables]  # Adam's first step is its learning rate
    np.testing.assert_allclose(moved, [0.001, 0.01, 0.1], rtol=1e-3)


def test_a_stage_can_move_the_body_less_than_the_head(tmp_path):
    before = build_model()
    moved = {}
    for share in (1.0, 1e-3):
        stage = Stage("all", 1, 0.1, first_layer_share=share)
        model, _ = train_in(tmp_path / str(share), (stage,), objective())
        old, new = (m.get_layer("body").get_weights()[0] for m in (before, model))
        moved[share] = np.abs(new - old).max()
    assert 0 < moved[1e-3] < 0.02 * moved[1.0]


# --- training

STAGES = (Stage("head", 1, 0.05, frozen_until="head"), Stage("all", 2, 0.05))


@pytest.fixture(scope="module")
def straight(tmp_path_factory) -> tuple[Path, keras.Model]:
    """The folder and model of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("straight")
    model, _ = train_in(folder, STAGES, objective())
    return folder, model


def test_a_run_writes_one_row_an_epoch_and_its_configuration(straight):
    folder, _ = straight
    rows = history(folder)
    assert list(rows["epoch"]) == [0, 1, 2] and list(rows["stage"]) == ["head", "all", "all"]
    assert {"learning_rate", "loss", "val_score"} < set(rows.columns)
    record = json.loads((folder / "config.json").read_text())
    assert record["config"] == {"name": "tiny", "learning_rate": 0.1}
    assert {"command", "python", "versions", "cores"} < set(record)


def test_training_learns(tmp_path):
    _, _ = train_in(tmp_path, (Stage("all", 12, 0.1),), objective(patience=12))
    losses = history(tmp_path)["loss"]
    assert losses.iloc[-1] < 0.2 * losses.iloc[0]


@pytest.mark.parametrize("interrupt_before", [1, 2, 3], ids=["first", "new stage", "amid a stage"])
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(tmp_path, straight, interrupt_before):
    with pytest.raises(Interrupted):
        train_in(tmp_path, STAGES, objective(interrupt_before=interrupt_before))
    resumed, _ = train_in(tmp_path, STAGES, objective())
    pd.testing.assert_frame_equal(history(tmp_path), history(straight[0]), rtol=1e-5)
    for old, new in zip(straight[1].get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-6)


def test_a_finished_run_is_not_trained_again(straight):
    folder, model = straight
    before = history(folder)
    again, _ = train_in(folder, STAGES, objective(interrupt_before=1))
    pd.testing.assert_frame_equal(history(folder), before)
    for old, new in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_a_record_without_checkpoints_is_trained_anew(tmp_path, straight, capsys):
    done, _ = straight
    shutil.copytree(done, tmp_path / "clone", ignore=shutil.ignore_patterns("checkpoints"))
    (tmp_path / "clone" / "history.csv").write_text("epoch,stage,val_score,seconds\n0,head,9.0,1.0\n")
    train_in(tmp_path / "clone", STAGES, objective())
    assert "clone has a record and no checkpoints" in capsys.readouterr().out
    pd.testing.assert_frame_equal(history(tmp_path / "clone"), history(done))


def test_a_run_that_goes_on_has_not_finished_until_it_ends(tmp_path, straight):
    done, _ = straight
    shutil.copytree(done, tmp_path / "on")
    longer = (*STAGES, Stage("more", 2, 0.01))
    with pytest.raises(Interrupted):
        train_in(tmp_path / "on", longer, objective(interrupt_before=2))
    assert len(history(tmp_path / "on")) == 4 and not (tmp_path / "on" / "scores.json").exists()


def test_the_weights_of_the_best_epoch_are_kept(tmp_path):
    alone, _ = train_in(tmp_path / "alone", (Stage("all", 3, 0.05),), objective([0.1, 0.2, 0.3]))
    kept, best = train_in(tmp_path / "kept", (Stage("all", 3, 0.05),), objective([0.1, 0.9, 0.3]))
    assert (best["epoch"], best["val_score"]) == (1, 0.9)
    assert not np.allclose(kept.get_weights()[0], alone.get_weights()[0])  # not the last epoch's
    stored = build_model()
    stored.load_weights(tmp_path / "kept" / "checkpoints" / "best.weights.h5")
    for new, old in zip(kept.get_weights(), stored.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_the_last_epoch_can_be_kept_instead(tmp_path):
    stages, scores = (Stage("all", 3, 0.05),), [0.1, 0.9, 0.3]
    alone, _ = train_in(tmp_path / "alone", stages, objective([0.1, 0.2, 0.3]))
    kept, last = train_in(tmp_path / "kept", stages, replace(objective(scores), keep_last=True))
    assert (last["epoch"], last["val_score"]) == (2, 0.3)
    assert json.loads((tmp_path / "kept" / "scores.json").read_text())["best_epoch"]["epoch"] == 2
    for new, old in zip(kept.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_what_was_there(tmp_path):
    train_in(tmp_path, (Stage("all", epochs=1, learning_rate=0.1),), objective())
    broken = replace(objective(), loss=lambda y_true, y_pred: squared_error(y_true, y_pred) * float("nan"))
    with pytest.raises(SystemExit, match=r"epoch 2 is nan.*Earlier epochs are kept"):
        train_in(tmp_path, (Stage("all", epochs=2, learning_rate=0.1),), broken)
    assert len(history(tmp_path)) == 1


def test_patience_ends_the_whole_run(tmp_path):
    # Best in epoch 0; epochs 1 and 2 are no better, which uses up a patience of 2: no second stage.
    stages = (Stage("first", 6, 0.05), Stage("second", 4, 0.05))
    _, best = train_in(tmp_path, stages, objective([0.5, 0.4, 0.4], patience=2))
    assert list(history(tmp_path)["stage"]) == ["first"] * 3 and best["epoch"] == 0


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    stages = (Stage("all", 6, 0.05),)
    train_in(tmp_path, stages, objective([0.5, 0.4, 0.4], patience=2))
    _, best = train_in(tmp_path, stages, objective(interrupt_before=1, patience=2))
    assert len(history(tmp_path)) == 3 and best["epoch"] == 0


# --- averaging


def test_the_running_average_is_judged_and_kept_and_goes_on_after_an_interruption(tmp_path):
    averaged = replace(objective(), average=0.9, keep_last=True)
    kept, _ = train_in(tmp_path / "averaged", (Stage("all", 3, 0.05),), averaged)
    alone, _ = train_in(tmp_path / "alone", (Stage("all", 3, 0.05),), replace(objective(), keep_last=True))
    assert not np.allclose(kept.get_weights()[0], alone.get_weights()[0])
    assert history(tmp_path / "averaged")["loss"].tolist() == pytest.approx(
        history(tmp_path / "alone")["loss"].tolist()
    )
    with pytest.raises(Interrupted):
        stopped = replace(objective(interrupt_before=2), average=0.9, keep_last=True)
        train_in(tmp_path / "cut", (Stage("all", 3, 0.05),), stopped)
    resumed, _ = train_in(tmp_path / "cut", (Stage("all", 3, 0.05),), averaged)
    for new, old in zip(resumed.get_weights(), kept.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-6)


# --- schedules


def test_the_cosine_rises_for_a_tenth_of_the_steps_and_falls_to_a_hundredth_of_its_peak():
    rate = cosine_rate(1.0, 100)
    start, peak, middle, end = (float(rate(step)) for step in (0, 10, 55, 100))
    assert start == pytest.approx(1 / 20) and peak == pytest.approx(1.0)
    assert middle == pytest.approx((1 + 0.01) / 2) and end == pytest.approx(0.01)


def test_a_plateau_halves_the_rate_after_three_epochs_without_a_best():
    # Best at epoch 1, equal or worse in 2, 3 and 4: halved once; three more such epochs halve it again.
    assert plateau_rate(0.1, []) == plateau_rate(0.1, [0.5, 0.6, 0.6, 0.5]) == 0.1
    assert plateau_rate(0.1, [0.5, 0.6, 0.6, 0.5, 0.6]) == 0.05
    assert plateau_rate(0.1, [0.5, 0.6, 0.6, 0.5, 0.6, 0.5, 0.5, 0.5]) == 0.025
    assert plateau_rate(0.1, [0.5, 0.4, 0.4, 0.6, 0.4, 0.4]) == 0.1  # a new best starts the count anew


PLATEAU = (Stage("head", 1, 0.1, frozen_until="head"), Stage("all", 5, 0.05, schedule="plateau"))


def test_a_plateau_stage_counts_its_own_epochs_and_survives_an_interruption(tmp_path):
    # The stage's own scores are 0.5, 0.4, 0.4, 0.4, 0.4: halved before its fifth epoch.
    scores = [0.9, 0.5, 0.4, 0.4, 0.4, 0.4]
    train_in(tmp_path / "straight", PLATEAU, objective(scores, patience=9))
    rates = history(tmp_path / "straight")["learning_rate"].tolist()
    assert rates[1:] == pytest.approx([0.05] * 4 + [0.025])
    with pytest.raises(Interrupted):
        train_in(tmp_path / "cut", PLATEAU, objective(scores, interrupt_before=6, patience=9))
    train_in(tmp_path / "cut", PLATEAU, objective(scores[5:], patience=9))
    pd.testing.assert_frame_equal(history(tmp_path / "cut"), history(tmp_path / "straight"), rtol=1e-5)


# --- configurations


# --- configurations


def test_a_configuration_is_found_by_name_and_by_path(tmp_path):
    assert load_config("classic_unet_256").name == "classic_unet_256"
    (tmp_path / "mine.py").write_text("CONFIG = 'mine'\n")
    assert load_config(str(tmp_path / "mine.py")) == "mine"


@pytest.mark.parametrize("name", ["nonsense", "nonsense.py"])
def test_an_unknown_configuration_lists_those_there_are(name):
    with pytest.raises(FileNotFoundError, match=r"No configuration 'nonsense.*classifier_first.*segmenter"):
        load_config(name)


def test_every_shipped_configuration_loads_and_carries_its_files_name():
    names = sorted(path.stem for path in (Path(engine.__file__).parents[1] / "configs").glob("[!_]*.py"))
    assert len(names) >= 3
    assert [load_config(name).name for name in names] == names
