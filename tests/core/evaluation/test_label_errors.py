"""Suspected labels: worked by hand, and on labels that were changed on purpose."""

import numpy as np
import pytest

from core.evaluation.label_errors import class_thresholds, count_pairs, find_label_errors
from core.evaluation.predictions import from_frame
from tests.core.tables import make_table, random_table

CLASSES = ("bkl", "mel", "nv")


def test_a_label_is_suspected_where_another_class_is_confident():
    table = make_table(
        [
            ("nv", "nv", 0.9),
            ("nv", "nv", 0.7),  # mean probability of nv on nv: (0.9 + 0.7 + 0.05 + 0.25) / 4 = 0.475
            ("nv", "mel", 0.9),  # 0.9 is at least mel's 0.65: suspected, margin 0.85
            ("nv", "mel", 0.5),  # less than 0.65: mel is not confident
            ("mel", "mel", 0.9),
            ("mel", "nv", 0.2),  # never the most probable class
            ("mel", "mel", 0.65),  # mean of mel on mel: (0.9 + 0.4 + 0.65) / 3 = 0.65
            ("", "mel", 0.99),
        ],
        CLASSES,
    )
    found = find_label_errors(table)
    assert found.rows.tolist() == [2]
    assert [CLASSES[k] for k in found.suggested] == ["mel"]
    assert found.margins == pytest.approx([0.85])
    assert found.n_labelled == 7
    assert count_pairs(table, found) == [("nv", "mel", 1)]


def test_a_class_without_images_is_never_suggested():
    table = make_table([("nv", "mel", 0.99), ("nv", "nv", 0.9)], CLASSES)
    assert len(find_label_errors(table)) == 0
    assert class_thresholds(table.probabilities, table.labels).tolist()[:2] == [np.inf, np.inf]


def test_the_surest_comes_first():
    answers = [("nv", "nv", 0.6)] * 9 + [("nv", "bkl", 0.7), ("nv", "bkl", 0.9), ("bkl", "bkl", 0.6)]
    assert find_label_errors(make_table(answers, CLASSES)).rows.tolist() == [10, 9]


def test_labels_that_were_changed_on_purpose_are_found():
    rng = np.random.default_rng(5)
    right = random_table(2000, CLASSES, 5)
    truth = right.predicted  # networks that are always right, with many unsure answers
    labels = truth.copy()
    changed = rng.choice(2000, 100, replace=False)
    labels[changed] = (labels[changed] + 1) % 3
    table = from_frame(right.frame.assign(dx=np.array(CLASSES)[labels]))
    found = find_label_errors(table)
    assert set(found.rows) <= set(changed) and len(found) >= 40
    assert (found.suggested == truth[found.rows]).all()


def test_without_labels_nothing_is_suspected():
    assert len(find_label_errors(make_table([("", "nv", 0.9)], CLASSES))) == 0
