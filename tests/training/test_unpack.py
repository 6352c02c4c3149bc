"""Unpacking: the shipped networks come back as the runs that they were made of."""

import json

import numpy as np
import pytest

from models import efficientnet
from models.builders import BUILDERS
from models.loading import load_bundle
from models.manifest import SHIPPED_DIR, BundleError
from tests.models.conftest import build_tiny_backbone
from training.bundle import export
from training.bundle.packing import shift_exported
from training.fit.run_folder import Run
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig
from training.fit.train_segmentation import SegmentationConfig
from training.prior import shift_logits
from training.unpack import unpack

MODEL = {"backbone": "tiny", "input_size_px": 32}
STAGES = (Stage("all", 1, 1e-3),)
OFFSETS = [0.5, -0.25]


@pytest.fixture
def bundle(monkeypatch, tmp_path):
    """A joined bundle of random weights with prior offsets, and its runs' records without checkpoints."""
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    monkeypatch.setattr(export, "RUNS_DIR", tmp_path / "runs")
    arguments = MODEL | {"shares": [0.25, 0.75]}
    pair = ClassificationConfig("pair", arguments, STAGES, classes=("mel", "nv"), builder="ensemble")
    masks = SegmentationConfig("masks", {"base_filters": 4, "input_size_px": 32}, STAGES)
    runs = {"pair": Run(tmp_path / "runs" / "pair", pair), "masks": Run(tmp_path / "runs" / "masks", masks)}
    runs["pair"].write_scores({"joined": ["first", "second"]})
    runs["masks"].write_scores({})
    network = BUILDERS["ensemble"](**arguments, n_classes=2)
    network.save_weights(runs["pair"].best_weights)
    BUILDERS["unet"](**masks.model).save_weights(runs["masks"].best_weights)
    about = {"name": "small", "version": "1", "description": ""}
    out = tmp_path / "bundle"
    out.mkdir()
    record = export.draft_manifest(about, runs["masks"].dir, runs["pair"].dir, out)
    record["classifier"] = shift_exported(record["classifier"], out, OFFSETS)
    record["classifier"]["prior"] = {"strength": 1.0, "offsets": OFFSETS, "origin": "set by this test"}
    (out / "manifest.json").write_text(json.dumps(record))
    for run in runs.values():
        run.best_weights.unlink()
    return out, tmp_path / "runs"


def test_members_together_answer_as_the_bundle_does_without_its_prior(bundle):
    folder, runs = bundle
    written = unpack(folder, runs)
    assert [file.parent.parent.name for file in written] == ["first", "second", "masks"]
    members = [BUILDERS["classifier"](**MODEL, n_classes=2) for _ in range(2)]
    for member, file in zip(members, written, strict=False):
        member.load_weights(file)
    image = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    first, second = (member.predict(image, verbose=0) for member in members)
    loaded = load_bundle(folder)
    answer = loaded.head_network(loaded.feature_network(image))
    np.testing.assert_allclose(0.25 * first + 0.75 * second + OFFSETS, answer, atol=1e-5)


def test_checkpoints_that_exist_stay_as_they_are(bundle):
    folder, runs = bundle
    kept, *_ = unpack(folder, runs)
    before = kept.read_bytes()
    network = BUILDERS["classifier"](**MODEL, n_classes=2)
    shift_logits(network, np.array([1.0, 1.0]))
    network.save_weights(kept)
    other = kept.read_bytes()
    assert unpack(folder, runs) == [] and kept.read_bytes() == other != before


def test_damaged_weights_are_refused(bundle):
    folder, runs = bundle
    (folder / "classifier.weights.h5").write_bytes(b"not weights")
    with pytest.raises(BundleError, match="SHA-256"):
        unpack(folder, runs)
    assert not list(runs.rglob("best.weights.h5"))


def test_the_shipped_bundle_names_runs_whose_records_ship(tmp_path):
    record = json.loads((SHIPPED_DIR / "manifest.json").read_text())
    for network in ("segmenter", "classifier"):
        assert (export.RUNS_DIR / record[network]["training_run"] / "scores.json").is_file()
