"""Choices on the validation split, and one or several classifiers in one weights file."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from core.analyzer import classifier_input
from core.diagnosis.classification import Classification
from core.images.preprocessing import PreprocessingSettings, preprocess
from core.images.symmetry import N_SYMMETRIES
from core.phantoms.lesions import SAMPLES, draw_sample
from models import efficientnet
from models.builders import BUILDERS
from models.manifest import BundleError, file_sha256
from tests.fakes import fake_bundle
from tests.models.conftest import build_tiny_backbone
from training.bundle.export import make_choices
from training.bundle.packing import export_classifier
from training.bundle.validation import LabelledImages, filters_that_help, require_unseen
from training.bundle.windows import choose_margin, choose_windows
from training.data.augmentation import TRAINING_CORRUPTIONS
from training.fit.run_folder import BEST_WEIGHTS


@pytest.fixture(scope="module")
def split() -> LabelledImages:
    phantoms = [draw_sample(sample.name) for sample in SAMPLES[:2]]
    images, masks = [p.image for p in phantoms], [p.lesion_mask for p in phantoms]
    return LabelledImages(
        pd.DataFrame({"dataset": ["ham10000"] * 2}), images, masks, np.array([0, 1]), fake_bundle()
    )


@pytest.mark.parametrize(
    ("n_views", "names"), [(1, {"one_view"}), (N_SYMMETRIES, {"one_view", "eight_views"})]
)
def test_windows_are_judged_with_the_bundles_views(split, n_views, names):
    seen = classifier_input(split.bundle.manifest)
    scores, windows, views = choose_windows(split, split.masks, seen, n_views)
    assert all(set(found) == names for found in scores.values())
    assert set(scores) == {*seen.windows, "+".join(seen.windows)}
    assert views.shape == (2, n_views * len(windows), len(seen.classes))


def test_the_margin_that_ranks_best_is_chosen(split, monkeypatch):
    # The crop tells the two images apart at a margin of 0.1 alone; the whole image never does.
    def answer(split, masks, seen, n_views):
        sure = 0.9 if seen.windows == ("crop",) and seen.crop_margin == 0.1 else 0.1
        rows = ([sure, 1 - sure], [1 - sure, sure])
        return [Classification(("mel", "nv"), np.array(r), np.array([r]), None, (None,)) for r in rows]

    monkeypatch.setattr("training.bundle.windows.classify_all", answer)
    seen = replace(classifier_input(fake_bundle().manifest), windows=("whole", "crop"))
    scores, margin = choose_margin(split, split.masks, seen, (0.05, 0.1, 0.3))
    assert margin == 0.1 and list(scores) == ["0.05", "0.10", "0.30"]
    assert scores["0.10"]["macro_roc_auc"] > scores["0.30"]["macro_roc_auc"]


def test_given_filters_change_what_the_classifier_sees_alone(split, monkeypatch):
    shown = {}

    def find_masks(split, n_views):
        shown["segmenter"] = split.images
        return [mask.astype(np.float32) for mask in split.masks]

    def see(split, masks, seen, n_views):
        shown["classifier"] = split.images
        raise StopIteration  # what follows is not asked here

    monkeypatch.setattr("training.bundle.export.predict_all_masks", find_masks)
    monkeypatch.setattr("training.bundle.export.choose_windows", see)
    filters = PreprocessingSettings(colour_constancy=True)
    with pytest.raises(StopIteration):
        make_choices(split, filters=filters)
    assert shown["segmenter"] is split.images
    for before, after in zip(split.images, shown["classifier"], strict=True):
        np.testing.assert_array_equal(after, preprocess(before, filters))
        assert (after != before).any()


def test_given_filters_are_decided_for_a_bundle_of_one_view_too(split, monkeypatch):
    manifest = replace(split.bundle.manifest, test_time_augmentation=False)
    one_view = replace(split, bundle=SimpleNamespace(manifest=manifest))
    found = [mask.astype(np.float32) for mask in split.masks]
    monkeypatch.setattr("training.bundle.export.predict_all_masks", lambda split, n_views: found)
    monkeypatch.setattr("training.bundle.export.choose_windows", lambda *seen: ({}, ("whole",), None))
    monkeypatch.setattr("training.bundle.export.calibrate", lambda *views: ({}, {}))
    filters = PreprocessingSettings(hair_removal=True)
    assert make_choices(one_view, filters=filters)[1]["preprocessing"] == asdict(filters)
    assert make_choices(one_view)[1]["preprocessing"] == asdict(PreprocessingSettings())


def test_a_filter_is_on_if_it_ranks_better():
    scores = {"none": 0.9, "hair_removal": 0.91, "colour_constancy": 0.9, "edge_enhancement": 0.8}
    found = filters_that_help({name: {"macro_roc_auc": value} for name, value in scores.items()})
    assert found == PreprocessingSettings(hair_removal=True)


CONFIG = {
    "builder": "classifier",
    "model": {"backbone": "tiny", "input_size_px": 64},
    "classes": ["mel", "nv"],
    "views": ["whole", "crop"],
    "crop_margin": 0.3,
    "long_side_px": 200,
}


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Two runs of random weights."""
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        (folder / "checkpoints").mkdir(parents=True)
        write_config(folder, CONFIG)
        (folder / "scores.json").write_text("{}")
        network = BUILDERS["classifier"](**CONFIG["model"], n_classes=2)
        network.save_weights(folder / BEST_WEIGHTS)
    return folders


