"""Training: runs and their curves, live and half-written ones too, and the Learn view."""

import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.systems.systems import SystemRecord
from pages.components.training import ablations, augmentations, choices, losses, runs, systems
from pages.components.training.walkthrough import EXPLANATIONS
from tests.fakes import fake_manifest
from tests.pages.conftest import open_app
from tests.pages.driver import TRAINING, read_tables, read_text, run, visit

HEADER = "epoch,stage,learning_rate,loss,val_loss,val_accuracy,val_balanced_accuracy,val_macro_auc,seconds\n"
ROWS = "0,head,0.001,1.5,1.2,0.5,0.4,0.8,60\n1,all,0.0005,1.1,0.9,0.7,0.6,0.9,120\n"


def write_run(folder: Path, history: str, epochs: int, start_from: str = "") -> None:
    stages = [
        {"name": "head", "epochs": 1, "learning_rate": 0.001, "frozen_until": "features"},
        {"name": "all", "epochs": epochs - 1, "learning_rate": 0.0005, "frozen_until": ""},
    ]
    config = {"stages": stages, "focal_gamma": 1.5, "class_weight_power": 0.5, "start_from": start_from}
    config |= {"augmentation": {"zoom": [0.5, 2.0]}, "patience": 6}
    command = f"python -m training.fit.train_classification --config {folder.name}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"config": config, "command": command}))
    if history:
        (folder / "history.csv").write_text(history)


@pytest.fixture
def shipped() -> AppTest:
    """The app on the shipped bundle, of which only the manifest is read."""
    return open_app()


@pytest.fixture
def runs_dir(monkeypatch, tmp_path) -> Path:
    """An empty training/runs/."""
    for module in (runs, choices, augmentations, losses):
        monkeypatch.setattr(module, "RUNS_DIR", tmp_path)
    return tmp_path


@pytest.fixture
def two_runs(runs_dir) -> Path:
    """A finished run "first", and "second" under way from its weights."""
    write_run(runs_dir / "first", HEADER + ROWS, epochs=2)
    write_run(runs_dir / "second", HEADER + ROWS.splitlines(keepends=True)[0], epochs=5, start_from="first")
    return runs_dir


def read_chart(app: AppTest, key: str) -> dict:
    return json.loads(app.get_by_key(key).proto.spec)


def read_alt(app: AppTest, key: str) -> str:
    return app.get_by_key(key).proto.alt


def open_training(app: AppTest, **parameters: str | list[str]) -> AppTest:
    for name, value in parameters.items():
        app.query_params[name] = value
    return visit(app, TRAINING)


def find_table(app: AppTest, index: str) -> pd.DataFrame:
    """The table whose rows are named by `index`."""
    [table] = [frame.value for frame in app.dataframe if frame.value.index.name == index]
    return table


def read_progress(app: AppTest) -> str:
    return "\n".join(bar.proto.text for bar in app.get("progress"))


# --- runs


def test_runs_are_overlaid_and_listed(shipped: AppTest, two_runs):
    open_training(shipped)
    assert shipped.title[0].value == "Training"
    loss = read_chart(shipped, "curve_loss")["data"]
    # Training and validation of each run; epochs count from 1.
    assert [(trace["line"]["dash"], len(trace["x"])) for trace in loss] == [
        *(("dot", 2), ("solid", 2)),
        *(("dot", 1), ("solid", 1)),
    ]
    assert loss[0]["line"]["color"] == loss[1]["line"]["color"] != loss[2]["line"]["color"]
    table = find_table(shipped, "Run")
    assert table["Status"].to_dict() == {"first": "finished", "second": "running"}
    assert table["Epochs"].to_dict() == {"first": "2 of 2", "second": "1 of 5"}
    assert table.loc["first", ["Kept epoch", "Balanced accuracy", "Time (min)"]].tolist() == [2, 0.6, 3]


def test_a_run_made_of_others_is_in_the_table_without_curves(shipped: AppTest, two_runs):
    write_run(two_runs / "mean", "", epochs=5)
    best = {"share": 0.5, "val_macro_auc": 0.95}
    (two_runs / "mean" / "scores.json").write_text(
        json.dumps({"best_epoch": best, "joined": ["first", "second"]})
    )
    app = open_training(shipped)
    row = find_table(app, "Run").loc["mean"]
    assert (row["Status"], row["Epochs"], row["Macro AUC"]) == ("finished", "–", 0.95)
    assert pd.isna(row["Kept epoch"]) and pd.isna(row["Time (min)"])
    assert len(read_chart(app, "curve_loss")["data"]) == 4  # training and validation of the two
    assert "--config mean" in "\n".join(block.value for block in app.code)


