"""Choices on the validation split, and a classifier whose logits are shifted once it is written."""

from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.analyzer import classifier_input
from core.diagnosis.classification import Classification
from core.images.preprocessing import PreprocessingSettings, preprocess
from core.images.symmetry import N_SYMMETRIES
from core.phantoms.lesions import SAMPLES, draw_sample
from models import efficientnet
from models.builders import BUILDERS
from models.manifest import file_sha256
from tests.fakes import fake_bundle
from tests.models.conftest import build_tiny_backbone
from training.bundle.export import make_choices
from training.bundle.packing import shift_exported, write_half_precision
from training.bundle.validation import LabelledImages, filters_that_help
from training.bundle.windows import choose_margin, choose_windows


@pytest.fixture(scope="module")
def split() -> LabelledImages:
    phantoms = [draw_sample(sample.name) for sample in SAMPLES[:2]]
    images, masks = [p.image for p in phantoms], [p.lesion_mask for p in phantoms]
    return LabelledImages(None, images, masks, np.array([0, 1]), [fake_bundle()] * 2)


@pytest.mark.parametrize(
    ("n_views", "names"), [(1, {"one_view"}), (N_SYMMETRIES, {"one_view", "eight_views"})]
)
def test_windows_are_judged_with_the_bundles_views(split, n_views, names):
    seen = classifier_input(split.bundles[0].manifest)
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
    manifest = replace(split.bundles[0].manifest, test_time_augmentation=False)
    one_view = replace(split, bundles=[SimpleNamespace(manifest=manifest)] * 2)
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


def test_an_exported_classifier_is_shifted_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    arguments = {"backbone": "tiny", "input_size_px": 64, "n_classes": 2}
    file = tmp_path / "classifier.weights.h5"
    network, again = (BUILDERS["classifier"](**arguments) for _ in range(2))
    write_half_precision(network, file)
    network.load_weights(file)  # rounded to half precision, as it ships
    entry = {"file": file.name, "builder": "classifier", "arguments": arguments, "sha256": file_sha256(file)}
    shifted = shift_exported(entry, tmp_path, [0.5, -0.5])
    again.load_weights(file)
    image = np.full((1, 64, 64, 3), 90.0, np.float32)
    moved = again.predict(image, verbose=0) - network.predict(image, verbose=0)
    np.testing.assert_allclose(moved, [[0.5, -0.5]], atol=1e-5)
    assert shifted == entry | {"sha256": file_sha256(file)} != entry
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