def write_config(folder, config: dict) -> None:
    (folder / "config.json").write_text(json.dumps({"config": config, "command": f"train {folder.name}"}))


def answers(entry: dict, file) -> np.ndarray:
    """The logits of what lies in a weights file, by its manifest entry."""
    network = BUILDERS[entry["builder"]](**entry["arguments"])
    network.load_weights(file)
    return network.predict(np.full((1, 64, 64, 3), 90.0, np.float32), verbose=0)


def test_several_classifiers_answer_with_the_mean_of_their_logits(runs, tmp_path):
    alone = [export_classifier([run], tmp_path / f"{run.name}.weights.h5") for run in runs]
    joined = export_classifier(runs, tmp_path / "joined.weights.h5")
    first, second = (
        answers(entry, tmp_path / f"{run.name}.weights.h5") for entry, run in zip(alone, runs, strict=True)
    )
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_allclose(
        answers(joined, tmp_path / "joined.weights.h5"), (first + second) / 2, atol=1e-5
    )
    assert joined["training_runs"] == ["first", "second"] and alone[0]["training_runs"] == ["first"]
    assert joined["training_commands"] == ["train first", "train second"]
    assert joined["sha256"] == file_sha256(tmp_path / "joined.weights.h5")


@pytest.mark.parametrize(("key", "other"), [("classes", ["nv", "mel"]), ("crop_margin", 0.1)])
def test_classifiers_that_see_or_answer_otherwise_are_not_joined(runs, tmp_path, key, other):
    write_config(runs[1], CONFIG | {key: other})
    with pytest.raises(ValueError, match=f"second and first cannot be joined: they differ in {key}"):
        export_classifier(runs, tmp_path / "joined.weights.h5")


def test_weights_that_a_bundle_beside_it_has_are_not_written_twice(runs, tmp_path):
    folders = [tmp_path / "bundles" / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
    files = [folder / "classifier.weights.h5" for folder in folders]

    def write(run, file) -> dict:
        keras.utils.clear_session()  # as in a process of its own: the file holds the names Keras counts up
        return export_classifier([run], file)

    one, two, again = (write(runs[0], file) for file in (*files, files[0]))
    assert (one["file"], two["file"]) == ("classifier.weights.h5", "../one/classifier.weights.h5")
    assert again == one and two["sha256"] == one["sha256"]
    assert files[0].is_file() and not files[1].exists()
    assert write(runs[1], files[1])["file"] == "classifier.weights.h5"


def test_what_training_drew_and_learned_is_in_the_manifest(runs, tmp_path):
    write_config(runs[1], CONFIG | {"augmentation": {"corruption": 0.25}})
    entry = export_classifier(runs, tmp_path / "joined.weights.h5")
    assert entry["corruptions_learned"] == list(TRAINING_CORRUPTIONS)
    assert entry["splits"] == {"weights": "train", "decisions": "validation"}


def test_a_bundle_is_not_judged_by_a_split_that_it_has_learned():
    manifest = fake_bundle().manifest
    require_unseen(manifest, "validation")
    record = {"splits": {"weights": "train, validation"}}
    learned = replace(manifest, segmenter=replace(manifest.segmenter, record=record))
    with pytest.raises(BundleError, match="was trained on the validation split"):
        require_unseen(learned, "validation")
