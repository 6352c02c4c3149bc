"""The ranked answer and the views behind it, on a linear stand-in for the network."""

import numpy as np
import pytest

from core.diagnosis.classification import (
    Classification,
    ClassifierInput,
    classify,
    window_boxes,
    window_squares,
)
from core.images.preprocessing import Box, limit_long_side
from core.images.symmetry import N_SYMMETRIES, apply_symmetry
from core.taxonomy import HAM10000_CLASSES
from tests.fakes import SIZE_PX, colour_features

BOX = Box(0.0, 0.0, 4.0, 4.0)
WEIGHTS = np.random.default_rng(0).normal(0, 3, (6, len(HAM10000_CLASSES)))


def linear_head(features: np.ndarray) -> np.ndarray:
    return features.mean(axis=(1, 2)) @ WEIGHTS


def seen_by_network(windows=("whole", "crop"), temperature=1.0) -> ClassifierInput:
    return ClassifierInput(HAM10000_CLASSES, SIZE_PX, 200, windows, 0.3, temperature)


def classify_one(image, mask, n_views=N_SYMMETRIES, **seen) -> Classification:
    [answer] = classify(colour_features, linear_head, [image], [mask], seen_by_network(**seen), n_views)
    return answer


def answer_of(*views: tuple[float, ...], classes=("mel", "nv", "bcc")) -> Classification:
    views = np.array(views)
    return Classification(classes, views.mean(axis=0), views, np.zeros((len(views), 1, 1, 1)), (BOX,))


# --- the answer


def test_ranked_is_most_probable_first_with_its_spread():
    answer = answer_of((0.1, 0.6, 0.3), (0.3, 0.4, 0.3))
    codes, probabilities, spreads = zip(*answer.ranked(), strict=True)
    assert codes == ("nv", "bcc", "mel")
    assert probabilities == pytest.approx((0.5, 0.3, 0.2))
    assert spreads == pytest.approx((0.1, 0.0, 0.1))  # half the distance of two values
    assert answer.prediction == "nv"


def test_spread_of_one_view_is_undefined():
    answer = answer_of((0.1, 0.6, 0.3))
    assert np.isnan(answer.spread).all() and answer.agreement == 1.0


def test_agreement_counts_the_views_that_choose_the_prediction():
    # Mean: mel (0.6 + 0.6 + 0.1 + 0.3) / 4 = 0.4, nv 0.325, bcc 0.275; two of four views prefer mel.
    answer = answer_of((0.6, 0.2, 0.2), (0.6, 0.2, 0.2), (0.1, 0.8, 0.1), (0.3, 0.1, 0.6))
    assert answer.prediction == "mel" and answer.agreement == 0.5


def test_suspicious_probability_sums_malignant_and_in_situ_classes():
    answer = answer_of((0.1, 0.4, 0.2, 0.3), classes=("mel", "nv", "akiec", "df"))
    assert answer.suspicious_probability == pytest.approx(0.1 + 0.2)


@pytest.mark.parametrize(
    ("classes", "probabilities", "views", "boxes"),
    [
        (("mel",), np.zeros(2), np.zeros((2, 2)), (BOX,)),
        (("mel", "nv"), np.zeros(3), np.zeros((2, 2)), (BOX,)),
        (("mel", "nv"), np.zeros(2), np.zeros((3, 2)), (BOX, BOX)),
    ],
    ids=["classes", "probabilities", "windows"],
)
def test_shapes_that_do_not_agree_are_refused(classes, probabilities, views, boxes):
    with pytest.raises(ValueError, match=r"do not (agree|divide)"):
        Classification(classes, probabilities, views, np.zeros((len(views), 1, 1, 1)), boxes)


# --- windows


def test_windows_are_the_whole_image_and_the_lesion_with_its_margin():
    mask = np.zeros((100, 120), bool)
    mask[40:60, 50:70] = True  # 20 px wide about (60, 50); a margin of 0.3 gives 16 either way
    assert window_boxes(mask, seen_by_network()) == (Box(0, 0, 120, 100), Box(44, 34, 76, 66))
    assert window_boxes(mask, seen_by_network(("crop",))) == (Box(44, 34, 76, 66),)


def test_without_a_lesion_the_crop_is_the_whole_image():
    whole, crop = window_boxes(np.zeros((100, 120), bool), seen_by_network())
    assert crop == whole


@pytest.mark.parametrize("copy_height", [300, 150], ids=["full size", "half-size copy"])
def test_windows_lie_where_the_mask_does_whatever_the_copys_size(copy_height):
    # In a frame of 400 x 300 a blue square of 80 px fills its own window.
    image = np.full((300, 400, 3), 200, np.uint8)
    image[100:180, 200:280] = (0, 0, 255)
    copy = limit_long_side(image, copy_height * 4 // 3)
    assert copy.shape[0] == copy_height
    [square] = window_squares(copy, [Box(200, 100, 280, 180)], (300, 400), seen_by_network())
    assert square.shape == (SIZE_PX, SIZE_PX, 3)
    np.testing.assert_array_equal(square[8:-8, 8:-8], np.broadcast_to([0, 0, 255], (48, 48, 3)))


# --- classify


def test_probabilities_sum_to_one_over_all_windows_and_views(phantom):
    answer = classify_one(phantom.image, phantom.lesion_mask)
    assert answer.view_probabilities.shape == (2 * N_SYMMETRIES, 7)
    np.testing.assert_allclose(answer.view_probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(answer.probabilities, answer.view_probabilities.mean(axis=0))
    assert answer.features.shape == (2 * N_SYMMETRIES, 4, 4, 6)


def test_one_view_a_window_without_augmentation(phantom):
    answer = classify_one(phantom.image, phantom.lesion_mask, n_views=1)
    assert answer.view_probabilities.shape == (2, 7)


def test_temperature_flattens_the_answer_and_keeps_the_order(phantom):
    # A single view, so that softmax(logits / T) is monotone in T.
    sharp = classify_one(phantom.image, phantom.lesion_mask, 1, windows=("whole",))
    flat = classify_one(phantom.image, phantom.lesion_mask, 1, windows=("whole",), temperature=4.0)
    assert flat.probabilities.max() < sharp.probabilities.max()
    assert [code for code, *_ in flat.ranked()] == [code for code, *_ in sharp.ranked()]
    ratios = np.log(sharp.probabilities / sharp.probabilities[0])
    np.testing.assert_allclose(np.log(flat.probabilities / flat.probabilities[0]), ratios / 4)


@pytest.mark.parametrize("view", range(1, N_SYMMETRIES))
def test_turning_the_image_hardly_changes_the_answer(phantom, view):
    straight = classify_one(phantom.image, phantom.lesion_mask)
    image, mask = (
        np.ascontiguousarray(apply_symmetry(a, view)) for a in (phantom.image, phantom.lesion_mask)
    )
    np.testing.assert_allclose(classify_one(image, mask).probabilities, straight.probabilities, atol=0.005)


def test_a_batch_gives_each_image_its_own_answer(phantom):
    blank = np.full((90, 70, 3), (212, 164, 172), np.uint8)
    images, masks = [phantom.image, blank], [phantom.lesion_mask, np.zeros((90, 70), bool)]
    together = classify(colour_features, linear_head, images, masks, seen_by_network())
    for answer, image, mask in zip(together, images, masks, strict=True):
        alone = classify_one(image, mask)
        np.testing.assert_allclose(answer.probabilities, alone.probabilities)
        assert answer.boxes == alone.boxes
    assert not np.allclose(together[0].probabilities, together[1].probabilities)
