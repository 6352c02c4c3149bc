"""Training: runs and their curves, live and half-written ones too, and the Learn view."""

import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.systems.ablations import Ablation
from core.systems.systems import SystemRecord
from pages.components.learn import augmentations, losses
from pages.components.learn.walkthrough import EXPLANATIONS
from pages.components.training import ablations, choices, runs, systems
from tests.fakes import fake_manifest
from tests.pages.conftest import open_app
from tests.pages.driver import TRAINING, read_tables, read_text, run, visit

HEADER = "epoch,stage,learning_rate,loss,val_loss,val_accuracy,val_balanced_accuracy,val_macro_auc,seconds\n"
VIEW = "Runs"
ROWS = "0,head,0.001,1.5,1.2,0.5,0.4,0.8,60\n1,all,0.0005,1.1,0.9,0.7,0.6,0.9,120\n"


def write_run(folder: Path, history: str, epochs: int, seed: int = 1) -> None:
    stages = [
        {"name": "head", "epochs": 1, "learning_rate": 0.001, "frozen_until": "features"},
        {"name": "all", "epochs": epochs - 1, "learning_rate": 0.0005, "frozen_until": ""},
    ]
    config = {"stages": stages, "focal_gamma": 1.5, "class_weight_power": 0.5, "seed": seed}
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
    for module in (runs, augmentations, losses):
        monkeypatch.setattr(module, "WORK_DIR", tmp_path / "work")
    return tmp_path


@pytest.fixture
def two_runs(runs_dir) -> Path:
    """A finished run "first", and "second" under way."""
    write_run(runs_dir / "first", HEADER + ROWS, epochs=2)
    write_run(runs_dir / "second", HEADER + ROWS.splitlines(keepends=True)[0], epochs=5, seed=2)
    return runs_dir


def read_chart(app: AppTest, key: str) -> dict:
    return json.loads(app.get_by_key(key).proto.spec)


def read_alt(app: AppTest, key: str) -> str:
    return app.get_by_key(key).proto.alt


def open_training(app: AppTest, **parameters: str | list[str]) -> AppTest:
    for name, value in parameters.items():
        app.query_params[name] = value
    return visit(app, TRAINING)


def find_table(app: AppTest, name: str) -> pd.DataFrame:
    """The table whose rows are named by the column or the index `name`."""
    tables = [frame.value for frame in app.dataframe]
    [found] = [table for table in tables if name in (table.index.name, *table)]
    return found.set_index(name) if name in found else found


def read_progress(app: AppTest) -> str:
    return "\n".join(bar.proto.text for bar in app.get("progress"))


# --- runs


def test_runs_are_overlaid_and_listed(shipped: AppTest, two_runs):
    open_training(shipped, training_view=VIEW)
    assert shipped.title[0].value == "Training"
    loss = read_chart(shipped, "curve_loss")["data"]
    # Training and validation of each run; epochs count from 1.
    assert [(trace["line"]["dash"], len(trace["x"])) for trace in loss] == [
        *(("dot", 2), ("solid", 2)),
        *(("dot", 1), ("solid", 1)),
    ]
    assert loss[0]["line"]["color"] == loss[1]["line"]["color"] != loss[2]["line"]["color"]
    table = find_table(shipped, "Run")
    assert table["Status"].to_dict() == {"First": "finished", "Second": "running"}
    assert table["Epochs"].to_dict() == {"First": "2 of 2", "Second": "1 of 5"}
    assert table.loc["First", ["Kept epoch", "Balanced accuracy", "Time (min)"]].tolist() == [2, 0.6, 3]


def test_short_runs_are_one_chart_of_differences_and_no_runs_of_their_own(
    shipped: AppTest, two_runs, monkeypatch
):
    write_run(two_runs / "ablation_classification", HEADER + ROWS, epochs=2)
    assert list(find_table(open_training(shipped, training_view="Runs"), "Run").index) == ["First", "Second"]
    found = [
        Ablation("Seed", "Other numbers.", 0.9, 0.004, -0.004, 0.012),
        Ablation("Wild", "Wild.", 0.85, -0.05, -0.058, -0.042),
    ]
    monkeypatch.setattr(ablations, "read_ablations", lambda task: found)
    shipped.get_by_key("training_view").set_value("Comparisons")
    run(shipped)
    [dots] = read_chart(shipped, "ablations")["data"]
    assert dots["x"] == [0.004, -0.05] and dots["marker"]["symbol"] == ["circle-open", "circle"]
    assert "Wild -0.050 (-0.058 to -0.042)" in read_alt(shipped, "ablations")


def test_without_short_runs_the_page_says_how_to_make_them(shipped: AppTest, two_runs, monkeypatch):
    monkeypatch.setattr(ablations, "read_ablations", lambda task: [])
    assert "make ablations" in read_text(open_training(shipped, training_view="Comparisons"))


