"""Classic systems side by side: scores are those of the bundle's own record, parts are weighed apart."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.taxonomy import BINARY_CLASSES
from tests.fakes import fake_bundle
from training.measure import systems
from training.measure.systems import (
    BOTH,
    CLASSES,
    MASKS,
    SYSTEMS,
    System,
    describe_cut,
    score_shipped,
    weigh,
)

INTERVAL = {"estimate": 0.5, "low": 0.4, "high": 0.6}


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A fake bundle that was evaluated; returns (its manifest, the folder of runs)."""
    manifest = replace(fake_bundle().manifest, folder=tmp_path / "weights")
    manifest.folder.mkdir()
    parts = {}
    for part, size in (("segmenter", 3000), ("classifier", 1000)):
        entry = getattr(manifest, part)
        entry = replace(entry, file=f"{part}.h5", record={"parameters": size // 10})
        entry = replace(entry, builder="unet" if part == "segmenter" else "plain_cnn")
        (manifest.folder / entry.file).write_bytes(b"0" * size)
        parts[part] = entry
    manifest = replace(manifest, **parts)
    monkeypatch.setattr(systems, "read_manifest", lambda folder: manifest)
    runs = tmp_path / "runs"
    (runs / manifest.name).mkdir(parents=True)
    record = {
        "fingerprint": manifest.fingerprint,
        "classification": dict.fromkeys(("balanced_accuracy", "accuracy", "macro_roc_auc"), INTERVAL),
        "suspicious_at_threshold": dict.fromkeys(("sensitivity", "specificity"), INTERVAL),
        "segmentation": dict.fromkeys(("dice", "jaccard", "share_failed"), INTERVAL),
    }
    (runs / manifest.name / "test_scores.json").write_text(json.dumps(record))
    rows = [
        {
            "image_id": f"I{k}",
            "dx": code,
            "lesion_id": f"L{k}",
            **{f"p_{c}": float(c == code) for c in manifest.classes},
        }
        for k, code in enumerate(manifest.classes * 2)
    ]
    pd.DataFrame(rows).to_csv(runs / manifest.name / "test_predictions.csv", index=False)
    return manifest, runs


def system(tasks) -> System:
    return System("classic", "", (), Path("weights"), tasks)


def test_each_part_has_its_own_scores_and_size(bundle):
    manifest, runs = bundle
    masks, classes = (score_shipped(system(tasks), runs) for tasks in (MASKS, CLASSES))
    assert set(masks) == {"dice", "jaccard", "share_failed"}
    assert classes["balanced_accuracy"] == INTERVAL
    assert classes["suspicious_roc_auc"]["estimate"] == 1.0  # every class was told apart
    assert set(score_shipped(system(BOTH), runs)) == set(masks) | set(classes)
    assert weigh(system(MASKS), manifest) == {"parameters": 300, "size_mb": 0.003}
    assert weigh(system(BOTH), manifest) == {"parameters": 400, "size_mb": 0.004}


def test_a_record_of_other_weights_is_refused(bundle):
    manifest, runs = bundle
    path = runs / manifest.name / "test_scores.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fingerprint": "other"}))
    with pytest.raises(ValueError, match="evaluate the bundle again"):
        score_shipped(system(BOTH), runs)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"evaluate scores --split test"):
        score_shipped(system(BOTH), runs)


def test_a_system_that_only_tells_malignant_from_benign_has_no_scores_over_diagnoses(bundle):
    manifest, runs = bundle
    rows = [
        {"image_id": f"I{k}", "dx": code, "lesion_id": f"L{k}", "p_benign": 1.0 - k, "p_malignant": float(k)}
        for k, code in enumerate(BINARY_CLASSES)
    ]
    pd.DataFrame(rows).to_csv(runs / manifest.name / "test_predictions.csv", index=False)
    scores = score_shipped(system(CLASSES), runs)
    assert set(scores) == {f"suspicious_{name}" for name in ("roc_auc", "sensitivity", "specificity")}
    assert scores["suspicious_roc_auc"]["estimate"] == 1.0


def test_every_system_names_recipes_that_are_there():
    for config in (config for system in SYSTEMS for config in system.configs):
        assert isinstance(describe_cut(config), str)
