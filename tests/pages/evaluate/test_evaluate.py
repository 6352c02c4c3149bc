"""Evaluate: what to evaluate, and the views on it."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.evaluation import metrics
from core.evaluation.predictions import from_frame
from core.systems.evaluations import list_evaluations
from pages.components.evaluate import scores
from pages.components.evaluate.source import FILE, list_shipped
from pages.components.shared.notices import escape
from tests.pages.conftest import open_app
from tests.pages.driver import EVALUATE, keys, read_text, run, visit
from tests.pages.evaluate.evaluation import choose, open_view, read_chart

CODES = ("bkl", "mel", "nv")


def make_frame(n: int = 60) -> pd.DataFrame:
    """Images of three classes with probabilities that lean towards the truth."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    shares = rng.dirichlet(np.ones(3), size=n) + 0.8 * np.eye(3)[labels]
    shares /= shares.sum(axis=1, keepdims=True)
    facts = {"image_id": [f"case{k}" for k in range(n)], "dx": np.array(CODES, object)[labels]}
    return pd.DataFrame(facts | {f"p_{code}": shares[:, k] for k, code in enumerate(CODES)})


@pytest.fixture
def page(fake_networks) -> AppTest:
    """Evaluate, opened on what ships."""
    return visit(open_app(), EVALUATE)


def upload_csv(page: AppTest, data: bytes | pd.DataFrame, name: str = "mine.csv") -> AppTest:
    """Evaluate a predictions file."""
    if isinstance(data, pd.DataFrame):
        data = data.to_csv(index=False).encode()
    page.segmented_control(key="source").set_value(FILE)
    run(page)
    page.file_uploader(key="predictions_file").set_value([(name, data, "text/csv")])
    return run(page)


def show(page: AppTest, view: str) -> AppTest:
    """Switch the view."""
    page.segmented_control(key="show").set_value(view)
    return run(page)


def metric(page: AppTest, label: str) -> str:
    """The value of the first tile with this label."""
    return next(tile.value for tile in page.metric if tile.label == label)


def click(page: AppTest, chart: str, customdata: list) -> AppTest:
    """What the browser sends for a click on a point."""
    page.session_state[chart] = {"selection": {"points": [{"customdata": customdata}]}}
    return run(page)


def read_numbers(values: list | dict) -> list:
    """Numbers of a chart's specification, which packs arrays."""
    if isinstance(values, list):
        return values
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()


def page_recall(code: str) -> float:
    """Recall of a class in the run that opens first."""
    predictions = list_evaluations()[0].read_predictions()
    among = predictions.labels == predictions.classes.index(code)
    return float((predictions.predicted[among] == predictions.labels[among]).mean())


# --- what to evaluate


def test_page_opens_on_a_shipped_test_split(page: AppTest):
    evaluation = list_evaluations()[0]
    predictions = evaluation.read_predictions()
    assert page.title[0].value == "Evaluate"
    assert page.selectbox(key="run").value == f"{evaluation.run}/{evaluation.split}"
    text = read_text(page)
    assert f"{len(predictions):,} images" in text and "Not a medical device" in text
    expected = metrics.balanced_accuracy(predictions.labels, predictions.probabilities)
    assert metric(page, "Balanced accuracy") == f"{expected:.3f}"


def test_another_run_can_be_chosen(page: AppTest):
    box = page.selectbox(key="run")
    other = box.options[-1]
    box.set_value(other)
    assert escape(other.replace("/", " · ")) in read_text(run(page))


def test_uploaded_predictions_are_evaluated_and_kept_across_pages(page: AppTest):
    upload_csv(page, make_frame())
    assert "60 images" in read_text(page)
    visit(page, "pages/about.py")
    assert "60 images" in read_text(visit(page, EVALUATE))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,2\n", "image_id"),
        (b"image_id,p_mel,p_nv\nx,3,4\n", "sum to 1"),
        (b"\xff\xfe\x00broken", "no readable CSV"),
    ],
)
def test_unusable_file_is_refused_with_a_message_and_the_next_one_works(page: AppTest, data, message):
    upload_csv(page, data, "bad_[1].csv")
    assert message in page.error[0].value
    assert page.error[0].proto.title == r"bad\_\[1\].csv cannot be used"
    page.file_uploader(key="predictions_file").set_value(
        [("good.csv", make_frame().to_csv(index=False).encode(), "text/csv")]
    )
    assert "60 images" in read_text(run(page)) and not page.error


