"""The shipped bundle does what its records say, and answers every symmetry of an image alike."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest

from core.analyzer import Analyzer
from core.datasets.ham10000 import default_data_dir, read_mask, read_split
from core.evaluation.mask_metrics import dice
from core.images.preprocessing import resize_mask
from core.images.symmetry import N_SYMMETRIES, apply_symmetry, undo_symmetry
from core.phantoms.lesions import SAMPLES, draw_sample
from core.systems import hub_card
from core.systems.evaluations import RUNS_DIR
from models.loading import check_weights
from models.manifest import SHIPPED_DIR, file_sha256, list_bundles, read_manifest
from training.measure.phantoms import draw_series, score_series
from training.report import readme_scores

pytestmark = pytest.mark.slow
N_CHECKED = 16


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer.load(SHIPPED_DIR)


@pytest.fixture(scope="module")
def records():
    return RUNS_DIR / read_manifest(SHIPPED_DIR).name


def test_weights_are_small_and_their_scores_belong_to_them(records):
    manifest = read_manifest(SHIPPED_DIR)
    for entry in (manifest.segmenter, manifest.classifier):
        assert (SHIPPED_DIR / entry.file).stat().st_size < 40e6
    for name in ("test_scores", "validation_scores", "phantom_scores"):
        record = json.loads((records / f"{name}.json").read_text())
        assert record["fingerprint"] == manifest.fingerprint, f"{name} is of another bundle"


def test_every_bundle_has_its_weights_and_no_file_ships_twice():
    for folder in list_bundles():
        manifest = read_manifest(folder)
        for entry in (manifest.segmenter, manifest.classifier):
            check_weights(folder, entry)
    digests = [file_sha256(path) for path in SHIPPED_DIR.rglob("*.h5")]
    assert len(digests) == len(set(digests))


def test_the_bundles_model_card_holds_the_stored_scores():
    manifest = read_manifest()
    card = (manifest.folder / hub_card.CARD_NAME).read_text()
    assert card == hub_card.render_card(manifest), "run: dermalens bundle card"


def test_readme_shows_the_stored_scores():
    text = readme_scores.README.read_text()
    assert readme_scores.render(text) == text


def test_phantoms_give_their_stored_scores(analyzer, records):
    stored = json.loads((records / "phantom_scores.json").read_text())
    rows = score_series(analyzer, draw_series(N_CHECKED))
    for row, kept in zip(rows, stored["phantoms"], strict=False):
        assert row["dice"] == pytest.approx(kept["dice"], abs=0.01)
        for code, probability in row["probabilities"].items():
            assert probability == pytest.approx(kept["probabilities"][code], abs=0.02)


def test_the_drawn_samples_are_answered(analyzer):
    refused = [sample.name for sample in SAMPLES if analyzer.analyze(draw_sample(sample.name).image).unknown]
    assert refused == []


@pytest.mark.parametrize("size_px", [(450, 600), (301, 400)])
def test_a_turned_image_gives_the_turned_mask_and_the_same_answer(analyzer, size_px):
    image = cv2.resize(draw_sample(SAMPLES[1].name).image, size_px[::-1], interpolation=cv2.INTER_AREA)
    original = analyzer.analyze(image)
    for view in range(1, N_SYMMETRIES):
        turned = analyzer.analyze(np.ascontiguousarray(apply_symmetry(image, view)))
        back = undo_symmetry(turned.lesion.lesion_mask, view)
        assert dice(original.lesion.lesion_mask, back) > 0.99
        difference = original.classification.probabilities - turned.classification.probabilities
        assert np.abs(difference).max() < 0.02
        saliency = undo_symmetry(turned.saliency, view)
        assert np.abs(original.saliency - saliency).mean() < 0.02


def test_one_view_alone_is_not_symmetric(analyzer):
    """Otherwise the test above would prove nothing about the eight views."""
    from core.settings import AnalysisSettings

    image = draw_sample(SAMPLES[1].name).image
    single = AnalysisSettings(test_time_augmentation=False)
    answers = [
        analyzer.analyze(np.ascontiguousarray(apply_symmetry(image, view)), single) for view in (0, 1, 4)
    ]
    probabilities = [answer.classification.probabilities for answer in answers]
    assert max(np.abs(probabilities[0] - other).max() for other in probabilities[1:]) > 1e-3


def test_real_images_give_their_stored_answers(analyzer, records):
    if default_data_dir() is None:
        pytest.skip("DERMALENS_DATA does not name a HAM10000 folder")
    stored = pd.read_csv(records / "validation_predictions.csv").set_index("image_id")
    frame = read_split(default_data_dir(), "validation").iloc[:: 1511 // 48]
    same, dices, kept_dices = [], [], []
    for row in frame.itertuples():
        [analysis] = analyzer.analyze_batch([row.image_path])
        kept = stored.loc[row.image_id]
        same.append(analysis.classification.prediction == kept["prediction"])
        expert = resize_mask(read_mask(row.mask_path), analysis.shape)
        dices.append(dice(analysis.lesion.lesion_mask, expert))
        kept_dices.append(kept["dice"])
    # The release comes in several image sizes, so single answers near a tie may differ.
    assert np.mean(same) >= 0.9
    assert np.mean(dices) == pytest.approx(np.mean(kept_dices), abs=0.02)