def test_short_runs_have_a_table_of_their_own(shipped: AppTest, two_runs, monkeypatch):
    write_run(two_runs / "ablation_classification", HEADER + ROWS, epochs=2)
    scores = {"val_macro_auc": 0.9, "val_balanced_accuracy": 0.7}
    found = [
        {"name": "ablation_classification", "description": "Base.", "scores": scores},
        {
            "name": "ablation_classification_wild",
            "description": "Wild.",
            "scores": scores | {"val_macro_auc": 0.85},
        },
    ]
    monkeypatch.setattr(ablations, "read_results", lambda: found)
    app = open_training(shipped)
    [table] = [shown.value for shown in app.table if "What is different" in shown.value]
    [wild] = table[table["What is different"] == "Wild."].to_dict("records")
    assert (wild["Macro AUC"], wild["Accuracy"]) == ("0.850 (-0.050)", "–")
    assert table["Macro AUC"][0] == "0.900"
    assert "ablation_classification" not in find_table(app, "Run").index


def test_without_short_runs_there_is_no_table_of_them(shipped: AppTest, two_runs, monkeypatch):
    monkeypatch.setattr(ablations, "read_results", list)
    app = open_training(shipped)
    assert not any("What is different" in shown.value for shown in app.table)


def test_each_chart_has_words(shipped: AppTest, two_runs):
    open_training(shipped)
    assert read_alt(shipped, "curve_loss") == (
        "Loss by epoch: first from 1.5 to 1.1 over 2 epochs; second from 1.5 to 1.5 over 1 epoch."
    )
    assert "Balanced accuracy by epoch" in read_alt(shipped, "curve_val_balanced_accuracy")
    assert "Learning rate by epoch" in read_alt(shipped, "curve_learning_rate")


def test_no_two_runs_look_alike_when_colours_come_round(shipped: AppTest, runs_dir):
    names = [f"run{k}" for k in range(9)]
    for name in names:
        write_run(runs_dir / name, HEADER + ROWS, epochs=2)
    open_training(shipped, classification_runs=names)
    lines = read_chart(shipped, "curve_val_balanced_accuracy")["data"]
    looks = {(line["line"]["color"], line["marker"]["symbol"]) for line in lines}
    assert len(looks) == len(names)
    assert any("◇" in block.proto.body for block in shipped.get("html"))


def test_at_first_there_are_a_few_curves_the_longest_and_those_under_way(shipped: AppTest, runs_dir):
    for k in range(8):
        write_run(runs_dir / f"run{k}", HEADER + ROWS, epochs=2)
    write_run(runs_dir / "long", HEADER + ROWS + ROWS.replace("0,head", "2,all", 1), epochs=4)
    write_run(runs_dir / "new", "", epochs=5)
    chosen = open_training(shipped).get_by_key("classification_runs").value
    assert {"long", "new"} <= {*chosen} and len(chosen) == runs.N_AT_FIRST + 1


