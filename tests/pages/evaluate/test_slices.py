"""Slices: scores by fact, with their warnings."""

from core.systems.evaluations import list_evaluations
from tests.core.tables import make_table
from tests.pages.driver import keys, read_text
from tests.pages.evaluate.evaluation import choose, open_view, read_chart, read_frame

CLASSES = ("bkl", "mel", "nv")


def test_shipped_run_is_sliced_by_every_recorded_fact():
    assert list_evaluations()
    app = open_view("Slices")
    text = read_text(app)
    assert "does not record skin tone" in text  # HAM10000
    assert "Not possible" not in text
    options = app.get_by_key("slice").options
    assert options[:5] == ["Age", "Sex", "Body site", "Way of confirmation", "Image quality"]
    assert {"all images", "0–29", "30–44", "45–59", "60–74", "75 and over"} <= set(read_frame(app)["Age"])
    assert "download_slices" in keys(app.download_button)


def test_slice_shows_its_score_counts_and_warning():
    # 31 women, all right; one man, wrong.
    table = make_table(
        [("nv", "nv", 0.9)] * 31 + [("nv", "bkl", 0.9)], CLASSES, sex=["female"] * 31 + ["male"]
    )
    app = open_view("Slices", table)
    choose(app, "slice", "sex")
    choose(app, "score", "accuracy")
    rows = {row["Sex"]: row for row in read_frame(app).to_dict("records")}
    assert rows["female"]["Accuracy"] == "1.000 (1.000 to 1.000)"
    assert rows["female"]["Remark"] == ""
    assert rows["male"]["Accuracy"] == "0.000"
    assert rows["male"]["Remark"] == "⚠ fewer than 30 lesions"
    assert (rows["all images"]["Images"], rows["all images"]["Lesions"]) == ("32", "32")
    [dots] = read_chart(app, "slices")["data"]
    assert dots["marker"]["symbol"] == ["circle", "circle", "circle-open"]
    assert "fewer than 30 lesions" in read_text(app)


def test_undefined_score_of_a_slice_is_a_dash():
    table = make_table([("mel", "mel", 0.9), ("nv", "nv", 0.9)], CLASSES, sex=["female", "male"])
    app = open_view("Slices", table)
    choose(app, "slice", "sex")
    choose(app, "score", "recall_mel")
    rows = {row["Sex"]: row for row in read_frame(app).to_dict("records")}
    assert (rows["male"]["Melanoma recall"], rows["male"]["Images"]) == ("–", "0")


def test_slices_that_the_file_cannot_have_are_named():
    app = open_view("Slices", make_table([("nv", "nv", 0.9), ("mel", "mel", 0.9)], CLASSES, age=[40, 50]))
    assert app.get_by_key("slice").options == ["Age"]
    text = read_text(app)
    assert "Not possible with this file: slices by sex (column `sex`)" in text
    assert "image quality (column `warnings`)" in text


def test_file_without_any_fact_draws_no_chart():
    app = open_view("Slices", make_table([("nv", "nv", 0.9)], CLASSES))
    assert "Not possible with this file" in read_text(app)
    assert not app.dataframe


def test_groups_by_skin_tone_stand_worst_first_with_gaps():
    answers = [("mel", "mel", 0.9), ("nv", "nv", 0.9)] * 30 + [("mel", "nv", 0.9), ("nv", "nv", 0.9)] * 30
    app = open_view("Slices", make_table(answers, CLASSES, skin_tone_class=["5"] * 60 + ["0"] * 60))
    assert app.get_by_key("slice").value == "skin_tone"
    [groups] = [table.value for table in app.dataframe if "False alarms" in table.value]
    assert groups["Skin tone"].tolist() == ["0 (very dark)", "5 (very light)"]
    assert groups["Sensitivity for malignancy"].tolist() == ["0.00 (0.00 to 0.00)", "1.00 (1.00 to 1.00)"]
    text = read_text(app)
    assert "0 (very dark) is behind 5 (very light) by 1.00" in text and "leaves out zero" in text
    assert "does not record skin tone" not in text


def test_groups_of_two_facts_are_tabled_and_small_ones_named():
    answers = [("mel", "mel", 0.9), ("nv", "nv", 0.9)] * 40
    facts = {"sex": (["female"] * 38 + ["male"] * 2) * 2, "age": [50] * 40 + [70] * 40}
    app = open_view("Slices", make_table(answers, CLASSES, **facts))
    choose(app, "slice", "sex")
    choose(app, "crossed", "age")
    [groups] = [table.value for table in app.dataframe if "False alarms" in table.value]
    assert set(groups["Sex × age"]) == {"female × 45–59", "female × 60–74"}
    text = read_text(app)
    assert "fewer than 30 lesions, count in brackets" in text and "male × 45–59 (2)" in text
    # The first fact cannot be crossed with itself.
    choose(app, "slice", "age")
    assert app.get_by_key("crossed").value is None and "Sex" in app.get_by_key("crossed").options


def test_found_and_recorded_structures_can_be_sliced_by():
    answers = [("mel", "mel", 0.9), ("mel", "nv", 0.9)] * 2
    table = make_table(answers, CLASSES, structure_pigment_network=[0.9, 0.2, 0.8, 0.1], streaks=[0, 1, 0, 1])
    app = open_view("Slices", table)
    assert app.get_by_key("slice").options == ["Pigment network (found)", "Streaks (experts)"]
    choose(app, "slice", "structure_pigment_network")
    choose(app, "score", "recall_mel")
    rows = {row["Pigment network (found)"]: row for row in read_frame(app).to_dict("records")}
    assert rows["unlikely"]["Melanoma recall"].startswith("0.000")
    assert "probability of at least 50 %" in read_text(app)
