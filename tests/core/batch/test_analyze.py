"""Folders of images, good and bad, through the analyser."""

from pathlib import Path

import numpy as np
import pytest

from core.batch.analyze import BATCH_SIZE, analyze_paths, find_images, unique_stems
from core.images.drawing import encode_png
from core.images.reading import ImageError
from core.settings import AnalysisSettings


@pytest.fixture
def folder(tmp_path, phantom) -> Path:
    """Six images, the third of them damaged: more than one batch."""
    for index in range(6):
        data = encode_png(np.roll(phantom.image, 3 * index, axis=1))
        (tmp_path / f"{index}.png").write_bytes(data[:200] if index == 2 else data)
    return tmp_path


def test_images_are_found_in_order_and_once(folder):
    expected = [folder / f"{index}.png" for index in range(6)]
    assert find_images([folder]).paths == expected
    assert find_images([str(expected[3]), folder]).paths == [expected[3], *expected[:3], *expected[4:]]


def test_a_missing_path_is_kept_and_an_empty_folder_refused(tmp_path):
    assert find_images([tmp_path / "nowhere.jpg"]).paths == [tmp_path / "nowhere.jpg"]
    with pytest.raises(ImageError, match="holds no images"):
        find_images([tmp_path])


def test_stems_are_numbered_without_meeting_a_name_that_is_taken():
    paths = [Path("a/x.jpg"), Path("a/x_2.jpg"), Path("b/x.jpg"), Path("c/x.png")]
    assert unique_stems(paths) == ["x", "x_2", "x_3", "x_4"]


def test_outcomes_come_in_order_and_a_bad_file_does_not_stop_the_rest(analyzer, folder):
    outcomes = list(analyze_paths(analyzer, [*find_images([folder]).paths, folder / "nowhere.png"]))
    assert [outcome.stem for outcome in outcomes] == ["0", "1", "2", "3", "4", "5", "nowhere"]
    failed = [outcome.stem for outcome in outcomes if outcome.analysis is None]
    assert failed == ["2", "nowhere"]
    assert "damaged" in outcomes[2].error and "No file" in outcomes[6].error
    for outcome in outcomes:
        if outcome.analysis:
            assert outcome.error == "" and outcome.analysis.image.name == outcome.path.name


def test_outcomes_are_what_each_image_gives_alone(analyzer, folder):
    settings = AnalysisSettings(test_time_augmentation=False)
    for outcome in analyze_paths(analyzer, [folder / "0.png", folder / "5.png"], settings):
        alone = analyzer.analyze(outcome.path, settings)
        assert outcome.analysis.settings == settings
        np.testing.assert_array_equal(outcome.analysis.lesion.lesion_mask, alone.lesion.lesion_mask)
        np.testing.assert_allclose(
            outcome.analysis.classification.probabilities, alone.classification.probabilities, atol=1e-6
        )


def test_networks_get_whole_batches(analyzer, folder, monkeypatch):
    sizes = []
    original = analyzer.analyze_batch
    monkeypatch.setattr(analyzer, "analyze_batch", lambda s, *a: sizes.append(len(s)) or original(s, *a))
    list(analyze_paths(analyzer, find_images([folder]).paths))
    assert BATCH_SIZE == 4 and sizes == [3, 2]  # 0 1 (2) 3 and 4 5


def test_a_batch_of_bad_files_only_and_no_file_at_all(analyzer, folder):
    [outcome] = analyze_paths(analyzer, [folder / "2.png"])
    assert outcome.analysis is None and outcome.error
    assert list(analyze_paths(analyzer, [])) == []
