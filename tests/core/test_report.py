"""What an analysis looks like as a row, a record and a picture."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.images.drawing import blend_heatmap, draw_outlines, draw_overlay, encode_png
from core.images.reading import read_image
from core.report import (
    NOTICE,
    analysis_record,
    analysis_row,
    csv_columns,
    error_row,
    prediction_row,
    rows_to_csv,
    warning_codes,
)
from core.settings import AnalysisSettings
from core.tables.writing import harmless, to_json_types
from core.taxonomy import HAM10000_CLASSES


@pytest.fixture(scope="module")
def analysis(analyzer, phantom, tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "ISIC_1.png"
    path.write_bytes(encode_png(phantom.image))
    return analyzer.analyze(path)


def read_table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# --- the table


def test_columns_are_exactly_those_documented():
    assert csv_columns(("mel", "nv")) == [
        *("image", "path", "mel", "nv", "prediction", "suspicious_probability"),
        *("lesion_area_fraction", "warnings", "error", "conformal_set", "novelty", "balanced_prediction"),
    ]


def test_row_holds_the_answer_and_its_probabilities_sum_to_one(analysis):
    text = rows_to_csv([analysis_row(analysis)], HAM10000_CLASSES)
    assert text.splitlines()[0] == (
        "image,path,akiec,bcc,bkl,df,mel,nv,vasc,prediction,suspicious_probability,lesion_area_fraction,warnings,error,"
        "conformal_set,novelty,balanced_prediction"
    )
    [row] = read_table(text)
    assert row["image"] == "ISIC_1" and row["error"] == ""
    probabilities = {code: float(row[code]) for code in HAM10000_CLASSES}
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert row["prediction"] == max(probabilities, key=probabilities.get)
    suspicious = sum(probabilities[code] for code in ("akiec", "bcc", "mel"))
    assert float(row["suspicious_probability"]) == pytest.approx(suspicious, abs=1e-6)
    assert float(row["lesion_area_fraction"]) == pytest.approx(analysis.lesion_area_fraction, abs=1e-6)


def test_the_image_can_be_named_otherwise(analysis):
    assert analysis_row(analysis, "ISIC_1_2")["image"] == "ISIC_1_2"


def test_a_refused_image_keeps_its_row():
    [row] = read_table(rows_to_csv([error_row("bad", "damaged, cut", HAM10000_CLASSES)], HAM10000_CLASSES))
    assert row.pop("image") == "bad" and row.pop("error") == "damaged, cut"
    assert set(row.values()) == {""}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\n1", " \n @A1", "\uff1d1"]
)
def test_cells_that_a_spreadsheet_would_run_are_made_harmless(text):
    [row] = read_table(rows_to_csv([error_row(text, text, ("mel",))], ("mel",)))
    assert row["image"] == row["error"] == "'" + text.replace("\r", " ")


def test_line_breaks_in_a_name_do_not_break_the_table():
    [row] = read_table(rows_to_csv([error_row("a\r\nb", "", ("mel",))], ("mel",)))
    assert row["image"] == "a \nb"


@pytest.mark.parametrize("value", ["mel", "", "a=1", -0.5, 3, None])
def test_other_cells_stay_as_they_are(value):
    assert harmless(value) is value


def test_warnings_name_quality_findings_and_a_missing_lesion(analyzer):
    dark = analyzer.analyze(np.full((100, 200, 3), (212, 164, 172), np.uint8))
    assert warning_codes(dark) == [finding.code for finding in dark.quality.findings] + ["no_lesion_found"]
    assert "low_resolution" in analysis_row(dark)["warnings"].split("; ")


def test_a_clean_analysis_has_no_warnings(analysis):
    assert warning_codes(analysis) == []


def row_values(row: dict, prefix: str) -> np.ndarray:
    return np.array([row[f"{prefix}_{code}"] for code in HAM10000_CLASSES])


def test_prediction_row_has_eight_views_one_view_and_no_temperature(analysis):
    row, answer = prediction_row(analysis), analysis.classification
    views = answer.view_probabilities
    assert len(views) == 16  # eight of the whole image, then eight of the crop
    np.testing.assert_allclose(row_values(row, "p"), views.mean(axis=0))
    np.testing.assert_allclose(row_values(row, "p1"), (views[0] + views[8]) / 2)
    np.testing.assert_allclose(row_values(row, "raw"), views.mean(axis=0))  # the stand-in's temperature is 1
    warm = prediction_row(replace(analysis, manifest=replace(analysis.manifest, temperature=2.0)))
    squared = views**2 / (views**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(row_values(warm, "raw"), squared.mean(axis=0))
    assert row["prediction"] == answer.prediction and row["agreement"] == answer.agreement


def test_prediction_row_without_augmentation_has_both_windows_in_its_one_view(analyzer, phantom):
    single = analyzer.analyze(phantom.image, AnalysisSettings(test_time_augmentation=False))
    assert len(single.classification.view_probabilities) == 2
    row = prediction_row(single)
    np.testing.assert_allclose(row_values(row, "p1"), row_values(row, "p"))


def test_record_and_analysis_hold_ranges_where_the_bundle_states_a_band(analyzer, analysis):
    assert analysis.measure_plausible() == () and analysis_record(analysis)["lesion"]["plausible"] is None
    entry = {"low": 0.1, "high": 0.9, "share": 0.8, "origin": "drawn"}
    segmenter = replace(analysis.manifest.segmenter, record={"outline_band": entry})
    banded = replace(analysis, manifest=replace(analysis.manifest, segmenter=segmenter))
    tight, wide = banded.plausible_masks
    assert 0 < tight.mean() < analysis.lesion_area_fraction < wide.mean()
    plausible = analysis_record(banded)["lesion"]["plausible"]
    low, high = plausible["area_share"]
    assert low < analysis.lesion_area_fraction < high and plausible["mask_thresholds"] == [0.1, 0.9]
    # The answer with the widest outline has its own crop of the same picture.
    answer = analyzer.classify_with(banded, wide)
    assert answer.boxes[1].width_px / wide.shape[1] > analysis.classification.boxes[1].width_px / 200


def test_prediction_row_says_what_the_picture_is_like(analysis):
    row = prediction_row(analysis)
    assert row["brightness"] == analysis.quality.mean_luminance and row["sharpness"] > 0
    assert row["redness"] > 5 and row["novelty"] == analysis.novelty  # skin is reddish


# --- the record


def test_record_is_strict_json_and_comes_back_equal(analysis):
    record = analysis_record(analysis)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["notice"] == NOTICE
    assert (record["image"]["width_px"], record["image"]["height_px"]) == (200, 150)
    assert record["image"]["sha256"] == analysis.image.sha256
    assert record["probabilities"][0]["code"] == record["prediction"]
    assert record["views"]["count"] == 16
    assert len(record["lesion"]["contour_xy_px"]) == len(analysis.lesion.contour)
    assert record["bundle"]["fingerprint"] == analysis.manifest.fingerprint


def test_undefined_numbers_become_null(analyzer, phantom):
    analysis = analyzer.analyze(phantom.image, AnalysisSettings(test_time_augmentation=False))
    answer = analysis.classification
    one_view = replace(answer, view_probabilities=answer.view_probabilities[:1], boxes=answer.boxes[:1])
    record = analysis_record(replace(analysis, classification=one_view))
    json.dumps(record, allow_nan=False)
    assert {entry["spread"] for entry in record["probabilities"]} == {None}


def test_record_without_a_lesion_is_strict_json_too(analyzer):
    record = analysis_record(analyzer.analyze(np.full((64, 64, 3), 180, np.uint8)))
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["morphology"] is None and record["lesion"]["contour_xy_px"] == []


def test_numpy_values_become_plain_ones():
    mixed = {1: np.int64(3), "b": (np.bool_(True), np.array([[0.5, np.inf]])), "c": None, "d": "x"}
    assert to_json_types(mixed) == {"1": 3, "b": [True, [[0.5, None]]], "c": None, "d": "x"}


# --- pictures


def test_overlay_changes_the_image_only_near_the_contour(phantom, analysis):
    drawn = draw_overlay(phantom.image, analysis.lesion.lesion_mask, analysis.lesion.contour)
    rows, columns = np.nonzero((drawn != phantom.image).any(axis=-1))
    assert len(rows) > 100
    x, y = analysis.lesion.contour.T
    distances = np.hypot(columns[:, None] - x, rows[:, None] - y).min(axis=1)
    assert distances.max() <= 4  # a 3 px dark line with soft edges


def test_tint_covers_the_inside_and_the_input_stays(phantom, analysis):
    mask, before = analysis.lesion.lesion_mask, phantom.image.copy()
    tinted = draw_overlay(phantom.image, mask, np.zeros((0, 2), np.float32), opacity=0.5)
    assert (tinted[mask] != phantom.image[mask]).any(axis=-1).all()
    np.testing.assert_array_equal(tinted[~mask], phantom.image[~mask])
    np.testing.assert_array_equal(phantom.image, before)


def test_overlay_without_a_lesion_is_the_image(phantom):
    empty = np.zeros((150, 200), bool)
    drawn = draw_overlay(phantom.image, empty, np.zeros((0, 2), np.float32), opacity=0.5)
    np.testing.assert_array_equal(drawn, phantom.image)


def test_heatmap_is_hot_where_the_value_is_high(phantom):
    values = np.zeros((150, 200))
    values[:, 100:] = 1
    blended = blend_heatmap(phantom.image, values, opacity=1.0).astype(int)
    assert blended[:, 100:].sum(axis=-1).min() > blended[:, :100].sum(axis=-1).max()
    np.testing.assert_array_equal(blend_heatmap(phantom.image, values, opacity=0.0), phantom.image)


def test_png_brings_colours_and_masks_back(phantom):
    np.testing.assert_array_equal(read_image(encode_png(phantom.image)).pixels, phantom.image)
    mask = Image.open(io.BytesIO(encode_png(phantom.lesion_mask)))
    assert mask.mode == "L" and set(np.unique(mask)) == {0, 255}
    np.testing.assert_array_equal(np.asarray(mask) > 0, phantom.lesion_mask)


def test_outlines_are_drawn_in_their_colours_on_a_copy():
    image = np.full((60, 60, 3), 200, np.uint8)
    large, small = np.zeros((2, 60, 60), bool)
    large[10:50, 10:50] = True
    small[25:35, 25:35] = True
    drawn = draw_outlines(image, [(large, (0, 0, 255)), (small, (255, 0, 0))])
    blue, red = drawn[30, 10], drawn[30, 25]  # anti-aliased: not the full colour
    assert blue[2] > 150 and blue[:2].tolist() == [0, 0]
    assert red[0] > 150 and red[1:].tolist() == [0, 0]
    assert (drawn[18, 18] == 200).all()  # between the lines nothing changes
    assert (image == 200).all()


def test_empty_mask_has_no_outline():
    image = np.full((20, 20, 3), 200, np.uint8)
    assert (draw_outlines(image, [(np.zeros((20, 20), bool), (0, 0, 255))]) == image).all()
