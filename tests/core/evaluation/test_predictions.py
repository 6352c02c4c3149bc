"""Reading tables of predictions: what is accepted, what is refused and with which words."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation.predictions import UNKNOWN, PredictionsError, from_frame, read_predictions


def table(**changes) -> pd.DataFrame:
    """Three images of two lesions, classes mel and nv."""
    columns = {
        "image_id": ["a", "b", "c"],
        "lesion_id": ["L1", "L1", "L2"],
        "dx": ["mel", "nv", "nv"],
        "p_mel": [0.9, 0.2, 0.6],
        "p_nv": [0.1, 0.8, 0.4],
    }
    return pd.DataFrame(columns | changes)


def test_probabilities_labels_and_lesions_are_read_in_row_order():
    predictions = from_frame(table())
    assert predictions.classes == ("mel", "nv")
    assert predictions.labels.tolist() == [0, 1, 1]
    assert predictions.predicted.tolist() == [0, 1, 0]
    assert predictions.lesions.tolist() == ["L1", "L1", "L2"]
    np.testing.assert_allclose(predictions.malignancy_probability, [0.9, 0.2, 0.6])


def test_a_file_and_its_bytes_give_the_same(tmp_path):
    path = tmp_path / "predictions.csv"
    table().to_csv(path, index=False)
    from_path, from_bytes = read_predictions(path), read_predictions(path.read_bytes())
    np.testing.assert_array_equal(from_path.probabilities, from_bytes.probabilities)
    assert from_path.frame.equals(from_bytes.frame)


def test_a_file_from_outside_cannot_name_images_of_this_server(tmp_path):
    frame = table(image_path=["/etc/a.jpg"] * 3)
    assert "image_path" in from_frame(frame).frame
    assert "image_path" not in read_predictions(frame.to_csv(index=False).encode()).frame


def test_columns_may_be_named_by_the_bare_code_and_the_image_column_as_isic_names_it():
    frame = table().rename(columns={"p_mel": "mel", "p_nv": "nv", "image_id": "image"})
    predictions = from_frame(frame)
    assert predictions.classes == ("mel", "nv")
    assert predictions.frame["image_id"].tolist() == ["a", "b", "c"]


def test_without_labels_and_lesions_every_image_is_its_own_unlabelled_lesion():
    predictions = from_frame(table().drop(columns=["dx", "lesion_id"]))
    assert predictions.labels.tolist() == [UNKNOWN] * 3
    assert not predictions.labelled.any()
    assert predictions.lesions.tolist() == ["a", "b", "c"]


def test_an_empty_label_is_unknown_and_case_does_not_matter():
    assert from_frame(table(dx=["MEL", None, " nv "])).labels.tolist() == [0, UNKNOWN, 1]


def test_rows_sum_to_one_after_rounding_in_the_file():
    predictions = from_frame(table(p_mel=[0.333, 0.5, 0.5], p_nv=[0.666, 0.5, 0.5]))
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1.0)


def test_optional_probabilities_are_none_unless_every_class_has_them():
    assert from_frame(table(p1_mel=0.5)).one_view is None
    predictions = from_frame(table(p1_mel=0.5, p1_nv=0.5, raw_mel=0.25, raw_nv=0.75))
    np.testing.assert_allclose(predictions.one_view, 0.5)
    np.testing.assert_allclose(predictions.uncalibrated[:, 1], 0.75)


def test_taking_rows_by_mask_and_by_number_agree_and_keep_everything_in_step():
    predictions = from_frame(table(p1_mel=[0.1, 0.2, 0.3], p1_nv=[0.9, 0.8, 0.7]))
    by_mask, by_number = predictions.take(np.array([False, True, True])), predictions.take([1, 2])
    assert by_mask.frame["image_id"].tolist() == by_number.frame["image_id"].tolist() == ["b", "c"]
    assert by_mask.labels.tolist() == [1, 1]
    np.testing.assert_allclose(by_mask.one_view[:, 0], [0.2, 0.3])
    assert len(predictions.take(np.zeros(3, bool))) == 0


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (table().iloc[:0], "rows"),
        (table().drop(columns="image_id"), "image_id"),
        (table().drop(columns=["p_mel", "p_nv"]), "p_<code>"),
        (table(p_mel=[4.0, -1.0, 0.6]), "2 rows"),  # logits; the third row is fine
        (table(p_mel=["x", 0.2, 0.6]), "the first is a"),
        (table(p_mel=[np.nan, 0.2, 0.6]), "1 rows"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(frame, words):
    with pytest.raises(PredictionsError, match=words):
        from_frame(frame)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00\x01\x80", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_bytes_that_are_no_table_are_refused(data):
    with pytest.raises(PredictionsError):
        read_predictions(data)


# --- dialects, repeats and unknown classes


def csv(text: str, sep: str = ",") -> bytes:
    return text.replace(",", sep).encode()


def test_ids_stay_as_they_are_written():
    rows = "image_id,lesion_id,p_mel,p_nv\n00000,007,0.5,0.5\n1e5,1e5,0.5,0.5\nNA,,0.5,0.5\n"
    predictions = read_predictions(rows.encode())
    assert predictions.frame["image_id"].tolist() == ["00000", "1e5", "NA"]
    assert predictions.lesions.tolist() == ["007", "1e5", "NA"]


def test_number_lesions_that_passed_through_a_float_column_are_one_lesion_each():
    rows = "image_id,lesion_id,p_mel,p_nv\na,1.0,0.5,0.5\nb,1.0,0.5,0.5\nc,,0.5,0.5\nd,10.0,0.5,0.5\n"
    assert read_predictions(rows.encode()).lesions.tolist() == ["1", "1", "c", "10"]


def test_a_submission_of_the_isic_challenge_is_read():
    predictions = read_predictions(b"image,MEL,NV,AK,SCC\na,0.1,0.2,0.3,0.4\n")
    assert predictions.classes == ("mel", "nv", "akiec", "scc")
    np.testing.assert_allclose(predictions.probabilities, [[0.1, 0.2, 0.3, 0.4]])


def test_decimal_commas_and_utf16_give_the_same_probabilities():
    european = "image_id;p_mel;p_nv;age\na;0,25;0,75;45,5\n".encode("utf-16")
    predictions = read_predictions(european)
    np.testing.assert_allclose(predictions.probabilities, [[0.25, 0.75]])
    assert predictions.frame["age"].tolist() == [45.5]


def test_identical_rows_count_once_and_that_is_said():
    predictions = from_frame(pd.concat([table(), table()], ignore_index=True))
    assert predictions.frame["image_id"].tolist() == ["a", "b", "c"]
    assert predictions.notes == ("identical rows, counted once: 3",)


@pytest.mark.parametrize(
    "change", [{"dx": ["nv", "nv", "nv"]}, {"p_mel": [0.8, 0.2, 0.6], "p_nv": [0.2, 0.8, 0.4]}]
)
def test_an_image_with_other_values_in_a_second_row_is_refused_by_name(change):
    with pytest.raises(PredictionsError, match=r"1 images .* different values: a\. Keep one"):
        from_frame(pd.concat([table(), table(**change)], ignore_index=True))


def test_a_class_without_a_column_leaves_its_rows_without_a_label_and_is_counted():
    predictions = from_frame(table(dx=["scc", "UNK", "nv"]))
    assert predictions.labels.tolist() == [UNKNOWN, UNKNOWN, 1]
    assert predictions.notes == ("without a label, because no probability column stands for theirs: scc (1)",)


@pytest.mark.parametrize("heading", ["dx", "label", "diagnosis", "true_label", "DX"])
def test_the_true_class_may_stand_under_other_headings_and_in_words(heading):
    rows = f"image_id,{heading},p_mel,p_nv\na,Melanoma,0.5,0.5\nb,Melanocytic nevus,0.5,0.5\n"
    assert read_predictions(rows.encode()).labels.tolist() == [0, 1]


def test_rounding_below_zero_is_zero():
    predictions = from_frame(table(p_mel=[1.0, 0.2, 0.6], p_nv=[-1e-9, 0.8, 0.4]))
    np.testing.assert_array_equal(predictions.probabilities[0], [1, 0])


def test_rows_of_refused_images_are_left_out_and_counted():
    rows = "image,mel,nv,error\na,0.5,0.5,\nb,,,The file is empty\n"
    predictions = read_predictions(rows.encode())
    assert predictions.frame["image_id"].tolist() == ["a"]
    assert predictions.notes == ("left out, because they have an error: 1",)


def test_a_share_of_unknown_is_scaled_away_and_said():
    predictions = from_frame(table(p_mel=[0.45, 0.1, 0.3], p_nv=[0.45, 0.8, 0.6], p_unk=[0.1, 0.1, 0.1]))
    np.testing.assert_allclose(predictions.probabilities[0], [0.5, 0.5])
    assert "p_unk is no class" in predictions.notes[0]


def test_a_refusal_lists_the_headings_that_were_found():
    with pytest.raises(PredictionsError, match="Headings found: 'picture', 'p_mel'"):
        read_predictions(b"picture,p_mel\na,0.5\n")
