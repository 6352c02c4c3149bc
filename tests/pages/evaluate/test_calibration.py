"""Calibration: what the view shows of shipped and of uploaded predictions."""

import pandas as pd
import pytest

from core.evaluation.metrics import expected_calibration_error
from core.evaluation.predictions import from_frame
from core.systems.evaluations import list_evaluations
from tests.core.tables import make_table
from tests.pages.driver import keys, read_text
from tests.pages.evaluate.evaluation import choose, open_view, read_chart, read_frame

CLASSES = ("bkl", "mel", "nv")


def test_shipped_run_shows_its_calibration_error_and_table():
    shipped = list_evaluations()[0].read_predictions()
    app = open_view("Calibration")
    error = expected_calibration_error(shipped.labels, shipped.probabilities)
    assert f"{error:.3f}" in [metric.value for metric in app.metric]
    counts = read_frame(app)["Images"].str.replace(",", "").astype(int)
    assert counts.sum() == len(shipped)
    assert "download_calibration" in keys(app.download_button)


def test_file_without_uncalibrated_columns_says_so_and_draws_one_curve():
    app = open_view("Calibration", make_table([("mel", "mel", 0.8), ("nv", "mel", 0.8)], CLASSES))
    assert "no probabilities before temperature" in read_text(app)
    assert [metric.label for metric in app.metric] == ["Calibration error, after temperature"]
    # Both images were given 0.8 and one came true.
    assert app.metric[0].value == "0.300"
    assert read_frame(app).to_numpy().tolist()[0][:3] == ["73% to 80%", "2", "0.80"]
    assert read_frame(app)["Observed frequency"].iloc[0].startswith("0.50")


@pytest.fixture
def before_and_after() -> pd.DataFrame:
    """Two images at 0.8, at 0.95 before temperature; one of them right."""
    frame = make_table([("mel", "mel", 0.8), ("nv", "mel", 0.8)], CLASSES).frame
    return frame.assign(raw_bkl=0.025, raw_mel=0.95, raw_nv=0.025)


def test_both_curves_are_drawn_where_the_file_has_both(before_and_after):
    app = open_view("Calibration", from_frame(before_and_after))
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown == {
        "Calibration error, before temperature": "0.450",
        "Calibration error, after temperature": "0.300",
    }
    names = [trace.get("name") for trace in read_chart(app, "reliability")["data"]]
    assert {"before temperature", "after temperature", "perfect"} <= set(names)
    assert "no probabilities before temperature" not in read_text(app)


def test_one_class_and_the_number_of_bins_can_be_chosen():
    # Melanoma was given 0.8 twice, 0.1 once (the others share 0.2); it came true once, at 0.8.
    app = open_view(
        "Calibration",
        make_table([("mel", "mel", 0.8), ("nv", "mel", 0.8), ("nv", "nv", 0.8)], CLASSES),
    )
    choose(app, "calibrated", "mel")
    choose(app, "bins", 5)
    table = read_frame(app)
    assert table["Predicted"].tolist() == ["0% to 20%", "60% to 80%"]
    assert table["Images"].tolist() == ["1", "2"]
    # (0.1 * 1 + |0.8 - 0.5| * 2) / 3
    assert app.metric[0].value == f"{0.7 / 3:.3f}"
    alt = app.get_by_key("reliability").proto.alt
    assert "Melanoma" in alt