def test_what_was_left_out_of_a_file_is_said(page: AppTest):
    data = make_frame().assign(dx=["scc", *make_frame()["dx"][1:]]).to_csv(index=False).encode()
    upload_csv(page, data + data.split(b"\n")[1] + b"\n", "twice.csv")
    said = page.warning[0].value.replace("\\", "")
    assert "identical rows, counted once: 1" in said and "scc (1)" in said


def test_unlabelled_predictions_show_only_their_distribution(page: AppTest):
    frame = make_frame().drop(columns="dx")
    upload_csv(page, frame)
    text = read_text(page)
    assert "Labels are needed" in text and "show" not in keys(page.segmented_control)
    counts = np.bincount(from_frame(frame).predicted, minlength=3)
    [bars] = read_chart(page, "predicted_classes")["data"]
    assert bars["text"] == [str(count) for count in counts]


def test_partly_labelled_predictions_say_what_is_left_out(page: AppTest):
    frame = make_frame()
    frame.loc[:9, "dx"] = None
    assert "10 of 60 images have no label" in read_text(upload_csv(page, frame))


def test_single_row_is_scored_without_intervals(page: AppTest):
    upload_csv(page, make_frame().head(1))
    assert metric(page, "Macro AUC") == "–"
    for view in ("Confusion", "Curves"):
        show(page, view)
    assert "one of the two is missing" in read_text(page)


# --- overview


def test_overview_shows_classes_and_masks(page: AppTest):
    [classes] = [table.value for table in page.dataframe if "Recall" in table.value]
    assert classes["Class"].tolist()[4] == "Melanoma"
    recall = page_recall("mel")
    assert classes["Recall"].tolist()[4].startswith(f"{recall:.2f} (")
    assert metric(page, "Dice") > "0.8"
    jaccard = read_chart(page, "histogram_jaccard")["data"][0]
    frame = list_evaluations()[0].read_predictions().frame
    assert sum(read_numbers(jaccard["y"])) == frame["jaccard"].notna().sum()


def test_small_pictures_of_the_overview_open_their_views(page: AppTest):
    matrix = read_chart(page, "glance_Confusion")["data"][0]
    assert len(read_numbers(matrix["z"])) == 7 * 7
    page.button(key="door_Calibration").click()
    run(page)
    assert page.get_by_key("show").value == "Calibration"
    assert page.get_by_key("reliability")


def test_published_scores_stand_beside_those_of_the_same_classes_only(page: AppTest):
    [table] = [table.value for table in page.dataframe if "Comparable?" in table.value]
    assert table["Who"].iloc[0] == "These predictions" and len(table) == 6
    upload_csv(page, make_frame())
    assert not [one for one in page.dataframe if "Comparable?" in one.value]


def test_scores_csv_reads_back_and_is_harmless():
    rows = [{"name": "=cmd()", "score": -0.5, "low": float("nan")}]
    [row] = pd.read_csv(io.StringIO(scores.to_csv(rows))).to_dict("records")
    assert row["name"] == "'=cmd()" and row["score"] == -0.5 and np.isnan(row["low"])


# --- confusion


def test_clicked_cell_opens_its_images_until_the_chip_is_removed(page: AppTest):
    frame = make_frame()
    upload_csv(page, frame)
    show(page, "Confusion")
    predictions = from_frame(frame)
    matrix = metrics.confusion_matrix(predictions.labels, predictions.predicted, 3)
    row, column = np.unravel_index((matrix * ~np.eye(3, dtype=bool)).argmax(), (3, 3))
    names = ["Benign keratosis", "Melanoma", "Melanocytic nevus"]
    click(page, "confusion_chart_0", [names[row], names[column]])
    chip = page.button(key="clear_cell")
    assert f"true {names[row]} → predicted {names[column]}, {matrix[row, column]}" in chip.label
    opening = [button for button in page.button if button.key.startswith("confusion_cases_open")]
    assert len(opening) == matrix[row, column]
    chip.click()
    run(page)
    assert "clear_cell" not in keys(page.button)
    assert page.selectbox(key="true").value is None


