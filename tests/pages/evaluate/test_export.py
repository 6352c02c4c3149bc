"""The report and the tables that leave the app, read back."""

import csv
import io
import re

import pandas as pd
import pytest

from core.evaluation.predictions import from_frame
from pages.components.evaluate.context import Context
from pages.components.evaluate.export import file_stem, predictions_csv
from pages.components.evaluate.report import build_report


@pytest.fixture(scope="module")
def context() -> Context:
    """Eight images of four lesions, two classes, six of them right; one unlabelled image."""
    frame = pd.DataFrame(
        {
            "image_id": ["=cmd()", *"bcdefghi"],
            "lesion_id": list("AABBCCDDE"),
            "dx": ["mel", "mel", "mel", "mel", "nv", "nv", "nv", "nv", None],
            "sex": ["female", "male"] * 4 + ["male"],
            "dice": [0.9] * 8 + [0.5],
            "jaccard": [0.8] * 8 + [0.4],
            "p_mel": [0.9, 0.8, 0.7, 0.2, 0.1, 0.2, 0.3, 0.8, 0.5],
        }
    )
    frame["p_nv"] = 1 - frame["p_mel"]
    return Context("a <b> run", "key of this test", from_frame(frame), 0.5)


@pytest.fixture(scope="module")
def report(context: Context) -> str:
    return build_report(context)


def table_after(report: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading."""
    part = report.split(f"<h2>{heading}</h2>")[1]
    rows = re.findall(r"<tr>(.*?)</tr>", part.split("</table>")[0])
    return [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in rows]


def test_the_report_holds_the_scores_of_the_labelled_images(report: str):
    assert "8 labelled images of 4 lesions" in report
    scores = {row[0]: row[1] for row in table_after(report, "Scores")[1:]}
    assert scores["Accuracy"].startswith("0.750 (")  # 6 of 8
    assert scores["Balanced accuracy"].startswith("0.750 (")  # 3 of 4 in both classes
    by_class = {row[0]: row for row in table_after(report, "By class")[1:]}
    assert by_class["mel"][1] == "4"


def test_the_report_lists_groups_and_masks(report: str):
    assert [row[0] for row in table_after(report, "Lesion masks")[1:]][:2] == ["Dice", "Jaccard"]
    assert ">female<" in report and ">male<" in report
    assert "does not record skin tone" in report


def test_the_report_needs_no_network_and_says_what_it_is_not(report: str):
    assert "not a medical device" in report
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.http", report)
    assert report.count("Plotly.newPlot") >= 4


def test_names_from_outside_are_escaped(report: str):
    assert "a &lt;b&gt; run" in report
    assert "<b> run" not in report


def test_the_predictions_leave_without_formulas_and_numbers_as_they_were(context: Context):
    rows = list(csv.DictReader(io.StringIO(predictions_csv(context))))
    assert rows[0]["image_id"] == "'=cmd()"
    assert [float(row["p_mel"]) for row in rows] == context.predictions.frame["p_mel"].tolist()
    assert len(rows) == 9


def test_a_name_without_letters_still_gives_a_file():
    assert file_stem("···") == "evaluation"
