"""A tiny run of every stage of the recipe, on drawn pictures."""

import importlib
import json
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.analyzer import Analyzer
from core.phantoms.lesions import draw_phantom
from models import efficientnet
from models.manifest import read_manifest
from tests.models.conftest import build_tiny_backbone
from training import recipe
from training.bundle import export, fit_novelty, fit_trust, out_of_distribution
from training.data import sets
from training.fit import engine, run_folder, train_classification, train_segmentation
from training.fit.schedules import Stage
from training.measure import evaluate

CLASSES = ("bkl", "mel", "nv")
SIZE_PX = (72, 96)
EPOCH = (Stage("all", epochs=1, learning_rate=1e-3),)
IMAGES = {"train": 9, "validation": 9}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Two sets of drawn lesions, one of them without experts' masks, and a split file."""
    rows = []
    for name in ("ham10000", "milk10k"):
        images = draw_set(tmp_path / "data" / name, with_masks=name == "ham10000")
        split = np.repeat(list(IMAGES), list(IMAGES.values()))
        rows += [
            {"dataset": name, "image_id": image, "lesion_id": f"{name}{k}", "dx": dx, "split": split[k]}
            for k, (image, dx) in enumerate(images)
        ]
    split_file = tmp_path / "splits.csv"
    pd.DataFrame(rows).to_csv(split_file, index=False)
    monkeypatch.setattr(sets.read_split, "__defaults__", (sets.SETS, split_file))
    return tmp_path / "data"


def draw_set(folder, with_masks: bool) -> list[tuple[str, str]]:
    """Write a set in its own layout; (image id, diagnosis) of each image."""
    ham = with_masks
    pictures = folder / ("HAM10000_images_part_1" if ham else "images")
    masks = folder / "HAM10000_segmentations_lesion_tschandl"
    for path in (pictures, *([masks] if ham else [])):
        path.mkdir(parents=True)
    rows = []
    for k in range(sum(IMAGES.values())):
        name, dx = f"{folder.name}_{k:02d}", CLASSES[k % 3]
        phantom = draw_phantom(k + 100 * ham, size_px=SIZE_PX)
        Image.fromarray(phantom.image).save(pictures / f"{name}.png")
        if ham:
            Image.fromarray(phantom.lesion_mask.astype(np.uint8) * 255).save(
                masks / f"{name}_segmentation.png"
            )
        facts = {"dx_type": "histo", "age": 50, "sex": "male", "localization": "back"}
        rows.append(
            {"lesion_id": f"L{k}", "image_id" if ham else "image": name, "dx": dx, **(facts if ham else {})}
        )
    pd.DataFrame(rows).to_csv(folder / ("HAM10000_metadata.csv" if ham else "labels.csv"), index=False)
    return [(row["image_id" if ham else "image"], row["dx"]) for row in rows]


def shrink(config):
    """A configuration of the recipe, small enough for a test; everything else is as it is."""
    small = {"stages": EPOCH, "draws": 8, "batch_size": 4, "long_side_px": 64, "validation_stride": 1}
    shares = {"sets": {"ham10000": 0.7, "milk10k": 0.3}}
    if isinstance(config, train_segmentation.SegmentationConfig):
        return replace(config, model={"base_filters": 2, "depth": 1, "input_size_px": 32}, **small, **shares)
    return replace(
        config,
        model=config.model | {"backbone": "tiny", "input_size_px": 64},
        classes=CLASSES,
        **small,
        **shares,
    )


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """Folders of this test in place of the project's, and small networks."""
    monkeypatch.setitem(efficientnet.BACKBONES, "tiny", build_tiny_backbone)
    monkeypatch.setattr(run_folder, "WORK_DIR", tmp_path / "work")
    monkeypatch.setattr(run_folder, "_summary_writer", lambda folder: None)
    for module in (export, evaluate, fit_trust):
        monkeypatch.setattr(module, "RUNS_DIR", tmp_path / "runs")
    for module in (train_segmentation, train_classification):
        monkeypatch.setattr(module, "load_config", lambda name: shrink(engine.load_config(name)))
    monkeypatch.setattr(fit_novelty, "N_COMPONENTS", 2)
    monkeypatch.setattr(out_of_distribution, "SCENES_PER_KIND", 1)
    monkeypatch.setattr(out_of_distribution, "SIZE_PX", SIZE_PX)
    return tmp_path


def test_every_stage_leads_to_a_bundle_that_says_how_far_to_trust_it(data, workplace, monkeypatch):
    def execute(command):
        monkeypatch.setattr(sys, "argv", list(command))
        importlib.import_module(command[0]).main()

    bundle = workplace / "bundle"
    recipe.run(data, imagenet=None, bundle=bundle, execute=execute)
    manifest = read_manifest(bundle)
    assert manifest.classes == CLASSES and manifest.conformal and manifest.novelty
    assert manifest.classifier.builder == "ensemble"
    assert manifest.classifier.record["training_runs"] == ["classifier_first", "classifier_second"]
    for name, has_masks in (("validation", True), ("milk10k_validation", False)):
        scores = json.loads((workplace / "runs" / manifest.name / f"{name}_scores.json").read_text())
        assert scores["n_images"] == IMAGES["validation"]
        assert ("segmentation" in scores) is has_masks  # only one of the sets has outlines of an expert
    analysis = Analyzer.load(bundle).analyze(draw_phantom(1, size_px=SIZE_PX).image)
    assert analysis.classification.probabilities.sum() == pytest.approx(1)


# --- the commands


def test_a_recipe_can_begin_at_a_later_stage(tmp_path):
    commands = []
    recipe.run(tmp_path, bundle=tmp_path, first="export", execute=commands.append)
    assert [command[0] for command in commands] == [
        "training.bundle.export",
        "training.bundle.fit_structures",
        "training.measure.evaluate",
        "training.bundle.fit_trust",
    ]
    assert all(Counter(command)["--data"] == 1 for command in commands)
    with pytest.raises(ValueError, match=r"must be one of segmenter, .*; got 'exporting'"):
        recipe.run(tmp_path, first="exporting", execute=commands.append)


def test_every_network_starts_from_imagenet_and_the_recipe_has_at_most_seven_commands(tmp_path):
    commands = []
    recipe.run(tmp_path, imagenet="start.weights.h5", bundle=tmp_path, execute=commands.append)
    trainings = [command for command in commands if command[0].startswith("training.fit.")]
    assert len(trainings) == 3 and all("start.weights.h5" in command for command in trainings)
    assert len(commands) <= 7


def test_a_stage_that_fails_ends_the_recipe(monkeypatch):
    with pytest.raises(SystemExit) as stopped:
        recipe.run_in_process(["tests.no_such_module"])
    assert stopped.value.code != 0
