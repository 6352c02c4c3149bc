"""Comparisons on the validation split, as tables."""

import json

from core.lesion.refinement import RefinementSettings
from core.systems.choices import list_choices, read_choices

RECORD = {
    "n_images": 12,
    "windows": {
        "whole": {"one_view": {"auc": 0.8}, "eight_views": {"auc": 0.9}},
        "whole+crop": {"one_view": {"auc": 0.7}, "eight_views": {"auc": 0.95}},
    },
    "filters_one_view": {"none": {"auc": 0.9}, "hair_removal": {"auc": 0.8}},
    "temperature": {"value": 0.6, "before": {"auc": 0.9}, "after": {"auc": 0.91}},
    "decisions": {
        "views": ["whole", "crop"],
        "temperature": 0.6,
        "preprocessing": {"hair_removal": False},
    },
}


def test_nested_scores_become_rows():
    choices = read_choices("ham", RECORD)
    tables = {comparison.name: comparison.table for comparison in choices.comparisons}
    assert list(tables) == ["windows", "filters_one_view", "temperature"]
    assert tables["windows"]["auc"].to_dict() == {
        "whole, one_view": 0.8,
        "whole, eight_views": 0.9,
        "whole+crop, one_view": 0.7,
        "whole+crop, eight_views": 0.95,
    }
    assert list(tables["temperature"].index) == ["before", "after"]  # the fitted value is no option


def test_what_the_bundle_works_with_is_a_row():
    choices = read_choices("ham", RECORD)
    assert choices.option_in_use("windows") == "whole+crop, eight_views"
    assert choices.option_in_use("filters_one_view") == "none"
    assert choices.option_in_use("temperature") == "after"
    assert choices.option_in_use("prior") == "0.0"
    assert choices.option_in_use("refinement") == RefinementSettings().method
    assert choices.option_in_use("something else") is None


def test_a_switched_on_filter_is_in_use():
    decisions = {"preprocessing": {"hair_removal": True, "colour_constancy": False}}
    choices = read_choices("ham", RECORD | {"decisions": decisions})
    assert choices.option_in_use("filters_one_view") == "hair_removal"


def test_the_strength_of_the_prior_is_in_use():
    choices = read_choices("ham", RECORD | {"decisions": {"prior": {"strength": 0.2}}})
    assert choices.option_in_use("prior") == "0.2"


def test_the_margin_is_in_use_as_it_is_written():
    choices = read_choices("ham", RECORD | {"decisions": {"crop_margin": 0.1}})
    assert choices.option_in_use("crop_margin") == "0.10"


def test_without_decisions_nothing_is_in_use():
    assert read_choices("ham", {"windows": RECORD["windows"]}).option_in_use("windows") is None


def test_damaged_files_are_left_out(tmp_path):
    for name, text in {"good": json.dumps(RECORD), "cut": '{"windows": {', "list": "[]"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "validation_choices.json").write_text(text)
    assert [choices.bundle for choices in list_choices(tmp_path)] == ["good"]
