"""What a manifest must say, and what is refused."""

import json
from dataclasses import replace

import pytest

from core.taxonomy import HAM10000_CLASSES
from models.manifest import (
    MANIFEST_NAME,
    SHIPPED_DIR,
    BundleError,
    bundle_dir,
    file_sha256,
    read_manifest,
)


def rewrite(folder, change) -> None:
    path = folder / MANIFEST_NAME
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_manifest_is_read_as_it_was_written(bundle_folder):
    manifest = read_manifest(bundle_folder)
    assert manifest.classes == HAM10000_CLASSES and manifest.views == ("whole", "crop")
    assert (manifest.temperature, manifest.suspicious_threshold) == (1.5, 0.2)
    assert manifest.filters == ("hair_removal",)
    assert manifest.segmenter.input_size_px == 32 and manifest.classifier.long_side_px == 200


def test_the_bundles_folder_comes_from_the_environment_or_is_the_shipped_one(bundle_folder, monkeypatch):
    monkeypatch.setenv("DERMALENS_WEIGHTS", str(bundle_folder))
    assert read_manifest().folder == bundle_dir() == bundle_folder
    monkeypatch.setenv("DERMALENS_WEIGHTS", " ")
    assert bundle_dir() == SHIPPED_DIR


def test_fingerprint_changes_with_everything_that_can_change_an_answer(bundle_folder):
    manifest = read_manifest(bundle_folder)
    segmenter, classifier = manifest.segmenter, manifest.classifier
    changed = [
        replace(manifest, temperature=1.6),
        replace(manifest, suspicious_threshold=0.3),
        replace(manifest, views=("whole",)),
        replace(manifest, crop_margin=0.4),
        replace(manifest, classes=("benign", "malignant")),
        replace(manifest, segmenter=replace(segmenter, sha256="0" * 64)),
        replace(manifest, classifier=replace(classifier, sha256="0" * 64)),
        replace(manifest, segmenter=replace(segmenter, long_side_px=600)),
        replace(manifest, classifier=replace(classifier, arguments={"input_size_px": 96})),
    ]
    assert len({m.fingerprint for m in (manifest, *changed)}) == 1 + len(changed)
    assert read_manifest(bundle_folder).fingerprint == manifest.fingerprint


TRUST = {
    "conformal": {"confidence_level": 0.9, "marginal_quantile": 0.7, "class_quantiles": [0.8] * 7},
    "novelty": {"file": "novelty.npz", "sha256": "0" * 64, "threshold": {"value": 0.6, "origin": "made up"}},
    "decision": {"offsets": [0.5, 0, 0, 0, 0, -0.5, 0]},
}


def test_what_a_bundle_states_about_trust_is_read_and_leaves_the_fingerprint(bundle_folder):
    older = read_manifest(bundle_folder)
    assert (older.conformal, older.novelty, older.decision_offsets) == (None, None, None)
    rewrite(bundle_folder, lambda record: record["classifier"].update(TRUST))
    manifest = read_manifest(bundle_folder)
    assert manifest.conformal.class_quantiles == (0.8,) * 7 and manifest.conformal.marginal_quantile == 0.7
    assert (manifest.novelty.file, manifest.novelty.threshold) == ("novelty.npz", 0.6)
    assert manifest.decision_offsets[5] == -0.5
    assert manifest.fingerprint == older.fingerprint


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("conformal", {"class_quantiles": [0.8] * 6}, "7 class quantiles"),
        ("conformal", {"marginal_quantile": 1.5}, "all in"),
        ("novelty", {"file": "../novelty.npz"}, "must lie beside the manifest"),
        ("novelty", {"threshold": {"value": float("nan"), "origin": ""}}, "positive threshold"),
        ("decision", {"offsets": [0.0] * 8}, "7 finite offsets"),
        ("decision", {"offsets": [float("inf")] * 7}, "7 finite offsets"),
    ],
)
def test_numbers_about_trust_that_do_not_fit_are_refused(bundle_folder, entry, change, message):
    rewrite(bundle_folder, lambda record: record["classifier"].update({entry: TRUST[entry] | change}))
    with pytest.raises(BundleError, match=message):
        read_manifest(bundle_folder)


def test_file_hash_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, example B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "abc") == expected


# --- refusals


def test_a_missing_manifest_is_named_with_its_remedy(tmp_path):
    with pytest.raises(BundleError, match=r"No manifest.json in .*Restore"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"', "\u00fc{"])
def test_what_is_no_manifest_is_refused(bundle_folder, text):
    (bundle_folder / MANIFEST_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match="not a valid manifest"):
        read_manifest(bundle_folder)


def test_bytes_that_are_no_text_are_refused(bundle_folder):
    (bundle_folder / MANIFEST_NAME).write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(BundleError, match="not a valid manifest"):
        read_manifest(bundle_folder)


@pytest.mark.parametrize("field", ["name", "segmenter", "classifier", "preprocessing"])
def test_a_missing_field_is_named(bundle_folder, field):
    rewrite(bundle_folder, lambda record: record.pop(field))
    with pytest.raises(BundleError, match=f"field '{field}' is missing"):
        read_manifest(bundle_folder)


@pytest.mark.parametrize(
    "file",
    [
        *("../segmenter.weights.h5", "/etc/passwd", "sub/x.weights.h5", "../../x.weights.h5"),
        *(".././x.weights.h5", "../a/b/x.weights.h5", "../a/passwd", "../a/../x.weights.h5"),
    ],
)
def test_weights_outside_the_bundles_folder_are_refused(bundle_folder, file):
    rewrite(bundle_folder, lambda record: record["segmenter"].update(file=file))
    with pytest.raises(BundleError, match="must lie beside the manifest"):
        read_manifest(bundle_folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0}, "`temperature` must be positive"),
        ({"temperature": float("nan")}, "`temperature` must be positive"),
        ({"temperature": "hot"}, "could not convert"),
        ({"views": []}, "`views` must be of"),
        ({"views": ["whole", "zoom"]}, "`views` must be of"),
        ({"suspicious_threshold": {"value": 1.2, "origin": ""}}, "`suspicious_threshold` must lie in"),
        ({"arguments": {"backbone": "tiny"}}, "must name `input_size_px`"),
        ({"long_side_px": None}, "int()"),
    ],
)
def test_values_out_of_range_are_named(bundle_folder, change, message):
    rewrite(bundle_folder, lambda record: record["classifier"].update(change))
    with pytest.raises(BundleError, match=message.replace("(", r"\(").replace(")", r"\)")):
        read_manifest(bundle_folder)
