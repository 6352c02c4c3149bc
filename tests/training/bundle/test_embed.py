"""The feature index and the map of a small drawn dataset, by the fake bundle."""

import dataclasses
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.manifold import TSNE

from core.datasets.ham10000 import DatasetError
from core.datasets.layouts import read_dataset
from core.datasets.similar import FeatureIndex, read_map
from core.images.preprocessing import Box, crop_square
from core.phantoms.lesions import draw_phantom
from models.loading import Bundle
from tests.fakes import SIZE_PX, colour_features, darkness_segmenter, fake_manifest
from training.bundle import embed

N_IMAGES = 12


@pytest.fixture
def bundle() -> Bundle:
    """Without a head, so that no TensorFlow is needed: embedding stops at the features."""
    return Bundle(fake_manifest(), darkness_segmenter, colour_features, head_network=None, head=None)


@pytest.fixture(autouse=True)
def quick_map(monkeypatch):
    """t-SNE by its plain formula: its tree for thousands of points costs seconds on a dozen."""
    monkeypatch.setattr(embed, "TSNE", partial(TSNE, method="exact", max_iter=250))


@pytest.fixture
def frame(tmp_path) -> pd.DataFrame:
    for k in range(N_IMAGES):
        path = tmp_path / "data" / ("mel" if k % 3 else "nv") / f"ISIC_{k:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_phantom(k, size_px=(70, 90)).image).save(path)
    return read_dataset(tmp_path / "data")


def test_both_files_hold_every_image_once_and_name_the_bundle(bundle, frame, tmp_path):
    written = embed.embed(bundle, frame, tmp_path / "run")
    index, flat = FeatureIndex.load(tmp_path / "run"), read_map(tmp_path / "run")
    assert list(index.image_ids) == list(flat.frame["image_id"]) == list(written["image_id"])
    assert len(index) == N_IMAGES and list(index.lesion_ids) == list(frame["lesion_id"])
    assert index.fingerprint == flat.fingerprint == bundle.manifest.fingerprint
    assert np.isfinite(flat.frame[["x", "y"]]).all(axis=None)


def test_features_are_short_rows_of_length_one(bundle, frame, tmp_path):
    embed.embed(bundle, frame, tmp_path)
    with np.load(tmp_path / "features.npz", allow_pickle=False) as file:
        features = file["features"]
    assert features.dtype == np.float16 and features.shape == (N_IMAGES, 6)  # the fake has six channels
    np.testing.assert_allclose(np.linalg.norm(features.astype(float), axis=1), 1, atol=2e-3)


def test_the_classifier_sees_the_whole_image_in_one_view(bundle, frame):
    pooled, read = embed.pool_features(bundle, frame["image_path"].to_list())
    image = np.array(Image.open(frame["image_path"][3]))
    square = crop_square(image, Box.whole(image), SIZE_PX)
    np.testing.assert_allclose(pooled[3], colour_features(square[None]).mean((0, 1, 2)), rtol=1e-5)
    assert read.all() and pooled.shape == (N_IMAGES, 6)


def test_batches_do_not_change_the_features(bundle, frame, monkeypatch):
    whole, _ = embed.pool_features(bundle, frame["image_path"].to_list())
    monkeypatch.setattr(embed, "BATCH_SIZE", 5)
    pieces, _ = embed.pool_features(bundle, frame["image_path"].to_list())
    np.testing.assert_allclose(pieces, whole, rtol=1e-6)


def test_the_bundle_s_filters_run_first(bundle, frame):
    manifest = dataclasses.replace(bundle.manifest, filters=("colour_constancy",))
    plain = embed.square_reader(bundle.manifest)(frame["image_path"][0])
    filtered = embed.square_reader(manifest)(frame["image_path"][0])
    means = filtered.mean(axis=(0, 1))
    assert np.ptp(means) < np.ptp(plain.mean(axis=(0, 1)))  # its three colours are evened out


def test_the_same_image_is_its_own_nearest_neighbour_s_twin(bundle, frame, tmp_path):
    twin = frame.iloc[[4]].assign(image_id="twin", lesion_id="twin")
    embed.embed(bundle, pd.concat([frame, twin], ignore_index=True), tmp_path)
    [(image_id, distance)] = FeatureIndex.load(tmp_path).similar("twin", n=1)
    assert image_id == frame["image_id"][4] and distance < 1e-3


def test_unreadable_missing_and_repeated_rows_are_left_out(bundle, frame, tmp_path):
    with open(frame["image_path"][0], "wb") as file:
        file.write(b"no image")
    frame.loc[1, "image_path"] = ""
    written = embed.embed(bundle, pd.concat([frame, frame.tail(1)]), tmp_path)
    assert list(written["image_id"]) == list(frame["image_id"][2:])
    assert len(FeatureIndex.load(tmp_path)) == N_IMAGES - 2


def test_the_seed_makes_the_same_files_again(bundle, frame, tmp_path):
    for name in ("first", "second"):
        embed.embed(bundle, frame, tmp_path / name)
    for name in ("features.npz", "map.csv"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_too_few_images_are_refused(bundle, frame, tmp_path):
    with pytest.raises(DatasetError, match="2 images could be read"):
        embed.embed(bundle, frame.head(2), tmp_path)


def test_the_command_writes_to_the_bundle_s_run(bundle, frame, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(embed, "RUNS_DIR", tmp_path / "runs")
    monkeypatch.setattr(embed, "load_bundle", lambda folder: bundle)
    monkeypatch.setattr(sys, "argv", ["embed", "--data", str(tmp_path / "data")])
    embed.main()
    assert len(FeatureIndex.load(tmp_path / "runs" / "fake bundle")) == N_IMAGES
    assert "12 of 12 images" in capsys.readouterr().out


def test_without_a_dataset_the_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["embed", "--data", str(tmp_path)])
    with pytest.raises(SystemExit):
        embed.main()
    assert "No dataset is recognised" in capsys.readouterr().err
