"""Robustness: which lesions are chosen, what is kept of an interrupted run, and the scores by hand."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.analyzer import Analyzer
from core.phantoms.lesions import draw_phantom
from tests.fakes import fake_bundle
from training.data.augmentation import TRAINING_CORRUPTIONS
from training.measure import robustness
from training.measure.robustness import (
    Sample,
    answer,
    answer_all,
    artefact_steps,
    choose_lesions,
    corruption_steps,
    generator,
    training_corruptions,
)
from training.measure.robustness_scores import CLEAN, score_artefacts, score_corruptions

CLASSES = ("mel", "nv")


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer(fake_bundle())


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Three drawn lesions."""
    phantoms = [draw_phantom(seed, size_px=(150, 200)) for seed in (1, 2, 3)]
    names = ["a", "b", "c"]
    rows = pd.DataFrame({"image_id": names, "lesion_id": names, "dx": ["nv", "mel", "nv"]})
    return Sample(rows, [p.image for p in phantoms], [p.lesion_mask for p in phantoms])


# --- choosing


@pytest.fixture
def frame() -> pd.DataFrame:
    """Ten nevi of two images each, and three melanomas."""
    lesions = [f"n{i}" for i in range(10) for _ in range(2)] + ["m0", "m1", "m2"]
    codes = ["nv"] * 20 + ["mel"] * 3
    return pd.DataFrame({"image_id": [f"i{i:02d}" for i in range(23)], "lesion_id": lesions, "dx": codes})


def test_lesions_are_spread_over_the_diagnoses_one_image_each(frame):
    chosen = choose_lesions(frame, 8)
    assert chosen["lesion_id"].is_unique
    assert chosen["dx"].value_counts().to_dict() == {"nv": 5, "mel": 3}  # there are no more melanomas


def test_the_choice_is_fixed_whatever_the_order_of_the_rows(frame):
    shuffled = frame.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(choose_lesions(frame, 6), choose_lesions(shuffled, 6))
    assert set(choose_lesions(frame, 4)["image_id"]) < set(choose_lesions(frame, 6)["image_id"])


def test_more_lesions_than_there_are_gives_all(frame):
    assert len(choose_lesions(frame, 100)) == 13


# --- steps


def test_steps_are_the_clean_image_and_every_corruption_and_artefact():
    corruptions = [step[:2] for step in corruption_steps()]
    assert corruptions[0] == (CLEAN, 0) and len(set(corruptions)) == 1 + 14 * 5
    assert [name for name, *_ in artefact_steps()] == [
        *(CLEAN, "hair", "dark corners", "ruler", "gel bubbles", "ink")
    ]


def test_every_step_does_what_its_name_says(sample):
    # Late-bound loop variables would make every step the last one.
    image, mask = sample.images[0], sample.masks[0]
    changed = {
        (name, severity): change(image, mask, generator(name, "a"))[0].tobytes()
        for name, severity, change in [*corruption_steps(), *artefact_steps()]
    }
    assert len(set(changed.values())) == len(changed)
    assert changed[CLEAN, 0] == image.tobytes()


def test_random_numbers_belong_to_image_and_corruption():
    assert generator("tilt", "a").random() == generator("tilt", "a").random()
    assert len({generator(n, i).random() for n in ("tilt", "JPEG") for i in "ab"}) == 4


# --- answers


def test_answers_come_without_augmentation_and_score_the_moved_mask(analyzer, sample, monkeypatch):
    seen = []
    analyze = analyzer.analyze_batch
    monkeypatch.setattr(analyzer, "analyze_batch", lambda i, s: seen.append(s) or analyze(i, s))
    steps = {(name, severity): change for name, severity, change in corruption_steps()}
    rows = answer(analyzer, sample, "tilt", 5, steps["tilt", 5])
    assert [settings.n_views for settings in seen] == [1]
    assert list(rows["image_id"]) == ["a", "b", "c"] and set(rows["change"]) == {"tilt"}
    np.testing.assert_allclose(rows.filter(like="p_").sum(axis=1), 1)
    # The segmenter finds dark pixels wherever they are, so the mask must have gone with them.
    clean = answer(analyzer, sample, CLEAN, 0, steps[CLEAN, 0])
    stayed = answer(analyzer, sample, "tilt", 5, lambda i, m, rng: (steps["tilt", 5](i, m, rng)[0], m))
    assert clean["dice"].mean() > 0.7 and rows["dice"].mean() > stayed["dice"].mean() + 0.05