def test_layers_that_were_unfrozen_are_marked_and_named(shipped: AppTest, two_runs):
    open_training(shipped)
    layout = read_chart(shipped, "curve_learning_rate")["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [1.5]  # the second run has not got there
    assert [note["text"] for note in layout["annotations"]] == ["all"]
    assert "from epoch 1 “head”, from layer features on; from epoch 2 all layers" in read_text(shipped)


def test_only_differing_settings_and_each_command_are_shown(shipped: AppTest, two_runs):
    open_training(shipped)
    assert find_table(shipped, "Setting").to_dict("index") == {
        "stages.all": {
            "first": "epochs 1, learning_rate 0.0005, frozen_until none",
            "second": "epochs 4, learning_rate 0.0005, frozen_until none",
        },
        "start_from": {"first": "none", "second": "first"},
    }
    commands = [code.value for code in shipped.code]
    assert commands == [
        f"python -m training.fit.train_classification --config {n}" for n in ("first", "second")
    ]
    assert "Begins with the best weights of first" in read_text(shipped)


def test_runs_and_score_come_from_the_address(shipped: AppTest, two_runs):
    open_training(shipped, classification_runs=["second"], classification_score="Macro AUC")
    assert shipped.get_by_key("classification_runs").value == ["second"]
    assert "Macro AUC by epoch: second" in read_alt(shipped, "curve_val_macro_auc")
    assert find_table(shipped, "Setting")["second"]["focal_gamma"] == "1.5"  # one run: all settings


def test_runs_behind_the_bundle_and_those_under_way_are_drawn_first(shipped: AppTest, two_runs, monkeypatch):
    write_run(two_runs / "third", HEADER + ROWS, epochs=2)
    monkeypatch.setattr(runs, "_in_use", lambda networks: {"third"})
    open_training(shipped)
    assert shipped.get_by_key("classification_runs").value == ["second", "third"]
    assert len(find_table(shipped, "Run")) == 3


def test_runs_that_train_every_layer_share_a_line(shipped: AppTest, two_runs):
    config = json.loads((two_runs / "second" / "config.json").read_text())
    config["config"]["stages"] = [{"name": "all", "epochs": 5, "learning_rate": 0.001, "frozen_until": ""}]
    (two_runs / "second" / "config.json").write_text(json.dumps(config))
    open_training(shipped)
    assert "**All others:** every layer from the first epoch on" in read_text(shipped)
    assert "**second:**" not in read_text(shipped)


def test_choosing_no_run_says_what_to_do(shipped: AppTest, two_runs):
    open_training(shipped)
    shipped.get_by_key("classification_runs").set_value([])
    run(shipped)
    assert "Choose at least one run" in read_text(shipped)
    assert len(find_table(shipped, "Run")) == 2


def test_a_run_under_way_is_followed(shipped: AppTest, two_runs):
    open_training(shipped)
    assert "**second** is running: 1 of 5 epochs done" in read_progress(shipped)
    write_run(two_runs / "second", HEADER + ROWS, epochs=5)
    run(shipped)
    assert "2 of 5 epochs done" in read_progress(shipped)
    assert len(read_chart(shipped, "curve_loss")["data"][2]["x"]) == 2


def test_a_run_without_a_finished_epoch_waits(shipped: AppTest, runs_dir):
    write_run(runs_dir / "new", "", epochs=3)
    open_training(shipped)
    assert "curves begin with the first finished epoch" in read_progress(shipped)
    assert "No epoch has ended yet" in read_text(shipped)
    assert find_table(shipped, "Run")["Epochs"].tolist() == ["0 of 3"]


def test_a_run_by_the_clock_shows_how_much_of_its_time_is_gone(shipped: AppTest, runs_dir):
    write_run(runs_dir / "timed", HEADER + ROWS.splitlines(keepends=True)[0], epochs=2)
    record = json.loads((runs_dir / "timed" / "config.json").read_text())
    record["config"]["stages"] = [{"name": "all", "epochs": 1000, "schedule": "clock", "minutes": 4}]
    (runs_dir / "timed" / "config.json").write_text(json.dumps(record))
    [bar] = open_training(shipped).get("progress")
    assert bar.proto.value == 25
    assert (
        "**timed** is running: 1 of 4 minutes done" in bar.proto.text
        and "about 3 min to go" in bar.proto.text
    )


def test_half_written_histories_do_no_harm(shipped: AppTest, two_runs):
    open_training(shipped)
    for text in ("", "epoch,sta", HEADER, HEADER + "0,head,0.0", "\x00\x01"):
        (two_runs / "second" / "history.csv").write_text(text)
        run(shipped)
        assert find_table(shipped, "Run")["Epochs"].to_dict() == {"first": "2 of 2", "second": "0 of 5"}


def test_a_half_written_record_does_no_harm(shipped: AppTest, two_runs):
    (two_runs / "second" / "config.json").write_text('{"config": {"na')
    open_training(shipped)
    assert find_table(shipped, "Run").loc["second", "Epochs"] == "1 of ?"
    assert "its record states no command" in shipped.code[1].value


def test_without_runs_the_page_says_how_to_get_one(shipped: AppTest, runs_dir):
    open_training(shipped)
    assert "No runs" in read_text(shipped) and "make train" in read_text(shipped)


def test_what_was_compared_is_shown_with_the_choice_in_bold(shipped: AppTest, two_runs):
    (two_runs / "ham").mkdir()
    record = {
        "n_images": 7,
        "temperature": {"value": 0.5, "before": {"log_loss": 0.6}, "after": {"log_loss": 0.5}},
        "decisions": {"temperature": 0.5},
    }
    (two_runs / "ham" / "validation_choices.json").write_text(json.dumps(record))
    open_training(shipped)
    cells = read_tables(shipped)
    assert "**0.5000**" in cells and "0.6000" in cells and "**0.6000**" not in cells
    assert "On 7 images of the validation split" in read_text(shipped)
    assert "training/runs/ham/validation_choices.json" in read_text(shipped)


def test_the_shipped_runs_are_there(shipped: AppTest):
    open_training(shipped, training_task="Segmentation")
    table = find_table(shipped, "Run")
    assert table.loc["segmentation_v2b0", "Dice"] > 0.9
    assert "training/runs/<run>/history.csv" in read_text(shipped)
    assert "What was compared" in read_text(shipped)


def test_runs_behind_the_bundle_are_in_use(shipped: AppTest):
    status = find_table(open_training(shipped), "Run")["Status"]
    assert status["classification_v2b0_second"] == "finished, in use"  # averaged and joined since
    assert status["classification_v2b0_soup"] == "finished, in use"  # itself a mean of two
    assert status["classic_cnn_128"] == "finished"


# --- learn


def test_the_steps_are_explained_before_anything_is_loaded(app: AppTest, fake_networks):
    open_training(app, training_view="Learn")
    text = read_text(app)
    assert all(f"**{title}.**" in text for title in EXPLANATIONS)
    assert fake_networks() == 0


def test_the_steps_run_on_request(app: AppTest, fake_networks):
    open_training(app, training_view="Learn", learn_image="Round, mole-like")
    app.button(key="run_steps").click()
    run(app)
    assert fake_networks() == 1
    headings = [heading.value for heading in app.subheader]
    assert headings == [f"{n} · {title}" for n, title in enumerate(EXPLANATIONS, start=1)]
    text = read_text(app)
    assert ":gray[Cut:] **0." in text and "Changed pixels" in text
    assert f"`{fake_manifest().fingerprint}`" in text
    assert "lie clearly below the cut" in read_alt(app, "learn_histogram")
    assert "before" in read_alt(app, "learn_probabilities")
    assert len(app.dataframe[0].value) == 16


def test_another_image_is_run_only_when_asked(app: AppTest):
    open_training(app, training_view="Learn")
    app.button(key="run_steps").click()
    run(app)
    app.selectbox(key="learn_image").set_value("Darker skin")
    run(app)
    assert not app.subheader and app.button(key="run_steps")


def test_each_augmentation_is_shown_with_the_ranges_of_a_run(shipped: AppTest, two_runs):
    open_training(shipped, training_view="Learn", learn="Augmentations")
    shipped.selectbox(key="augment_run").set_value("first")
    shipped.slider(key="augment_share").set_value(100)
    run(shipped)
    captions = [picture.caption for image in shipped.get("image") for picture in image.proto.imgs]
    assert "× 0.50" in captions and "× 2.00" in captions
    assert "**Channel gain**" in read_text(shipped)


def test_losses_are_drawn_with_their_numbers(shipped: AppTest, two_runs):
    open_training(shipped, training_view="Learn", learn="Losses")
    # At 0.9, -ln 0.9 = 0.1054; gamma 1 takes a tenth of it.
    assert "0.1054" in read_tables(shipped) and "0.0105" in read_tables(shipped)
    assert shipped.slider(key="loss_power").value == 0.5  # that of the first run
    shipped.slider(key="loss_power").set_value(0.0)
    run(shipped)
    assert "Melanoma 1.00" in read_alt(shipped, "loss_weights")
    assert "γ in the runs: first 1.5, second 1.5" in read_text(shipped)
    assert "from 0.0" in read_alt(shipped, "loss_disc")


# --- systems
def test_classic_systems_stand_side_by_side(app: AppTest, monkeypatch):
    interval = {"estimate": 0.7521, "low": 0.69, "high": 0.81}
    ours = SystemRecord("Dual stage", "ham", "", {"balanced_accuracy": interval}, 12_000_000, 27.0, 400.0)
    cnn = SystemRecord("Binary CNN", None, "Cut short to four epochs.", {}, 51_500_000, 103.0, 9.0)
    monkeypatch.setattr(systems, "read_systems", lambda: [ours, cnn])
    open_training(app, training_view="Systems")
    [table] = [frame.value for frame in app.dataframe if "System" in frame.value]
    assert list(table["System"]) == ["Dual stage", "Binary CNN"]
    assert table["Balanced accuracy"].iloc[0] == 0.7521 and table["Balanced accuracy"].isna().iloc[1]
    assert "0.690 to 0.810" in read_tables(app)
    text = read_text(app)
    assert "pick it on Diagnose under Settings" in text and "too large to ship. Cut short to four" in text
    assert "not a medical device" in text


def test_without_a_record_the_systems_view_names_the_command(app: AppTest, monkeypatch):
    monkeypatch.setattr(systems, "read_systems", lambda: [])
    assert "make classic" in read_text(open_training(app, training_view="Systems"))
