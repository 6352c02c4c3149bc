"""An analysis step by step: pictures, numbers and explanations for learners.

Everything comes from the `Analysis` or from the functions that made it; the hair filter alone runs again,
for illustration, because most bundles leave it off.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from core.analysis import Analysis
from core.analyzer import classifier_input
from core.diagnosis.classification import undo_temperature, window_squares
from core.images.drawing import OUTLINE_COLOUR, blend_heatmap, draw_overlay
from core.images.preprocessing import Box, limit_long_side, mask_picture, remove_hair
from core.images.symmetry import symmetry_views
from core.lesion.refinement import RefinementSettings
from core.taxonomy import get_diagnosis

# Pictures are sent to the browser at most at this size: twice a column's width.
PICTURE_SIDE_PX = 720
EXPLANATIONS = {
    "Original": "The file is decoded to upright RGB; its metadata is dropped. A large image is shrunk to the "
    "resolution the networks were trained at before they see it.",
    "Probability map": "A U-Net gives every pixel a probability of being lesion. It sees eight flipped and "
    "turned copies; their maps are turned back and averaged.",
    "Threshold": "Otsu's method finds the threshold that separates the map's values best, within a fixed "
    "range; a local term then moves it a little where the map is locally faint or dense.",
    "Contour": "Gaps are closed, specks dropped, holes filled and one region kept; its smoothed edge is the "
    "contour. The measurements (ABCD) are taken from it.",
    "Hair removed": "Dark, thin structures are found by a morphological black-hat and painted over with the "
    "skin around them (DullRazor), before the classifier alone. Shown for illustration: the bundle's default, chosen on "
    "the validation split, can be changed by the user.",
    "Windows": "What the classifier sees, as validation chose it for this bundle: the whole image, or also a square "
    "around the lesion with some skin; each is resampled to its input size. Without a lesion all are the whole image.",
    "Views": "Each window is shown in eight symmetric views: flipped and turned by quarters. A lesion has no "
    "upright orientation, so disagreement between views means that the result is uncertain.",
    "Probabilities": "Each view's scores become probabilities by a softmax after division by the "
    "temperature, which was fitted on the validation split; the answer is the mean over the views.",
    "Heatmap": "Grad-CAM weights the last feature maps by how much each raised the score of the predicted "
    "class. It is neither a lesion outline nor a dermoscopic criterion.",
}


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a step.

    Attributes:
        pixels: (h, w, 3) uint8 RGB.
        caption: what it is, in a few words.
    """

    pixels: np.ndarray
    caption: str


@dataclass(frozen=True, eq=False)
class Step:
    """One step of an analysis: `numbers` are (what, how much with its unit)."""

    title: str
    pictures: tuple[Picture, ...]
    numbers: tuple[tuple[str, str], ...]

    @property
    def explanation(self) -> str:
        return EXPLANATIONS[self.title]


def walk_through(analysis: Analysis) -> list[Step]:
    """The steps of an analysis in the order in which they ran, named as in `EXPLANATIONS`."""
    makers = (
        *(_original, _probability_map, _threshold, _contour),
        *(_hair_removed, _windows, _views, _probabilities, _heatmap),
    )
    return [Step(title, *make(analysis)) for title, make in zip(EXPLANATIONS, makers, strict=True)]


