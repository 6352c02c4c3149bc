"""The class list is right, complete and distinguishable."""

import re

import pytest

from core.taxonomy import DIAGNOSES, HAM10000_CLASSES, Malignancy, get_diagnosis, suspicious_flags


def test_ham10000_has_its_seven_classes_in_alphabetical_order():
    assert HAM10000_CLASSES == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert set(HAM10000_CLASSES) < set(DIAGNOSES)


def test_malignant_and_in_situ_classes_are_suspicious():
    suspicious = [code for code, diagnosis in DIAGNOSES.items() if diagnosis.suspicious]
    assert suspicious == ["akiec", "bcc", "mel", "scc", "malignant"]
    assert get_diagnosis("akiec").malignancy is Malignancy.IN_SITU


def test_flags_follow_the_order_of_the_classes():
    assert suspicious_flags(("nv", "mel", "bcc")).tolist() == [False, True, True]
    assert suspicious_flags(()).dtype == bool


@pytest.mark.parametrize("classes", [(*HAM10000_CLASSES, "scc"), ("benign", "malignant")])
def test_classes_of_one_bundle_have_distinct_names_and_colours(classes):
    diagnoses = [get_diagnosis(code) for code in classes]
    assert len({d.name for d in diagnoses}) == len({d.colour for d in diagnoses}) == len(classes)


def test_every_diagnosis_is_explained_and_has_a_colour():
    for code, diagnosis in DIAGNOSES.items():
        assert diagnosis.code == code
        assert diagnosis.plain.endswith(".") and re.fullmatch("#[0-9A-F]{6}", diagnosis.colour)


def test_unknown_code_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"one of akiec, .*; got 'melanoma'"):
        get_diagnosis("melanoma")
