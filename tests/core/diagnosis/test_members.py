"""Members of a classifier: answers, maps and attention from features of known shape."""

import numpy as np
import pytest

from core.diagnosis.classification import Classification
from core.diagnosis.members import (
    attention_map,
    channel_map,
    disagreement,
    member_probabilities,
    member_saliency,
    strongest_channels,
)
from core.images.preprocessing import Box
from models.runtimes.head_parts import Member

SHAPE = (40, 40)


def one_cell(row: int, column: int) -> np.ndarray:
    cell = np.zeros((1, 4, 4), np.float32)
    cell[0, row, column] = 1
    return cell


@pytest.fixture
def answer() -> Classification:
    """Two members of one channel each: the first sees the top left cell, the second the bottom right."""
    features = np.stack([one_cell(0, 0), one_cell(3, 3)], axis=-1)
    return Classification(
        ("mel", "nv"), np.array([0.5, 0.5]), np.full((1, 2), 0.5), features, (Box(0, 0, 40, 40),)
    )


def member(number: int, spatial: np.ndarray | None = None, logits=((0.0, 0.0),)) -> Member:
    return Member(0.5, slice(number, number + 1), np.array(logits), None, spatial)


class SumHead:
    """The logit of every class is the sum of all features."""

    def gradient(self, features: np.ndarray, class_index: int) -> np.ndarray:
        return np.ones_like(features)


def test_each_member_is_explained_by_its_own_features(answer):
    first, second = (member_saliency(SumHead(), answer, member(k), "mel", SHAPE) for k in (0, 1))
    assert first[5, 5] > 0.7 and first[35, 35] == 0
    assert second[35, 35] > 0.7 and second[5, 5] == 0


def test_probabilities_are_the_mean_of_the_views_at_the_temperature():
    views = np.log([[1.0, 3.0], [3.0, 1.0]])
    found = member_probabilities([member(0, logits=views), member(1, logits=2 * views[:1])], 1.0)
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.1, 0.9]])
    np.testing.assert_allclose(member_probabilities([member(0, logits=2 * views[:1])], 2.0), [[0.25, 0.75]])


def test_members_that_share_no_class_disagree_wholly():
    assert disagreement(np.eye(3)) == 1 and disagreement(np.tile([[0.2, 0.8]], (2, 1))) == 0


def test_attention_lies_where_its_weights_are(answer):
    found = attention_map(member(0, one_cell(0, 3)), answer, SHAPE)
    assert found[5, 35] > 0.9 and found[35, 5] == 0
    assert attention_map(member(0), answer, SHAPE) is None


def test_the_strongest_channels_are_weighted_by_attention(answer):
    features = np.ones((1, 4, 4, 3), np.float32) * [1, 2, 3]
    several = Classification(
        answer.classes, answer.probabilities, answer.view_probabilities, features, answer.boxes
    )
    plain = Member(1.0, slice(0, 3), np.zeros((1, 2)), None, None)
    gated = Member(1.0, slice(0, 3), np.zeros((1, 2)), np.array([[1.0, 0.6, 0.1]]), None)
    assert strongest_channels(plain, several, 2) == [2, 1]
    assert strongest_channels(gated, several, 3) == [1, 0, 2]
    assert channel_map(plain, several, 1, SHAPE).max() == pytest.approx(1)