def test_each_chart_has_words(shipped: AppTest, two_runs):
    open_training(shipped, training_view=VIEW)
    assert read_alt(shipped, "curve_loss") == (
        "Loss by epoch: First from 1.5 to 1.1 over 2 epochs; Second from 1.5 to 1.5 over 1 epoch."
    )
    assert "Balanced accuracy by epoch" in read_alt(shipped, "curve_val_balanced_accuracy")
    assert "Learning rate by epoch" in read_alt(shipped, "curve_learning_rate")


def test_no_two_runs_look_alike_when_colours_come_round(shipped: AppTest, runs_dir):
    names = [f"run{k}" for k in range(9)]
    for name in names:
        write_run(runs_dir / name, HEADER + ROWS, epochs=2)
    open_training(shipped, training_view=VIEW, classification_runs=[name.capitalize() for name in names])
    lines = read_chart(shipped, "curve_val_balanced_accuracy")["data"]
    looks = {(line["line"]["color"], line["marker"]["symbol"]) for line in lines}
    assert len(looks) == len(names)
    assert any("◇" in block.proto.body for block in shipped.get("html"))


def test_at_first_there_are_a_few_curves_the_longest_and_those_under_way(shipped: AppTest, runs_dir):
    for k in range(8):
        write_run(runs_dir / f"run{k}", HEADER + ROWS, epochs=2)
    write_run(runs_dir / "long", HEADER + ROWS + ROWS.replace("0,head", "2,all", 1), epochs=4)
    write_run(runs_dir / "new", "", epochs=5)
    chosen = open_training(shipped, training_view=VIEW).get_by_key("classification_runs").value
    assert {"long", "new"} <= {*chosen} and len(chosen) == runs.N_AT_FIRST + 1