def probability_histogram(analysis: Analysis, n_bins: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """(n_bins,) counts of the map's pixels and (n_bins + 1,) edges from 0 to 1."""
    return np.histogram(analysis.mask_probability, bins=n_bins, range=(0.0, 1.0))


def view_table(analysis: Analysis) -> pd.DataFrame:
    """One row a view, in the order of the pictures: window, view number from 1, each class's probability."""
    answer, windows = analysis.classification, analysis.manifest.views
    n_views = len(answer.view_probabilities) // len(answer.boxes)
    table = pd.DataFrame(answer.view_probabilities, columns=list(answer.classes))
    table.insert(0, "window", np.repeat(windows, n_views))
    table.insert(1, "view", np.tile(np.arange(1, n_views + 1), len(windows)))
    return table


def probability_table(analysis: Analysis) -> pd.DataFrame:
    """One row a class, most probable first: `code`, `before` and `after` temperature, `spread` over views."""
    answer, temperature = analysis.classification, analysis.manifest.temperature
    before = undo_temperature(answer.view_probabilities, temperature).mean(axis=0)
    table = pd.DataFrame(
        {
            "code": answer.classes,
            "before": before,
            "after": answer.probabilities,
            "spread": answer.spread,
        }
    )
    return table.sort_values("after", ascending=False, kind="stable", ignore_index=True)


# --- the steps: each returns pictures and numbers -----------------------------------------------------
Parts = tuple[tuple[Picture, ...], tuple[tuple[str, str], ...]]


def _original(analysis: Analysis) -> Parts:
    (height, width), (h, w) = analysis.shape, analysis.preprocessed.shape[:2]
    return (
        Picture(_small(analysis), "Original"),
        Picture(_shrunk(analysis), "At the networks' resolution"),
    ), (
        ("Size", f"{width} × {height} px"),
        ("The networks see", f"{w} × {h} px"),
        ("Format", analysis.image.format),
    )


def _probability_map(analysis: Analysis) -> Parts:
    values = analysis.mask_probability
    pictures = (
        Picture(_heat(analysis, values, 1.0), "Dark 0, bright 1"),
        Picture(_heat(analysis, values, 0.5), "Over the image"),
    )
    return pictures, (
        ("Highest", f"{values.max():.3f}"),
        ("Mean", f"{values.mean():.3f}"),
        ("Share of pixels between 0.1 and 0.9", f"{((values > 0.1) & (values < 0.9)).mean():.1%}"),
    )


def _threshold(analysis: Analysis) -> Parts:
    above = analysis.mask_probability >= analysis.lesion.threshold
    limits = RefinementSettings()
    return (Picture(_white(above), "Pixels above the threshold, before cleaning"),), (
        ("Cut", f"{analysis.lesion.threshold:.3f}"),
        ("Allowed range", f"{limits.threshold_min} to {limits.threshold_max}"),
        ("Pixels above it", f"{above.sum():,} ({above.mean():.1%})"),
        ("Pixels in the final mask", f"{analysis.lesion.lesion_mask.sum():,}"),
    )


def _contour(analysis: Analysis) -> Parts:
    lesion, shape = analysis.lesion, analysis.morphology
    pictures = (
        Picture(_white(lesion.lesion_mask), "Mask"),
        Picture(_outlined(analysis, _small(analysis)), "Contour"),
    )
    if shape is None:
        return pictures, (("Lesion", "none found"),)
    return pictures, (
        ("Area", f"{shape.area_px:,} px ({shape.area_share:.1%} of the image)"),
        ("Perimeter", f"{shape.perimeter_px:,.0f} px"),
        ("Points of the contour", f"{len(lesion.contour):,}"),
    )


def _hair_removed(analysis: Analysis) -> Parts:
    before = _shrunk(analysis)
    after = remove_hair(before)
    changed = (after != before).any(axis=-1)
    marked = before.copy()
    marked[changed] = OUTLINE_COLOUR
    applied = analysis.settings.preprocessing.hair_removal
    return (Picture(after, "Hair removed"), Picture(marked, "Changed pixels")), (
        ("Changed pixels", f"{changed.sum():,} of {changed.size:,} ({changed.mean():.1%})"),
        ("In this analysis", "on" if applied else "off"),
    )


def _windows(analysis: Analysis) -> Parts:
    small = _small(analysis).copy()
    scale = small.shape[1] / analysis.shape[1]
    numbers = []
    if "crop" in analysis.manifest.views:
        margin = f"{analysis.manifest.crop_margin:.0%} of the lesion's longer side"
        numbers.append(("Skin on each side", margin))
    for window, box in zip(analysis.manifest.views, analysis.classification.boxes, strict=True):
        _draw_box(small, box.scaled(scale, scale))
        numbers.append((f"Window “{window}”", _describe_box(box)))
    last = Picture(_squares(analysis)[-1], f"Window “{analysis.manifest.views[-1]}”")
    return (Picture(small, "Windows; beyond the edge the image is mirrored"), last), tuple(numbers)


def _views(analysis: Analysis) -> Parts:
    answer, squares = analysis.classification, _squares(analysis)
    n_views = len(answer.view_probabilities) // len(squares)
    views = np.concatenate([symmetry_views(square, n_views) for square in squares])
    top = answer.view_probabilities.argmax(axis=1)
    captions = (
        f"{row.window} {row.view}: {answer.classes[k]} {answer.view_probabilities[n, k]:.0%}"
        for n, (row, k) in enumerate(zip(view_table(analysis).itertuples(), top, strict=True))
    )
    pictures = tuple(Picture(view, caption) for view, caption in zip(views, captions, strict=True))
    side_px = squares.shape[1]
    return pictures, (
        ("Views", f"{len(views)}: {n_views} of each of {len(squares)} windows"),
        ("Each is", f"{side_px} × {side_px} px"),
        ("Views that agree with the prediction", f"{round(answer.agreement * len(views))} of {len(views)}"),
    )


def _probabilities(analysis: Analysis) -> Parts:
    answer, manifest = analysis.classification, analysis.manifest
    first = get_diagnosis(answer.prediction)
    spread = answer.spread[answer.probabilities.argmax()]
    return (), (
        ("Most probable", f"{first.name}, {answer.probabilities.max():.1%}"),
        ("Its spread over the views", "–" if np.isnan(spread) else f"{spread:.3f}"),
        ("Temperature", f"{manifest.temperature:.3f}"),
        ("Probability of malignancy", f"{answer.suspicious_probability:.1%}"),
        ("Threshold", f"{manifest.suspicious_threshold:.1%}: {manifest.threshold_origin}"),
    )


def _heatmap(analysis: Analysis) -> Parts:
    if analysis.saliency is None:
        return (), (("Heatmap", "not computed"),)
    heat = _heat(analysis, analysis.saliency, 0.5)
    pictures = (
        Picture(heat, f"Grad-CAM, {analysis.classification.prediction}"),
        Picture(_outlined(analysis, heat), "With the contour"),
    )
    total = float(analysis.saliency.sum())
    inside = float(analysis.saliency[analysis.lesion.lesion_mask].sum())
    return pictures, (
        ("Class", get_diagnosis(analysis.classification.prediction).name),
        ("Share of the heat map inside the contour", f"{inside / total:.1%}" if total else "–"),
        ("Share of the image inside the contour", f"{analysis.lesion_area_fraction:.1%}"),
    )


# --- drawing ------------------------------------------------------------------------------------------
def _shrunk(analysis: Analysis) -> np.ndarray:
    """(h, w, 3) uint8: the image at the networks' resolution, without filters."""
    return limit_long_side(analysis.image.pixels, max(analysis.preprocessed.shape[:2]))


def _small(analysis: Analysis) -> np.ndarray:
    return limit_long_side(analysis.image.pixels, PICTURE_SIDE_PX)


def _heat(analysis: Analysis, values: np.ndarray, opacity: float) -> np.ndarray:
    return blend_heatmap(_small(analysis), limit_long_side(values, PICTURE_SIDE_PX), opacity)


def _outlined(analysis: Analysis, picture: np.ndarray) -> np.ndarray:
    """The contour on a picture of the whole image."""
    scale = np.float32(picture.shape[1] / analysis.shape[1])
    return draw_overlay(picture, np.zeros(picture.shape[:2], bool), analysis.lesion.contour * scale)


def _squares(analysis: Analysis) -> np.ndarray:
    """(n_windows, S, S, 3) uint8: each window as the classifier saw it."""
    seen = classifier_input(analysis.manifest)
    return window_squares(analysis.preprocessed, analysis.classification.boxes, analysis.shape, seen)


def _white(mask: np.ndarray) -> np.ndarray:
    small = limit_long_side(mask_picture(mask), PICTURE_SIDE_PX)
    return cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)


def _draw_box(image: np.ndarray, box: Box) -> None:
    """Draw a window's frame in place, just inside its edge so that the whole image's is seen too."""
    width = max(2, round(max(image.shape[:2]) / 150))
    top_left = round(box.x0 + width / 2), round(box.y0 + width / 2)
    bottom_right = round(box.x1 - width / 2), round(box.y1 - width / 2)
    cv2.rectangle(image, top_left, bottom_right, OUTLINE_COLOUR, width)


def _describe_box(box: Box) -> str:
    return f"{box.width_px:.0f} × {box.height_px:.0f} px from ({box.x0:.0f}, {box.y0:.0f})"
