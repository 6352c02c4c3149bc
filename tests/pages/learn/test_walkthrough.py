"""An analysis told as steps: every number must be the analysis's own."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis import Analysis
from core.analyzer import Analyzer
from core.diagnosis.classification import undo_temperature
from core.images.preprocessing import PreprocessingSettings
from core.images.symmetry import symmetry_views
from core.phantoms.lesions import draw_phantom, draw_sample
from core.settings import AnalysisSettings
from pages.components.learn.walkthrough import (
    EXPLANATIONS,
    PICTURE_SIDE_PX,
    probability_histogram,
    probability_table,
    view_table,
    walk_through,
)
from tests.fakes import SIZE_PX, fake_bundle


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    bundle = fake_bundle()
    return Analyzer(replace(bundle, manifest=replace(bundle.manifest, temperature=2.0)))


@pytest.fixture(scope="module")
def analysis(analyzer: Analyzer) -> Analysis:
    return analyzer.analyze(draw_phantom(7, size_px=(300, 400)).image)


def find(analysis: Analysis, title: str):
    [step] = [step for step in walk_through(analysis) if step.title == title]
    return step, dict(step.numbers)


def test_the_steps_come_in_the_order_of_the_engine(analysis):
    steps = walk_through(analysis)
    assert [step.title for step in steps] == list(EXPLANATIONS)
    assert all(step.explanation and step.numbers for step in steps)


def test_pictures_are_small_rgb(analyzer):
    large = analyzer.analyze(draw_phantom(7, size_px=(900, 1200)).image)
    for step in walk_through(large):
        for picture in step.pictures:
            assert picture.pixels.dtype == np.uint8 and picture.pixels.shape[2] == 3
            assert max(picture.pixels.shape) <= PICTURE_SIDE_PX
            assert picture.caption


def test_the_numbers_are_those_of_the_analysis(analysis):
    assert find(analysis, "Original")[1]["Size"] == "400 × 300 px"
    assert find(analysis, "Threshold")[1]["Cut"] == f"{analysis.lesion.threshold:.3f}"
    contour = find(analysis, "Contour")[1]
    assert contour["Area"].startswith(f"{analysis.lesion.lesion_mask.sum():,} px")
    assert contour["Perimeter"] == f"{analysis.morphology.perimeter_px:,.0f} px"
    box = analysis.classification.boxes[1]
    assert f"from ({box.x0:.0f}, {box.y0:.0f})" in find(analysis, "Windows")[1]["Window “crop”"]


def test_changed_pixels_are_counted_for_a_hairy_image_and_none_without(analyzer):
    hairy = analyzer.analyze(draw_sample("Under hair").image)
    bare = analyzer.analyze(np.full((300, 400, 3), (222, 190, 180), np.uint8))
    step, numbers = find(hairy, "Hair removed")
    assert int(numbers["Changed pixels"].split()[0].replace(",", "")) > 100
    assert numbers["In this analysis"] == "off"
    marked, painted = step.pictures[1].pixels, step.pictures[0].pixels
    assert (marked != painted).any()
    assert find(bare, "Hair removed")[1]["Changed pixels"].startswith("0 of")


def test_a_switched_on_filter_is_said_to_be_on(analyzer):
    settings = AnalysisSettings(PreprocessingSettings(hair_removal=True))
    hairy = analyzer.analyze(draw_sample("Under hair").image, settings)
    assert find(hairy, "Hair removed")[1]["In this analysis"] == "on"


def test_views_are_the_squares_that_the_classifier_saw(analysis):
    pictures = find(analysis, "Views")[0].pictures
    assert len(pictures) == 16 and pictures[0].pixels.shape == (SIZE_PX, SIZE_PX, 3)
    whole = symmetry_views(pictures[0].pixels)
    np.testing.assert_array_equal([picture.pixels for picture in pictures[:8]], whole)
    np.testing.assert_array_equal(find(analysis, "Windows")[0].pictures[1].pixels, pictures[8].pixels)


def test_the_view_table_follows_the_pictures(analysis):
    table = view_table(analysis)
    assert table["window"].tolist() == ["whole"] * 8 + ["crop"] * 8
    assert table["view"].tolist() == [*range(1, 9)] * 2
    codes = list(analysis.classification.classes)
    np.testing.assert_allclose(table[codes].mean(), analysis.classification.probabilities)


def test_probabilities_before_temperature_undo_it_view_by_view(analysis):
    table = probability_table(analysis)
    assert table["after"].is_monotonic_decreasing
    assert table["before"].sum() == pytest.approx(1)
    expected = undo_temperature(analysis.classification.view_probabilities, 2.0).mean(axis=0)
    by_code = table.set_index("code")["before"]
    np.testing.assert_allclose(by_code[list(analysis.classification.classes)], expected)
    assert (table["before"] - table["after"]).abs().max() > 0.01


def test_the_histogram_counts_every_pixel(analysis):
    counts, edges = probability_histogram(analysis, n_bins=4)
    assert counts.sum() == 300 * 400
    np.testing.assert_allclose(edges, [0, 0.25, 0.5, 0.75, 1])
    assert counts[0] == (analysis.mask_probability < 0.25).sum()


def test_an_image_without_a_lesion_is_told_to_the_end(analyzer):
    bare = analyzer.analyze(np.full((300, 400, 3), (222, 190, 180), np.uint8))
    assert not bare.lesion.found
    assert find(bare, "Contour")[1] == {"Lesion": "none found"}
    assert find(bare, "Threshold")[1]["Pixels in the final mask"] == "0"
    assert len(walk_through(bare)) == len(EXPLANATIONS)


def test_one_view_has_no_spread(analyzer):
    settings = AnalysisSettings(test_time_augmentation=False)
    single = analyzer.analyze(draw_phantom(7, size_px=(300, 400)).image, settings)
    assert len(find(single, "Views")[0].pictures) == 2
    assert find(single, "Views")[1]["Views"] == "2: 1 of each of 2 windows"


def test_a_missing_heatmap_is_said(analyzer):
    [plain] = analyzer.analyze_batch([draw_phantom(7, size_px=(300, 400)).image])
    assert find(plain, "Heatmap")[1] == {"Heatmap": "not computed"}
