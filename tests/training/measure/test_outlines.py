"""The band is found from experts who draw at known probabilities, and is written where an analysis reads it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from core.images.drawing import encode_png
from core.lesion.band import OutlineBand
from core.phantoms.lesions import draw_phantom
from models.manifest import SHIPPED_DIR
from tests.core.lesion.test_band import cone
from tests.fakes import fake_bundle
from training.measure import outlines


def drawn_at(probability: float, seed: int = 0) -> outlines.Outline:
    found = cone(radius_px=40 + seed % 5)
    return found, found >= 0.5, found >= probability


def test_needed_thresholds_lie_at_the_experts_border_give_or_take_the_tolerance():
    low, high = outlines.needed_thresholds(drawn_at(0.3))
    # Of a disc at 0.3, r = 0.7 R, the outermost 5 % of the area lie beyond 0.7 * sqrt(0.95) R.
    assert low == pytest.approx(1 - 0.7 * np.sqrt(0.95), abs=0.01)
    assert high == pytest.approx(0.5, abs=0.03)  # all of the lesion lies inside this expert's outline
    low, high = outlines.needed_thresholds(drawn_at(0.7))
    # A disc of which 95 % lie in that of 0.3 R has a radius of 0.3 / sqrt(0.95) R.
    assert high == pytest.approx(1 - 0.3 / np.sqrt(0.95), abs=0.02)


def test_the_band_spans_what_experts_drew_but_for_the_share_that_is_left_out():
    drawn = [drawn_at(p, k) for k, p in enumerate(np.linspace(0.1, 0.9, 41))]
    band = outlines.fit_band(drawn)
    assert 0.1 < band.low < 0.3 and 0.7 < band.high < 0.9
    scores = outlines.score_band(drawn, np.arange(41).astype(str), band)
    assert scores["between"]["estimate"] == pytest.approx(outlines.SHARE, abs=0.05)
    assert scores["inside_widest"]["estimate"] == pytest.approx(0.9, abs=0.05)


def test_an_outline_that_was_not_found_lies_in_no_band():
    found, lesion, expert = drawn_at(0.5)
    missed = found, np.zeros_like(lesion), expert
    assert outlines.needed_thresholds(missed) == (0, 1)
    scores = outlines.score_band([missed], np.array(["a"]), OutlineBand(0.1, 0.9, 0.9, ""))
    assert scores["between"]["estimate"] == 0 and np.isnan(scores["median_area_ratio"])


@pytest.fixture
def drawn_set(tmp_path):
    rows = []
    for seed in range(4):
        phantom = draw_phantom(seed)
        for name, array in (("image", phantom.image), ("mask", phantom.lesion_mask)):
            (tmp_path / f"{name}{seed}.png").write_bytes(encode_png(array))
        rows.append((str(tmp_path / f"image{seed}.png"), str(tmp_path / f"mask{seed}.png"), f"l{seed}"))
    return pd.DataFrame(rows, columns=["image_path", "mask_path", "lesion_id"])


def test_the_manifest_and_the_report_state_the_band(drawn_set, tmp_path, monkeypatch):
    folder, runs = tmp_path / "bundle", tmp_path / "runs"
    folder.mkdir()
    shutil.copy(SHIPPED_DIR / "manifest.json", folder)
    monkeypatch.setattr(outlines, "load_bundle", lambda folder: fake_bundle())
    monkeypatch.setattr(outlines, "find_sets", lambda data: {"ham10000": data})
    monkeypatch.setattr(outlines, "read_split", lambda data, split, names: drawn_set)
    report = outlines.measure_outlines(folder, tmp_path, runs, limit=3, report_test=True)
    entry = json.loads((folder / "manifest.json").read_text())["segmenter"]["outline_band"]
    assert {name: report[name] for name in entry} == entry
    assert 0 < entry["low"] <= 0.5 <= entry["high"] < 1 and "3 of ham10000" in entry["origin"]
    written = json.loads((runs / "fake bundle" / outlines.REPORT_NAME).read_text())
    assert written["test"]["ham10000"]["n_images"] == 3