def test_layers_that_were_unfrozen_are_marked_and_named(shipped: AppTest, two_runs):
    open_training(shipped, training_view=VIEW)
    layout = read_chart(shipped, "curve_learning_rate")["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [1.5]  # the second run has not got there
    assert [note["text"] for note in layout["annotations"]] == ["all"]
    assert "from epoch 1 “head”, from layer features on; from epoch 2 all layers" in read_text(shipped)


def test_only_differing_settings_and_each_command_are_shown(shipped: AppTest, two_runs):
    open_training(shipped, training_view=VIEW)
    assert find_table(shipped, "Setting").to_dict("index") == {
        "stages.all": {
            "First": "epochs 1, learning_rate 0.0005, frozen_until none",
            "Second": "epochs 4, learning_rate 0.0005, frozen_until none",
        },
        "seed": {"First": "1", "Second": "2"},
    }


def test_runs_and_score_come_from_the_address(shipped: AppTest, two_runs):
    open_training(
        shipped, training_view=VIEW, classification_runs=["Second"], classification_score="Macro AUC"
    )
    assert shipped.get_by_key("classification_runs").value == ["second"]
    assert "Macro AUC by epoch: Second" in read_alt(shipped, "curve_val_macro_auc")
    assert find_table(shipped, "Setting")["Second"]["focal_gamma"] == "1.5"  # one run: all settings


def test_runs_that_train_every_layer_share_a_line(shipped: AppTest, two_runs):
    config = json.loads((two_runs / "second" / "config.json").read_text())
    config["config"]["stages"] = [{"name": "all", "epochs": 5, "learning_rate": 0.001, "frozen_until": ""}]
    (two_runs / "second" / "config.json").write_text(json.dumps(config))
    open_training(shipped, training_view=VIEW)
    assert "**All others:** every layer from the first epoch on" in read_text(shipped)
    assert "**Second:**" not in read_text(shipped)


def test_choosing_no_run_says_what_to_do(shipped: AppTest, two_runs):
    open_training(shipped, training_view=VIEW)
    shipped.get_by_key("classification_runs").set_value([])
    run(shipped)
    assert "Choose at least one run" in read_text(shipped)
    assert len(find_table(shipped, "Run")) == 2


def test_a_run_under_way_is_followed(shipped: AppTest, two_runs):
    open_training(shipped, training_view=VIEW)
    assert "**Second** is running: 1 of 5 epochs done" in read_progress(shipped)
    write_run(two_runs / "second", HEADER + ROWS, epochs=5)
    run(shipped)
    assert "2 of 5 epochs done" in read_progress(shipped)
    assert len(read_chart(shipped, "curve_loss")["data"][2]["x"]) == 2


def test_a_training_in_the_work_folder_is_followed_too(shipped: AppTest, two_runs):
    write_run(two_runs / "work" / "segmenter_trial", HEADER + ROWS, epochs=9)
    table = find_table(open_training(shipped, training_view=VIEW), "Run")
    assert list(table.index) == ["First", "Second", "Segmenter trial"]


def test_a_run_without_a_finished_epoch_waits(shipped: AppTest, runs_dir):
    write_run(runs_dir / "new", "", epochs=3)
    open_training(shipped, training_view=VIEW)
    assert "curves begin with the first finished epoch" in read_progress(shipped)
    assert "No epoch has ended yet" in read_text(shipped)
    assert find_table(shipped, "Run")["Epochs"].tolist() == ["0 of 3"]


def test_half_written_histories_do_no_harm(shipped: AppTest, two_runs):
    open_training(shipped, training_view=VIEW)
    for text in ("", "epoch,sta", HEADER, HEADER + "0,head,0.0", "\x00\x01"):
        (two_runs / "second" / "history.csv").write_text(text)
        run(shipped)
        assert find_table(shipped, "Run")["Epochs"].to_dict() == {"First": "2 of 2", "Second": "0 of 5"}


def test_a_half_written_record_does_no_harm(shipped: AppTest, two_runs):
    (two_runs / "second" / "config.json").write_text('{"config": {"na')
    open_training(shipped, training_view=VIEW)
    assert find_table(shipped, "Run").loc["Second", "Epochs"] == "1 of ?"


def test_without_runs_the_page_says_how_to_get_one(shipped: AppTest, runs_dir):
    open_training(shipped, training_view=VIEW)
    assert "No runs" in read_text(shipped) and "make train" in read_text(shipped)


def test_what_was_compared_is_shown_with_the_choice_in_bold(shipped: AppTest, two_runs):
    (two_runs / "ham").mkdir()
    record = {
        "n_images": 7,
        "temperature": {"value": 0.5, "before": {"log_loss": 0.6}, "after": {"log_loss": 0.5}},
        "decisions": {"temperature": 0.5},
    }
    (two_runs / "ham" / "validation_choices.json").write_text(json.dumps(record))
    open_training(shipped, training_view="Comparisons")
    cells = read_tables(shipped)
    assert "**0.5000**" in cells and "0.6000" in cells and "**0.6000**" not in cells
    assert "On 7 images of the validation split" in read_text(shipped)
    assert "training/runs/ham/validation_choices.json" in read_text(shipped)


def test_the_runs_of_the_classic_systems_are_there(shipped: AppTest):
    open_training(shipped, training_view=VIEW, training_task="Segmentation")
    table = find_table(shipped, "Run")
    assert 0.5 < table.loc["U-Net, 256 px", "Dice"] < 0.9
    assert "training/runs/<run>/history.csv" in read_text(shipped)


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
    assert "lie clearly below the threshold" in read_alt(app, "learn_histogram")
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
    shipped.selectbox(key="augment_run").set_value("First")
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
    assert "γ in the runs: First 1.5, Second 1.5" in read_text(shipped)
    assert "from 0.0" in read_alt(shipped, "loss_disc")


# --- systems
def test_classic_systems_stand_side_by_side(app: AppTest, monkeypatch):
    interval = {"estimate": 0.7521, "low": 0.69, "high": 0.81}
    ours = SystemRecord(
        "Dual stage",
        "Outlines, then names.",
        "ham",
        "",
        {"balanced_accuracy": interval},
        12_000_000,
        27.0,
        400.0,
    )
    cnn = SystemRecord(
        "Binary CNN", "Says yes or no.", "bin", "cnn: Cut short to four epochs.", {}, 51_500_000, 103.0, 9.0
    )
    monkeypatch.setattr(systems, "read_systems", lambda: [ours, cnn])
    open_training(app, training_view="Systems")
    [table] = [frame.value for frame in app.dataframe if "System" in frame.value]
    assert list(table["System"]) == ["Dual stage", "Binary CNN"]
    assert table["Balanced accuracy"].iloc[0] == 0.7521 and table["Balanced accuracy"].isna().iloc[1]
    assert "0.690 to 0.810" in read_tables(app)
    text = read_text(app)
    assert "Outlines, then names. Ships in the bundle `ham`" in text
    assert "Says yes or no. Cut short to four epochs. Ships in the bundle `bin`." in text
    assert "not a medical device" in text


def test_without_a_record_the_systems_view_names_the_command(app: AppTest, monkeypatch):
    monkeypatch.setattr(systems, "read_systems", lambda: [])
    assert "make classic" in read_text(open_training(app, training_view="Systems"))


def test_the_files_for_phones_have_a_table_where_they_were_scored(app: AppTest, monkeypatch):
    system = SystemRecord("Ours", "Outlines, then names.", "ham", "", {}, 12_000_000, 27.0, 400.0)
    monkeypatch.setattr(systems, "read_systems", lambda: [system])
    monkeypatch.setattr(systems, "mobile_table", lambda fingerprint: pd.DataFrame())
    none = open_training(app, training_view="Systems")
    assert not [frame for frame in none.dataframe if "File" in frame.value]
    table = pd.DataFrame({"File": ["int8"], "MB": [6.2], "Answers changed": [0.02]})
    monkeypatch.setattr(systems, "mobile_table", lambda fingerprint: table)
    [shown] = [frame.value for frame in run(none).dataframe if "File" in frame.value]
    assert shown["MB"].tolist() == [6.2]
    assert "int8: more than 0.2% of the answers change" in read_text(none)