def test_an_interrupted_run_goes_on_and_gives_the_same_table(analyzer, sample, tmp_path, monkeypatch):
    steps = list(corruption_steps())[:4]
    straight = answer_all(analyzer, sample, steps, tmp_path / "straight.csv")
    asked = []

    def stop_at_third(analyzer, sample, name, severity, change):
        asked.append((name, severity))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return answer(analyzer, sample, name, severity, change)

    monkeypatch.setattr(robustness, "answer", stop_at_third)
    kept = tmp_path / "run" / "kept.csv"
    with pytest.raises(KeyboardInterrupt):
        answer_all(analyzer, sample, steps, kept)
    resumed = answer_all(analyzer, sample, steps, kept)
    assert [step[:2] for step in steps] == asked[:2] + asked[3:]  # nothing was asked for twice
    pd.testing.assert_frame_equal(resumed, straight)


def test_rows_of_other_images_are_not_reused(analyzer, sample, tmp_path):
    steps, kept = list(corruption_steps())[:1], tmp_path / "kept.csv"
    other = replace(sample, rows=sample.rows.assign(image_id=["x", "y", "z"]))
    answer_all(analyzer, other, steps, kept)
    assert list(answer_all(analyzer, sample, steps, kept)["image_id"]) == ["a", "b", "c"]


# --- scores


def table(change: str, severity: int, p_mel: list[float], dices: list[float]) -> pd.DataFrame:
    """Four lesions: two melanomas, then two nevi."""
    p = np.array(p_mel)
    names = ["a", "b", "c", "d"]
    facts = {"image_id": names, "lesion_id": names, "dx": ["mel", "mel", "nv", "nv"]}
    return pd.DataFrame(
        {**facts, "change": change, "severity": severity, "p_mel": p, "p_nv": 1 - p, "dice": dices}
    )


def test_losses_by_hand():
    clean = table(CLEAN, 0, [0.9, 0.8, 0.2, 0.1], [0.9, 0.9, 0.9, 0.9])
    mild = table("JPEG", 1, [0.9, 0.3, 0.2, 0.1], [0.9, 0.9, 0.9, 0.7])  # one melanoma is lost
    strong = table("JPEG", 2, [0.9, 0.3, 0.7, 0.1], [0.5, 0.5, 0.5, 0.5])  # and one nevus
    blur = table("tilt", 1, [0.9, 0.8, 0.2, 0.1], [0.9, 0.9, 0.9, 0.9])  # nothing happens
    scores = score_corruptions(pd.concat([clean, mild, strong, blur]), CLASSES)
    assert scores["clean"] == {"balanced_accuracy": 1.0, "accuracy": 1.0, "dice": pytest.approx(0.9)}
    first, second, third = scores["corruptions"]
    assert [(row["corruption"], row["severity"]) for row in (first, second, third)] == [
        *(("JPEG", 1), ("JPEG", 2), ("tilt", 1))
    ]
    # Recall of mel 1/2 and of nv 1: balanced accuracy 0.75. Mean Dice falls by 0.2 / 4.
    assert first["balanced_accuracy_loss"]["estimate"] == pytest.approx(0.25)
    assert first["dice_loss"]["estimate"] == pytest.approx(0.05) and first["unchanged_share"] == 0.75
    assert second["balanced_accuracy_loss"]["estimate"] == pytest.approx(0.5)
    assert third["balanced_accuracy_loss"] == {"estimate": 0, "low": 0, "high": 0}
    one, two = scores["mean_by_severity"]
    assert (one["severity"], one["balanced_accuracy_loss"]) == (1, pytest.approx(0.125))
    assert (two["severity"], two["dice_loss"]) == (2, pytest.approx(0.4))


