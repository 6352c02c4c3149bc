"""The catalogue of a dataset and its facets, on six images that can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from core.datasets.catalogue import (
    NO_SPLIT,
    NO_WARNING,
    NOT_GIVEN,
    NOT_PREDICTED,
    RIGHT,
    WRONG,
    build_catalogue,
)
from core.datasets.facets import (
    FACETS,
    ORDERS,
    Selection,
    build_explorer,
    cross_count,
    from_address,
    sort_rows,
)
from core.evaluation.predictions import from_frame
from tests.core.tables import make_table

ASSIGNMENT = pd.DataFrame(
    [
        ("a", "L1", "mel", "test"),
        ("b", "L1", "mel", "test"),
        ("c", "L2", "nv", "test"),
        ("d", "L3", "nv", "validation"),
        ("e", "L4", "nv", "train"),
        ("f", "L5", "bcc", "train"),
    ],
    columns=["image_id", "lesion_id", "dx", "split"],
)


def predictions(rows: list[tuple]):
    """Rows of image, true class, probability of melanoma, age, sex, Dice, lesion share, warnings."""
    columns = ["image_id", "dx", "p_mel", "age", "sex", "dice", "lesion_area_fraction", "warnings"]
    frame = pd.DataFrame(rows, columns=columns)
    return from_frame(frame.assign(p_nv=1 - frame["p_mel"], localization="back", dx_type="histo"))


TEST = predictions(
    [
        ("a", "mel", 0.9, 30, "male", 0.95, 0.05, ""),
        ("b", "mel", 0.2, 60, "female", 0.70, 0.30, "glare;blurred"),
        ("c", "nv", 0.4, None, "female", 0.90, 0.70, "glare"),
    ]
)
VALIDATION = predictions([("d", "nv", 0.1, 45, "male", float("nan"), 0.1999, None)])


@pytest.fixture
def explorer():
    return build_explorer(build_catalogue(None, ASSIGNMENT, [TEST, VALIDATION]))


def names(explorer, rows) -> str:
    return "".join(explorer.frame["image_id"].to_numpy()[rows])


def choose(explorer, **address: str) -> Selection:
    return from_address(address, explorer.indices)


# --- catalogue


def test_without_the_dataset_the_split_file_lists_images_and_the_predictions_bring_the_facts(explorer):
    frame = explorer.frame.set_index("image_id")
    assert list(frame.index) == list("abcdef")
    assert frame.loc["a", ["age", "sex", "localization"]].tolist() == [30, "male", "back"]
    assert frame.loc["e", ["sex", "localization", "size_band"]].tolist() == [NOT_GIVEN] * 3
    assert np.isnan(frame.at["e", "age"])
    assert (frame["image_path"] == "").all()


def test_answers_are_right_wrong_or_not_predicted(explorer):
    # b: 0.2 for melanoma is called nevus, and is melanoma.
    assert explorer.frame["answer"].tolist() == [RIGHT, WRONG, RIGHT, RIGHT, NOT_PREDICTED, NOT_PREDICTED]
    assert explorer.frame["confidence"].tolist()[:4] == pytest.approx([0.9, 0.8, 0.6, 0.9])


def test_lesions_are_counted_over_all_images(explorer):
    assert explorer.frame["images_of_lesion"].tolist() == [2, 2, 1, 1, 1, 1]


def test_the_lower_limit_belongs_to_a_size_band(explorer):
    assert explorer.frame["size_band"].tolist()[:4] == ["5–10 %", "20–40 %", "over 60 %", "10–20 %"]


def test_age_bands_are_named_by_their_first_year(explorer):
    assert explorer.frame["age_band"].tolist()[:2] == [30, 60]


def test_no_warning_differs_from_not_looked_at(explorer):
    assert explorer.frame["warnings"].tolist() == [
        NO_WARNING,
        "glare;blurred",
        "glare",
        NO_WARNING,
        NOT_GIVEN,
        NOT_GIVEN,
    ]


def test_a_dataset_decides_which_images_there_are_and_keeps_its_own_facts():
    dataset = pd.DataFrame(
        {
            "image_id": ["z", "b"],
            "lesion_id": ["L9", "L1"],
            "dx": [None, "mel"],
            "dx_type": [None, "consensus"],
            "age": [float("nan"), 61.0],
            "sex": [None, "female"],
            "localization": [None, "face"],
            "image_path": ["/z.jpg", "/b.jpg"],
            "mask_path": ["", "/b.png"],
        }
    )
    frame = build_catalogue(dataset, ASSIGNMENT, [TEST]).set_index("image_id")
    assert list(frame.index) == ["b", "z"]
    assert frame.loc["b", ["age", "localization", "split", "answer"]].tolist() == [
        61.0,
        "face",
        "test",
        WRONG,
    ]
    assert frame.loc["z", ["dx", "split", "answer"]].tolist() == [NOT_GIVEN, NO_SPLIT, NOT_PREDICTED]
    assert frame.at["b", "mask_path"] == "/b.png"


def test_without_predictions_nothing_is_predicted():
    frame = build_catalogue(None, ASSIGNMENT)
    assert set(frame["answer"]) == {NOT_PREDICTED}
    assert frame["dice"].isna().all()


# --- facets


def test_everything_matches_an_empty_selection(explorer):
    assert Selection().is_empty
    assert names(explorer, explorer.find(Selection())) == "abcdef"


def test_choices_in_one_facet_are_alternatives_and_facets_must_all_hold(explorer):
    assert names(explorer, explorer.find(choose(explorer, **{"class": "mel,bcc"}))) == "abf"
    assert names(explorer, explorer.find(choose(explorer, **{"class": "mel,bcc", "split": "test"}))) == "ab"
    assert names(explorer, explorer.find(choose(explorer, **{"class": "bcc", "split": "test"}))) == ""


def test_an_image_with_two_warnings_is_found_by_either(explorer):
    assert names(explorer, explorer.find(choose(explorer, quality="blurred"))) == "b"
    assert names(explorer, explorer.find(choose(explorer, quality="glare"))) == "bc"
    assert names(explorer, explorer.find(choose(explorer, quality="none"))) == "ad"


def test_an_age_range_includes_its_ends_and_leaves_out_who_has_no_age(explorer):
    assert names(explorer, explorer.find(choose(explorer, age="30-45"))) == "ad"


def test_search_finds_part_of_an_image_or_lesion_id_in_any_case_and_no_pattern(explorer):
    assert names(explorer, explorer.find(choose(explorer, q="l1"))) == "ab"
    assert names(explorer, explorer.find(choose(explorer, q="F"))) == "f"
    assert names(explorer, explorer.find(choose(explorer, q="."))) == ""


def test_counts_ignore_the_choice_in_their_own_facet_but_no_other(explorer):
    counts = explorer.count(choose(explorer, **{"class": "mel", "sex": "female"}))
    # Women: b (mel), c (nv). Melanomas: a (male), b (female).
    assert counts["class"] == {"bcc": 0, "mel": 1, "nv": 1}
    assert counts["sex"] == {"female": 1, "male": 1, NOT_GIVEN: 0}
    assert counts["split"] == {"train": 0, "validation": 0, "test": 1}


def test_counts_equal_what_a_further_choice_finds(explorer):
    selection = choose(explorer, split="test,train", age="0-90")
    for facet in FACETS:
        if facet.name == "split":
            continue
        for option, count in explorer.count(selection)[facet.name].items():
            narrowed = Selection({**selection.values, facet.name: (option,)}, selection.age)
            assert explorer.find(narrowed).sum() == count, (facet.name, option)


def test_options_stand_in_the_order_of_the_field_with_what_is_not_known_last(explorer):
    assert explorer.indices["split"].options == ("train", "validation", "test")
    assert explorer.indices["site"].options == ("back", NOT_GIVEN)
    assert explorer.indices["size"].options == ("5–10 %", "10–20 %", "20–40 %", "over 60 %", NOT_GIVEN)


def test_an_empty_catalogue_can_be_filtered():
    explorer = build_explorer(build_catalogue(None, ASSIGNMENT.iloc[:0]))
    assert explorer.find(Selection()).tolist() == []
    assert explorer.count(Selection())["class"] == {}


# --- order, address, tables


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("id", "abcdef"),
        ("age", "adbcef"),
        ("-age", "bdacef"),
        ("dice", "bcadef"),
        ("-size", "cbdaef"),
        ("-confidence", "adbcef"),
    ],
)
def test_rows_without_a_value_come_last_in_either_direction_and_ties_keep_the_order_of_ids(
    explorer, order, expected
):
    rows = np.ones(6, bool)
    assert names(explorer, sort_rows(explorer.frame, rows, ORDERS[order])) == expected


def test_only_the_rows_asked_for_are_sorted(explorer):
    rows = np.array([True, False, True, True, False, False])
    assert names(explorer, sort_rows(explorer.frame, rows, ORDERS["-age"])) == "dac"


@pytest.mark.parametrize("age", ["", "x-y", "60-20", "20", "-5-20", "²-3"])
def test_an_age_that_is_no_range_counts_as_not_given(explorer, age):
    assert choose(explorer, age=age).age is None


def test_an_address_drops_what_the_catalogue_does_not_have(explorer):
    selection = choose(explorer, **{"class": "vasc,mel,<b>", "unheard": "of"})
    assert dict(selection.values) == {"class": ("mel",)}
    assert not selection.is_empty


def test_cross_counts_equal_those_of_the_rows(explorer):
    counts = cross_count(explorer.frame, "split", ["train", "test"], "dx", ["mel", "nv", "vasc"])
    assert counts.to_numpy().tolist() == [[0, 1, 0], [2, 1, 0]]


def test_skin_tone_and_thickness_are_facets_where_a_dataset_records_them():
    dataset = pd.DataFrame(
        {
            "image_id": ["a", "b"],
            "lesion_id": ["1", "2"],
            "dx": ["mel", "nv"],
            "skin_tone_class": ["0", "5"],
            "thickness": ["<0.8", None],
        }
    )
    assignment = pd.DataFrame({"image_id": [], "split": []}, dtype="str")
    counts = build_explorer(build_catalogue(dataset, assignment)).count(Selection())
    assert counts["tone"] == {"0": 1, "5": 1} and counts["thickness"] == {"<0.8": 1, "not given": 1}
    bare = build_catalogue(dataset.drop(columns=["skin_tone_class", "thickness"]), assignment)
    assert build_explorer(bare).count(Selection())["tone"] == {"not given": 2}


def test_structures_found_by_the_probe_can_be_asked_for_and_asked_to_be_absent():
    predictions = make_table(
        [("mel", "mel", 0.9)] * 3,
        ("bkl", "mel"),
        structure_pigment_network=[0.9, 0.2, None],
        structure_streaks=[0.6, 0.7, None],
    )
    ids = [f"image_{k}" for k in range(4)]
    assignment = pd.DataFrame({"image_id": ids, "lesion_id": ids, "dx": "mel", "split": "test"})
    explorer = build_explorer(build_catalogue(None, assignment, [predictions]))
    without = Selection({"class": ("mel",), "structure": ("no pigment network",)})
    assert explorer.frame["image_id"][explorer.find(without)].tolist() == ["image_1"]
    assert explorer.count(Selection())["structure"] == {
        "no pigment network": 1,
        "pigment network": 1,
        "streaks": 2,
        "not given": 2,
    }
