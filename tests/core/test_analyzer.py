"""The one door, on fake networks: what comes out, and that it is stable under turns, batches and threads."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from core.analyzer import Analyzer
from core.diagnosis.novelty import NoveltyModel
from core.images.drawing import encode_png
from core.images.preprocessing import PreprocessingSettings
from core.images.reading import ImageError, read_image
from core.images.symmetry import N_SYMMETRIES, apply_symmetry
from core.phantoms.lesions import draw_sample
from core.settings import AnalysisSettings
from models.manifest import BundleError, ConformalEntry, NoveltyEntry, file_sha256
from tests.fakes import CHANNELS, fake_bundle

STAGES = [
    *("reading", "preprocessing", "segmentation", "refinement", "classification", "quality", "morphology"),
    "explanation",
]
BLANK = np.full((150, 200, 3), (212, 164, 172), np.uint8)


@pytest.fixture(scope="module")
def analysis(analyzer, phantom):
    return analyzer.analyze(phantom.image)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def same_answer(a, b) -> bool:
    return (
        np.array_equal(a.lesion.lesion_mask, b.lesion.lesion_mask)
        and np.allclose(a.classification.probabilities, b.classification.probabilities, atol=1e-6)
        and repr(a.quality) == repr(b.quality)  # may hold NaN, which equals nothing
    )


# --- one image


def test_analysis_of_a_phantom_holds_every_part(analysis, phantom):
    assert analysis.shape == (150, 200)
    np.testing.assert_array_equal(analysis.image.pixels, phantom.image)
    assert analysis.lesion.found and jaccard(analysis.lesion.lesion_mask, phantom.lesion_mask) > 0.85
    assert analysis.mask_probability.shape == analysis.saliency.shape == analysis.shape
    assert analysis.saliency.min() >= 0 and analysis.saliency.max() <= 1
    assert analysis.morphology.area_px == analysis.lesion.lesion_mask.sum()
    assert analysis.lesion_area_fraction == pytest.approx(phantom.lesion_mask.mean(), rel=0.15)
    assert analysis.classification.probabilities.sum() == pytest.approx(1)
    assert not analysis.quality.warned


def test_every_stage_is_timed(analysis):
    assert list(analysis.stage_ms) == STAGES
    assert all(milliseconds >= 0 for milliseconds in analysis.stage_ms.values())
    assert analysis.total_ms == pytest.approx(sum(analysis.stage_ms.values()))


def test_suspicious_is_judged_by_the_bundles_threshold(analysis):
    share = analysis.classification.suspicious_probability
    for threshold, expected in ((share, True), (share + 1e-6, False)):
        judged = replace(analysis, manifest=replace(analysis.manifest, suspicious_threshold=threshold))
        assert judged.suspicious is expected


def test_bytes_path_array_and_loaded_image_give_the_same_answer(analyzer, phantom, analysis, tmp_path):
    data = encode_png(phantom.image)
    path = tmp_path / "lesion.png"
    path.write_bytes(data)
    for source in (data, path, str(path), read_image(data)):
        assert same_answer(analyzer.analyze(source), analysis)


def test_the_networks_see_the_resolution_they_were_trained_at(analyzer):
    large = draw_sample("Irregular, several colours", size_px=(450, 600))
    analysis = analyzer.analyze(large.image)
    assert analysis.preprocessed.shape == (150, 200, 3)
    assert analysis.lesion.lesion_mask.shape == analysis.saliency.shape == (450, 600)
    assert jaccard(analysis.lesion.lesion_mask, large.lesion_mask) > 0.85


def test_the_same_image_always_gives_the_same_answer(analyzer, phantom, analysis):
    again = analyzer.analyze(phantom.image)
    assert same_answer(again, analysis)
    np.testing.assert_array_equal(again.saliency, analysis.saliency)


@pytest.mark.parametrize("view", range(1, N_SYMMETRIES))
def test_a_turned_image_gives_the_turned_mask_and_the_same_probabilities(analyzer, phantom, analysis, view):
    turned = analyzer.analyze(np.ascontiguousarray(apply_symmetry(phantom.image, view)))
    expected = apply_symmetry(analysis.lesion.lesion_mask, view)
    assert jaccard(turned.lesion.lesion_mask, expected) > 0.98
    difference = turned.classification.probabilities - analysis.classification.probabilities
    assert np.abs(difference).max() <= 0.02


def test_blank_skin_has_no_lesion_and_still_an_answer(analyzer):
    analysis = analyzer.analyze(BLANK)
    assert not analysis.lesion.found and analysis.morphology is None
    assert analysis.lesion_area_fraction == 0
    assert analysis.classification.probabilities.sum() == pytest.approx(1)
    whole, crop = analysis.classification.boxes
    assert whole == crop


def test_filters_change_what_the_classifier_sees_and_neither_image_nor_outline(analyzer, phantom, analysis):
    settings = AnalysisSettings(PreprocessingSettings(colour_constancy=True, edge_enhancement=True))
    filtered = analyzer.analyze(phantom.image, settings)
    assert filtered.settings == settings
    assert (filtered.preprocessed != phantom.image).any()
    np.testing.assert_array_equal(filtered.image.pixels, phantom.image)
    np.testing.assert_array_equal(filtered.lesion.lesion_mask, analysis.lesion.lesion_mask)
    changed = filtered.classification.probabilities != analysis.classification.probabilities
    assert changed.any()


def test_without_augmentation_there_is_one_view_a_window_and_no_spread(analyzer, phantom):
    settings = AnalysisSettings(test_time_augmentation=False)
    answer = analyzer.analyze(phantom.image, settings).classification
    assert len(answer.view_probabilities) == len(answer.boxes) == 2
    single = replace(answer, view_probabilities=answer.view_probabilities[:1], boxes=answer.boxes[:1])
    assert np.isnan(single.spread).all()


def test_any_class_can_be_explained_afterwards(analyzer, analysis):
    code = analysis.classification.prediction
    np.testing.assert_array_equal(analyzer.explain(analysis, code), analysis.saliency)
    other = next(c for c in analysis.classification.classes if c != code)
    assert not np.array_equal(analyzer.explain(analysis, other), analysis.saliency)
    with pytest.raises(ValueError, match="one of akiec"):
        analyzer.explain(analysis, "scc")


def test_default_settings_are_the_bundles(analyzer):
    manifest = analyzer.bundle.manifest
    assert analyzer.default_settings == AnalysisSettings(PreprocessingSettings(), test_time_augmentation=True)
    stated = replace(manifest, filters=("hair_removal",), test_time_augmentation=False)
    expected = AnalysisSettings(PreprocessingSettings(hair_removal=True), test_time_augmentation=False)
    assert Analyzer(replace(analyzer.bundle, manifest=stated)).default_settings == expected


@pytest.mark.parametrize(
    ("change", "named"), [({"filters": ("sharpen",)}, "sharpen"), ({"classes": ("mel", "mole")}, "mole")]
)
def test_a_bundle_that_names_what_the_engine_does_not_know_is_refused(analyzer, change, named):
    bundle = replace(analyzer.bundle, manifest=replace(analyzer.manifest, **change))
    with pytest.raises(BundleError, match=named):
        Analyzer(bundle)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("mask_map", np.zeros((200, 150), np.float32)),
        ("saliency_map", np.zeros((150, 200, 1), np.float32)),
        ("preprocessed", np.zeros((150, 200), np.uint8)),
    ],
)
def test_an_analysis_whose_parts_do_not_fit_the_image_is_refused(analysis, part, value):
    with pytest.raises(ValueError, match=f"`{part}` must be"):
        replace(analysis, **{part: value})


@pytest.mark.parametrize(
    ("source", "reason"), [(b"", "empty"), (b"no image" * 99, "not_an_image"), ("nowhere.jpg", "missing")]
)
def test_what_is_no_image_is_refused(analyzer, source, reason):
    with pytest.raises(ImageError) as caught:
        analyzer.analyze(source)
    assert caught.value.reason == reason


# --- how far to trust it


def test_a_bundle_that_states_nothing_gives_no_set_no_novelty_and_no_other_decision(analysis):
    assert (analysis.conformal_set, analysis.novelty, analysis.balanced_prediction) == (None, None, None)
    assert analysis.unknown is False


def test_the_set_and_the_balanced_decision_follow_the_manifest(analysis):
    answer = analysis.classification
    [(first, p, _), (second, _, _), *_] = answer.ranked()
    only_second = tuple(1.0 if code == second else 0.0 for code in answer.classes)
    entry = ConformalEntry(0.9, 1 - p, only_second)
    offsets = tuple(50.0 if code == second else 0.0 for code in answer.classes)
    manifest = replace(analysis.manifest, conformal=entry, decision_offsets=offsets)
    judged = replace(analysis, manifest=manifest)
    assert judged.conformal_set == (second,)
    assert judged.balanced_prediction == second and answer.prediction == first


def test_novelty_comes_from_the_first_view_and_is_judged_by_the_threshold(analysis, phantom, tmp_path):
    model = NoveltyModel(np.zeros(CHANNELS), np.eye(CHANNELS)[:2])
    model.save(tmp_path / "novelty.npz")
    score = float(model.score(analysis.classification.features[0].mean(axis=(0, 1))))
    for threshold, expected in ((score - 1e-3, True), (score + 1e-3, False)):
        entry = NoveltyEntry("novelty.npz", file_sha256(tmp_path / "novelty.npz"), threshold, "made up")
        bundle = fake_bundle()
        bundle = replace(bundle, manifest=replace(bundle.manifest, folder=tmp_path, novelty=entry))
        one_view = Analyzer(bundle).analyze_batch(
            [phantom.image], AnalysisSettings(test_time_augmentation=False)
        )
        [judged] = one_view
        assert judged.novelty == pytest.approx(score) and judged.unknown is expected


def test_what_reading_found_stands_among_the_quality_findings_with_warnings_first(analyzer, phantom):
    grey = phantom.image.mean(axis=2).astype(np.uint8)
    findings = analyzer.analyze(grey).quality.findings
    assert findings[0].code == "no_colour"
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, reverse=True)  # "warning" before "note"
    codes = {finding.code for finding in analyzer.analyze(phantom.image).quality.findings}
    assert "no_colour" not in codes


def test_another_spot_is_said_and_can_be_analysed_instead(analyzer):
    image = BLANK.copy()
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    for centre, radius in ((image.shape[1] * 0.3, 30), (image.shape[1] * 0.8, 18)):
        image[np.hypot(x - centre, y - image.shape[0] / 2) < radius] = (70, 40, 30)
    first = analyzer.analyze(image)
    assert "other_spots" in {finding.code for finding in first.quality.findings}
    second = analyzer.analyze(image, replace(first.settings, spot=1))
    assert second.lesion.lesion_mask.sum() < first.lesion.lesion_mask.sum()
    assert not (second.lesion.lesion_mask & first.lesion.lesion_mask).any()
    assert second.morphology.area_px == second.lesion.lesion_mask.sum()
    with pytest.raises(ValueError, match="spot"):
        analyzer.analyze(image, replace(first.settings, spot=2))


# --- many images


def test_a_batch_gives_each_image_the_answer_it_gets_alone(analyzer, phantom, analysis):
    images = [phantom.image, BLANK, phantom.image[:120, 20:180]]
    together = analyzer.analyze_batch(images)
    assert same_answer(together[0], analysis)
    for batched, image in zip(together, images, strict=True):
        alone = analyzer.analyze(image)
        assert same_answer(batched, alone) and batched.saliency is None
        assert list(batched.stage_ms) == STAGES[:-1]


def test_an_empty_batch_has_no_answers(analyzer):
    assert analyzer.analyze_batch([]) == []


def test_threads_share_the_analyser_and_get_their_own_answers(analyzer):
    names = ("Round, mole-like", "Irregular, several colours", "Under hair", "Darker skin")
    images = [draw_sample(name, size_px=(150, 200)).image for name in names] * 2
    alone = [analyzer.analyze(image) for image in images[:4]] * 2
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(analyzer.analyze, images))
    assert all(same_answer(a, b) for a, b in zip(together, alone, strict=True))
    answers = {json.dumps(a.classification.probabilities.round(6).tolist()) for a in together}
    assert len(answers) == 4  # four images, four answers: nobody got another's