def test_cell_can_be_chosen_without_a_mouse(page: AppTest):
    show(upload_csv(page, make_frame()), "Confusion")
    page.selectbox(key="true").set_value("Melanoma")
    run(page)
    assert "true Melanoma → predicted any, 20 images" in page.button(key="clear_cell").label


def test_two_by_two_follows_its_threshold(page: AppTest):
    frame = make_frame()
    show(upload_csv(page, frame), "Confusion")
    page.segmented_control(key="matrix").set_value("Malignant or benign")
    run(page)
    page.slider(key="suspicious_from").set_value(0.6)
    run(page)
    cells = read_chart(page, "confusion_chart_0")["data"][1]
    called = frame["p_mel"] >= 0.6
    is_melanoma = frame["dx"] == "mel"
    expected = [
        (is_melanoma & called).sum(),
        (is_melanoma & ~called).sum(),
        (~is_melanoma & called).sum(),
        (~is_melanoma & ~called).sum(),
    ]
    assert [int(text or 0) for text in cells["text"]] == expected


def test_row_percentages_instead_of_counts(page: AppTest):
    show(upload_csv(page, make_frame()), "Confusion")
    page.segmented_control(key="unit").set_value("Row percentages")
    run(page)
    texts = read_chart(page, "confusion_chart_0")["data"][1]["text"]
    assert all(text.endswith("%") for text in texts if text)


# --- curves


def test_clicked_point_sets_the_operating_point_everywhere(page: AppTest):
    frame = make_frame()
    show(upload_csv(page, frame), "Curves")
    threshold = float(frame["p_nv"].iloc[2])
    click(page, "roc_0", ["nv", threshold])
    assert page.selectbox(key="target").value == "Melanocytic nevus"
    assert page.slider(key="threshold").value == threshold
    called, nevus = frame["p_nv"] >= threshold, frame["dx"] == "nv"
    cells = page.table[0].value.to_numpy().tolist()
    assert [int(cell) for cell in cells[0][-3:]] == [(nevus & called).sum(), (nevus & ~called).sum(), 20]
    sensitivity = (nevus & called).sum() / nevus.sum()
    assert metric(page, "Sensitivity") == f"{sensitivity:.3f}"


def test_slider_does_the_same_as_a_click(page: AppTest):
    show(upload_csv(page, make_frame()), "Curves")
    page.slider(key="threshold").set_value(0.0)
    run(page)
    assert metric(page, "Sensitivity") == "1.000" and metric(page, "Specificity") == "0.000"


def test_prevalence_changes_predictive_values_only(page: AppTest):
    show(upload_csv(page, make_frame()), "Curves")
    before = {label: metric(page, label) for label in ("Sensitivity", "PPV", "Missed")}
    page.slider(key="prevalence").set_value(1.0)
    run(page)
    assert metric(page, "Sensitivity") == before["Sensitivity"]
    assert float(metric(page, "PPV")) < float(before["PPV"])
    assert float(metric(page, "Missed")) <= float(before["Missed"])


def test_another_target_starts_at_its_own_threshold(page: AppTest):
    show(upload_csv(page, make_frame()), "Curves")
    assert page.slider(key="threshold").value == 0.3  # stated by the stand-in bundle
    page.selectbox(key="target").set_value("Melanoma")
    run(page)
    assert page.slider(key="threshold").value == 0.5


def test_areas_are_listed_for_classes_averages_and_suspicious(page: AppTest):
    show(page, "Curves")
    [areas] = [table.value for table in page.dataframe if "AUC" in table.value]
    named = areas["Positive class"].tolist()
    assert {"Malignant", "Melanoma", "Micro average", "Macro average"} <= set(named)
    assert all(" to " in text for text in areas["AUC"])


def test_every_shipped_system_operates_at_its_own_threshold():
    shipped = list_shipped()
    app = open_view("Curves")
    thresholds = set()
    names = [name for name, (system, one) in shipped.items() if system.manifest and one.split == "test"]
    for name in names:
        choose(app, "run", name)
        stored = shipped[name][1].read_scores()["suspicious_at_threshold"]
        shown = {metric.label: metric.value for metric in app.metric}
        assert shown["Specificity"] == f"{stored['specificity']['estimate']:.3f}"
        assert shown["Sensitivity"] == f"{stored['sensitivity']['estimate']:.3f}"
        thresholds.add(app.slider(key="threshold").value)
    assert len(thresholds) == len(names) > 1
