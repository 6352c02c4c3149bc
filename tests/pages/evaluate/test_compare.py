"""Compare: the second run, the differences and who is right where."""

from core.evaluation.predictions import Predictions, from_frame
from core.systems.evaluations import list_evaluations
from pages.components.evaluate.source import list_shipped, shipped_label
from tests.core.tables import make_table
from tests.pages.driver import keys, read_text, run
from tests.pages.evaluate.evaluation import choose, open_view, read_frame, to_csv

CLASSES = ("bkl", "mel", "nv")
FIRST = make_table([("nv", "nv", 0.8)] * 3 + [("mel", "mel", 0.8), ("mel", "nv", 0.8)], CLASSES)
# Right where the first is wrong (image_4), wrong on image_0 and image_1.
SECOND = make_table(
    [("nv", "bkl", 0.7), ("nv", "bkl", 0.9), ("nv", "nv", 0.8), ("mel", "mel", 0.8), ("mel", "mel", 0.8)],
    CLASSES,
)
FILE = "a predictions file …"


def compare(first: Predictions, second: Predictions | bytes):
    app = open_view("Compare", first)
    data = second if isinstance(second, bytes) else to_csv(second)
    app.file_uploader(key="second_file").set_value(("second.csv", data, "text/csv"))
    return run(app)


def cards(app) -> list[str]:
    prefix = "joined_open_"
    return [button.key.removeprefix(prefix) for button in app.button if button.key.startswith(prefix)]


def test_file_that_shares_no_image_with_a_shipped_run_asks_for_another():
    app = open_view("Compare", FIRST)
    assert "No other run has predictions of these images" in read_text(app)
    assert app.get_by_key("against").options == [FILE]
    assert not app.dataframe


def test_scores_stand_side_by_side_with_their_difference():
    app = compare(FIRST, SECOND)
    rows = {row["Score"]: row for row in read_frame(app).to_dict("records")}
    # 4 and 3 of 5 right.
    assert (rows["Accuracy"]["First"], rows["Accuracy"]["Second"]) == ("0.800", "0.600")
    assert rows["Accuracy"]["Difference"].startswith("-0.200 (")
    # 1 and 2 of 2 melanomas found.
    assert rows["Melanoma recall"]["Difference"].startswith("0.500")
    assert "Log-loss (lower is better)" in rows
    assert "5 images in common" in read_text(app)
    assert "download_comparison" in keys(app.download_button)


def test_images_that_only_one_gets_right_are_counted_tested_and_shown():
    app = compare(FIRST, SECOND)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Only the first is right: images"] == "2"
    assert shown["Only the second is right: images"] == "1"
    assert shown["McNemar's test"] == "p = 1.000"  # 2 against 1: 2 * (C(3,0) + C(3,1)) / 8 = 1


def test_images_are_joined_and_sorted_by_what_changed():
    app = compare(FIRST, SECOND)
    assert "The answer changed for **3** of 5 images (60.0%): 2 right → wrong, 1 wrong → right" in read_text(
        app
    )
    # Total variation: image_1 0.8 - 0.05, image_0 0.8 - 0.15, image_4 0.8 - 0.1.
    assert cards(app) == ["1", "4", "0"]
    choose(app, "change_order", "rise")
    assert cards(app)[0] == "4"  # melanoma from 0.1 to 0.8
    choose(app, "only", "right → wrong")
    assert sorted(cards(app)) == ["0", "1"]
    choose(app, "only", "same answer")
    assert sorted(cards(app)) == ["2", "3"]


def test_a_file_of_fewer_classes_is_compared_on_those_that_both_know():
    fewer = make_table([("nv", "nv", 0.8)] * 3 + [("mel", "mel", 0.8)] * 2, ("mel", "nv"))
    text = read_text(compare(FIRST, fewer))
    assert "Only one of the two knows these classes" in text and "Benign keratosis" in text
    assert "5 images in common" in text


def test_same_predictions_say_so_and_show_zeros():
    app = compare(FIRST, FIRST)
    assert "only masks can differ" in read_text(app)
    assert set(read_frame(app)["Difference"]) == {"0.000 (0.000 to 0.000)"}
    assert {metric.label: metric.value for metric in app.metric}["McNemar's test"] == "–"


def test_unreadable_or_unrelated_file_is_explained():
    assert "second.csv cannot be used" in read_text(compare(FIRST, b"no,probabilities\n1,2\n"))
    other = make_table([("nv", "nv", 0.8)], CLASSES, image_id=["elsewhere"])
    assert "no image in common" in read_text(compare(FIRST, other))


def test_contradicting_truths_are_counted():
    contradicting = from_frame(SECOND.frame.assign(dx=["bkl", "nv", "nv", "mel", "mel"]))
    text = read_text(compare(FIRST, contradicting))
    assert "4 images in common" in text
    assert "name different true classes: 1." in text


def test_shipped_run_is_compared_with_one_view_of_itself():
    assert list_evaluations()
    app = open_view("Compare")
    assert app.get_by_key("against").value == "the same, one view instead of eight"
    scores = set(read_frame(app)["Score"])
    assert {"Balanced accuracy", "Macro AUC", "Sensitivity for malignancy"} <= scores
    assert "Dice" not in scores  # the masks are the same
    assert shipped_label(*list_shipped()["unet256_efficientnet/test"]) in app.get_by_key("against").options


def test_shipped_systems_are_compared_each_at_its_own_threshold():
    shipped = list_shipped()
    app = choose(open_view("Compare"), "against", "unet256_efficientnet/test")
    rows = {row["Score"]: row for row in read_frame(app).to_dict("records")}
    for name, column in (("ham10000/test", "First"), ("unet256_efficientnet/test", "Second")):
        stored = shipped[name][1].read_scores()["suspicious_at_threshold"]["specificity"]["estimate"]
        assert rows["Specificity for malignancy"][column] == f"{stored:.3f}"
