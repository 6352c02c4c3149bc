"""The novelty score: distances worked out by hand, what it tells apart, and its file."""

from dataclasses import replace

import numpy as np
import pytest

from core.diagnosis.novelty import NoveltyModel, fit_novelty, load_novelty, pool_features, unit_length
from models.manifest import BundleError, NoveltyEntry, file_sha256
from tests.fakes import fake_manifest

MODEL = NoveltyModel(np.zeros(3, np.float32), np.eye(3, dtype=np.float32)[:2])


def test_score_is_the_distance_from_the_subspace():
    # The subspace is the x-y plane; (3, 0, 4) has length 5, so 0.8 of it stands out.
    assert MODEL.score(np.array([3.0, 0.0, 4.0])) == pytest.approx(0.8)
    assert MODEL.score(np.array([1.0, 2.0, 0.0])) == pytest.approx(0, abs=1e-6)
    assert MODEL.score(np.array([0.0, 0.0, 7.0])) == pytest.approx(1)


def test_score_does_not_depend_on_length_or_on_the_batch():
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    scores = MODEL.score(vectors)
    assert scores.shape == (5,)
    np.testing.assert_allclose(MODEL.score(100 * vectors), scores)
    np.testing.assert_allclose([MODEL.score(vector) for vector in vectors], scores)


def test_score_of_a_zero_vector_is_finite():
    assert np.isfinite(MODEL.score(np.zeros(3)))


def test_mean_and_components_must_agree():
    with pytest.raises(ValueError, match=r"got \(3,\), \(2, 4\)"):
        NoveltyModel(np.zeros(3), np.zeros((2, 4)))


def test_fit_finds_the_subspace_that_the_features_lie_in():
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.normal(size=(8, 2)))[0].T
    known = (rng.normal(size=(200, 2)) + np.array([3, 0])) @ basis
    model = fit_novelty(known, rng.integers(0, 3, 200), n_components=2)
    np.testing.assert_allclose(model.components @ model.components.T, np.eye(2), atol=1e-5)
    assert model.score(known).max() < 1e-3
    assert model.score(rng.normal(size=(20, 8))).min() > 0.1


def test_fit_equals_principal_components_where_the_classes_are_even():
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(2)
    features, labels = rng.normal(size=(60, 6)) * [5, 3, 1, 1, 1, 1], np.repeat([0, 1], 30)
    model, reference = fit_novelty(features, labels, 2), PCA(2).fit(unit_length(features))
    rest = unit_length(features) - reference.inverse_transform(reference.transform(unit_length(features)))
    np.testing.assert_allclose(model.score(features), np.linalg.norm(rest, axis=1), atol=1e-5)


def test_a_rare_class_shapes_the_subspace_as_much_as_a_common_one():
    # 300 images spread along x, three along z: with one component, weighing images would keep x alone.
    x, z = np.eye(3)[0], np.eye(3)[2]
    common = np.array([0, 1, 0]) + np.linspace(-0.2, 0.2, 300)[:, None] * x
    rare = np.array([0, 1, 0]) + np.array([-1.0, 0.5, 1.0])[:, None] * z
    model = fit_novelty(np.vstack([common, rare]), np.repeat([0, 1], [300, 3]), n_components=1)
    assert abs(model.components[0, 2]) > 0.9


def test_features_are_averaged_over_the_map():
    features = np.arange(2 * 2 * 3, dtype=np.float32).reshape(1, 2, 2, 3)
    np.testing.assert_allclose(pool_features(features), features.reshape(1, 4, 3).mean(axis=1))


# --- its file


def manifest_with(folder, **changes):
    MODEL.save(folder / "novelty.npz")
    entry = NoveltyEntry("novelty.npz", file_sha256(folder / "novelty.npz"), 0.5, "made up")
    return replace(fake_manifest(), folder=folder, novelty=replace(entry, **changes))


def test_a_saved_model_comes_back_and_scores_the_same(tmp_path):
    again = load_novelty(manifest_with(tmp_path))
    vectors = np.random.default_rng(3).normal(size=(4, 3))
    np.testing.assert_array_equal(again.score(vectors), MODEL.score(vectors))


def test_a_bundle_without_novelty_has_no_model():
    assert load_novelty(fake_manifest()) is None


def test_another_file_than_the_manifest_states_is_refused(tmp_path):
    with pytest.raises(BundleError, match="SHA-256"):
        load_novelty(manifest_with(tmp_path, sha256="0" * 64))
    with pytest.raises(BundleError, match="missing"):
        load_novelty(manifest_with(tmp_path, file="other.npz"))


def test_pickled_objects_are_refused(tmp_path):
    manifest = manifest_with(tmp_path)
    np.savez(tmp_path / "novelty.npz", mean=np.array([{"a": 1}], dtype=object), components=np.eye(1))
    entry = replace(manifest.novelty, sha256=file_sha256(tmp_path / "novelty.npz"))
    with pytest.raises(BundleError, match="no novelty model"):
        load_novelty(replace(manifest, novelty=entry))
