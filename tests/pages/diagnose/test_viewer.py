"""The views as arrays, on an analysis by the stand-in networks."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis import Analysis
from core.analyzer import Analyzer
from core.phantoms.lesions import draw_phantom
from pages.components.diagnose import viewer
from pages.components.shared import engine, figures
from tests.fakes import fake_bundle


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return Analyzer(fake_bundle()).analyze(draw_phantom(7, size_px=(300, 400)).image)


@pytest.mark.parametrize("view", viewer.VIEWS)
def test_a_view_has_the_size_of_the_original(analysis: Analysis, view: str):
    picture = viewer.render_view(analysis, view, 0.5, analysis.saliency)
    assert picture.shape == (300, 400, 3)
    assert picture.dtype == np.uint8


def test_an_opaque_mask_view_is_black_and_white(analysis: Analysis):
    picture = viewer.render_view(analysis, viewer.MASK, 1.0)
    np.testing.assert_array_equal(picture[..., 0] == 255, analysis.lesion.lesion_mask)
    assert set(np.unique(picture)) == {0, 255}


def test_at_opacity_zero_heatmaps_and_mask_leave_the_image_alone(analysis: Analysis):
    for view in (viewer.MASK, viewer.PROBABILITY, viewer.GRADCAM):
        picture = viewer.render_view(analysis, view, 0.0, analysis.saliency)
        np.testing.assert_array_equal(picture, analysis.image.pixels)


def test_large_images_are_shrunk_for_the_browser(analysis: Analysis, monkeypatch):
    monkeypatch.setattr(viewer, "MAX_SIDE_PX", 200)
    for view in viewer.VIEWS:
        assert viewer.render_view(analysis, view, 0.5, analysis.saliency).shape == (150, 200, 3)


def test_outline_is_described_with_size_and_place(analysis: Analysis):
    assert "covers" in viewer.describe_view(analysis, viewer.OUTLINE, "mel")


def test_scale_gives_millimetres_and_leaves_the_stored_analysis_alone(analysis: Analysis):
    scaled = engine.with_scale(analysis, 0.02)
    assert scaled.morphology.diameter_mm == pytest.approx(analysis.morphology.diameter_px * 0.02)
    assert scaled.image.pixel_spacing_mm == 0.02
    assert analysis.morphology.diameter_mm is None
    assert engine.with_scale(analysis, None) is analysis


def test_one_view_has_no_error_bars(analysis: Analysis):
    answer = analysis.classification
    single = replace(answer, view_probabilities=answer.probabilities[None], boxes=answer.boxes[:1])
    assert figures.build_ranking(single, "mel").data[0].error_x.visible is False