def test_corruptions_that_training_drew_are_left_out_of_the_mean_of_the_unseen():
    clean = table(CLEAN, 0, [0.9, 0.8, 0.2, 0.1], [0.9] * 4)
    packed = table("JPEG", 1, [0.9, 0.3, 0.2, 0.1], [0.9] * 4)  # 0.25 of balanced accuracy
    tilted = table("tilt", 1, [0.1, 0.3, 0.2, 0.1], [0.9] * 4)  # 0.5
    scores = score_corruptions(pd.concat([clean, packed, tilted]), CLASSES, used_in_training=["JPEG"])
    assert scores["learned"] == ["JPEG"]
    assert scores["mean_by_severity"][0]["balanced_accuracy_loss"] == pytest.approx(0.375)
    assert scores["mean_by_severity_unseen"][0]["balanced_accuracy_loss"] == pytest.approx(0.5)


def test_what_was_learned_is_read_from_the_manifest():
    manifest = fake_bundle().manifest
    assert training_corruptions(manifest) == ()
    entry = replace(manifest.segmenter, record={"corruptions_learned": list(TRAINING_CORRUPTIONS)})
    assert training_corruptions(replace(manifest, segmenter=entry)) == TRAINING_CORRUPTIONS


def test_false_alarms_by_hand():
    # Suspicious from 0.25: clean calls one of four, ink calls three of four and takes none back.
    clean = table(CLEAN, 0, [0.3, 0.2, 0.1, 0.1], [1.0] * 4).assign(dx="nv")
    ink = table("ink", 1, [0.6, 0.25, 0.4, 0.1], [1.0] * 4).assign(dx="nv")
    scores = score_artefacts(pd.concat([clean, ink]), CLASSES, threshold=0.25)
    assert scores["n_nevi"] == 4 and scores["clean_false_positive_rate"]["estimate"] == 0.25
    [row] = scores["artefacts"]
    assert row["artefact"] == "ink" and row["false_positive_rate"] == 0.75
    assert row["change"]["estimate"] == pytest.approx(0.5)
    assert row["change"]["low"] <= 0.5 <= row["change"]["high"]
    assert row["unchanged_share"] == 0.75  # only the first became melanoma by the largest probability


def pick(sample, rows) -> Sample:
    """The rows of a sample with their images and masks."""
    places = [sample.rows["image_id"].tolist().index(image_id) for image_id in rows["image_id"]]
    return Sample(rows, [sample.images[p] for p in places], [sample.masks[p] for p in places])


def test_the_whole_measurement_writes_a_record_of_numbers(analyzer, sample, tmp_path, monkeypatch):
    monkeypatch.setattr(robustness, "CORRUPTIONS", ("JPEG",))
    monkeypatch.setattr(
        Sample,
        "read",
        classmethod(lambda cls, rows, side: pick(sample, rows)),
    )
    monkeypatch.setattr(robustness, "RUNS_DIR", tmp_path)
    frame = sample.rows.assign(dx="nv")
    record = robustness.measure(analyzer, frame, 3, 3)
    json.dumps(robustness.to_json_types(record))
    assert record["test_time_augmentation"] is False and record["split"] == "validation"
    assert [row["severity"] for row in record["corruptions"]] == [1, 2, 3, 4, 5]
    assert [row["artefact"] for row in record["nevi"]["artefacts"]][-1] == "ink"
    kept = (tmp_path / analyzer.manifest.name / "checkpoints").glob("*.csv")
    assert [pd.read_csv(file)["image_id"].nunique() for file in kept] == [3, 3]
