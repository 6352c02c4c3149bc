"""Scores of the SAM benchmark, by hand and against the figures published with it."""

import pandas as pd
import pytest

from training.measure.sam_scores import BASELINE, balanced_error, flip_rate, mean_to_baseline, score_sam

# ResNet50 of the benchmark's example submission, in the order of `BASELINE`.
RESNET_CLEAN = 0.181769
RESNET_C = (
    *(0.310962, 0.300628, 0.315024, 0.249391, 0.259618, 0.315456, 0.227182),
    *(0.207612, 0.184657, 0.265842, 0.397914, 0.191353, 0.215123, 0.338399),
)
RESNET_P = (
    0.173292,
    0.185120,
    0.031975,
    0.040063,
    0.016949,
    0.023156,
    0.036050,
    0.057137,
    0.045977,
    0.063615,
)


def by_name(part: str, values: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(BASELINE[part], values, strict=True))


def test_the_adjusted_means_are_those_that_the_authors_compute():
    errors, clean = by_name("SAM-C", RESNET_C), BASELINE["SAM"]["clean"]
    assert mean_to_baseline(errors, BASELINE["SAM-C"]) == pytest.approx(0.8829, abs=2e-4)
    relative = mean_to_baseline(errors, BASELINE["SAM-C"], RESNET_CLEAN, clean)
    assert relative == pytest.approx(1.1840, abs=1e-3)
    rates = by_name("SAM-P", RESNET_P)
    assert mean_to_baseline(rates, BASELINE["SAM-P"]) == pytest.approx(1.3871, abs=2e-3)


def rows(part: str, transformation: str, values: list[float], **columns) -> pd.DataFrame:
    n = len(values)
    frame = {"part": [part] * n, "transformation": [transformation] * n, "melanoma": values}
    defaults = {"severity": 0, "image": "a", "sequence": "", "frame": range(n), "label": ""}
    return pd.DataFrame(frame | {name: columns.get(name, value) for name, value in defaults.items()})


def test_balanced_error_weighs_both_classes_alike():
    # One of one melanoma missed, one of three nevi called: (1 + 1/3) / 2.
    table = rows("SAM", "", [0.2, 0.7, 0.1, 0.4], label=["mel", "nv", "nv", "nv"])
    assert balanced_error(table) == pytest.approx(2 / 3)
    assert balanced_error(table.assign(label="")) is None


def test_flips_are_counted_from_frame_to_frame_and_for_noise_from_the_first():
    # Calls: no, yes, yes, no. From frame to frame 2 of 3 steps flip; two frames differ from the first.
    table = rows("SAM-P", "tilt", [0.1, 0.9, 0.8, 0.2], sequence="tilt/a")
    assert flip_rate(table, noise=False) == pytest.approx(2 / 3)
    assert flip_rate(table, noise=True) == pytest.approx(2 / 3)
    table = rows("SAM-P", "tilt", [0.1, 0.9, 0.8, 0.9], sequence="tilt/a")
    assert flip_rate(table, noise=False) == pytest.approx(1 / 3) and flip_rate(table, noise=True) == 1


def test_frames_are_taken_in_their_order_and_sequences_apart():
    table = rows("SAM-P", "tilt", [0.9, 0.1, 0.9, 0.9], sequence=["x", "x", "y", "y"], frame=[2, 1, 1, 2])
    assert flip_rate(table, noise=False) == 0.5
    assert flip_rate(table[table["frame"] == 1], noise=False) is None


def test_without_labels_the_changed_answers_are_counted_and_the_errors_are_left_to_the_authors():
    clean = rows("SAM", "", [0.9, 0.1], image=["a", "b"])
    blurred = rows("SAM-C", "zoom_blur", [0.9, 0.9, 0.1, 0.1], image=["a", "b"] * 2, severity=[1, 1, 2, 2])
    scores = score_sam(pd.concat([clean, blurred], ignore_index=True))
    assert scores["SAM"] == {"n_images": 2, "balanced_error": None}
    assert scores["SAM-C"]["changed_share"] == 0.5 and scores["SAM-C"]["mean_balanced_error"] is None
    assert scores["SAM-C"]["relative_mean_balanced_error_to_baseline"] is None


def test_with_labels_the_errors_are_means_over_severities_and_relative_to_the_clean_one():
    labels = ["mel", "nv"]
    clean = rows("SAM", "", [0.9, 0.1], image=["a", "b"], label=labels)
    # Severity 1 is right, severity 2 misses the melanoma: errors 0 and 0.5.
    blurred = rows(
        "SAM-C",
        "zoom_blur",
        [0.9, 0.1, 0.1, 0.1],
        image=["a", "b"] * 2,
        severity=[1, 1, 2, 2],
        label=labels * 2,
    )
    found = score_sam(pd.concat([clean, blurred], ignore_index=True))["SAM-C"]
    assert found["mean_balanced_error"] == found["relative_mean_balanced_error"] == 0.25
    assert found["mean_balanced_error_to_baseline"] == pytest.approx(0.25 / BASELINE["SAM-C"]["zoom_blur"])


def test_images_that_could_not_be_read_are_left_out():
    clean = rows("SAM", "", [float("nan"), 0.1], image=["a", "b"])
    assert score_sam(clean)["SAM"]["n_images"] == 1
