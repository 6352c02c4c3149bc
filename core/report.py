"""An `Analysis` as something to keep: a table row, a JSON record, an overlay picture.

The CSV columns are `image`, one for each class code (calibrated probabilities that sum to 1),
`prediction`, `suspicious_probability`, `lesion_area_fraction`, `warnings`, `error`, `conformal_set` (codes
among which the answer lies with the bundle's confidence level) and `novelty` (distance from what the
classifier learned); the last two are empty for a bundle that states neither.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.analyzer import Analysis
from core.diagnosis.classification import undo_temperature
from core.images.preprocessing import mask_picture
from models.manifest import Manifest

NOTICE = (
    "Dermalens is research and teaching software, not a medical device. "
    "Its output is no diagnosis and must not guide anybody's treatment."
)
UNKNOWN_KIND = "unknown_kind"  # the warning on an image outside what the bundle knows
# Amber reads on every skin tone and to colour-blind eyes; RGB.
OUTLINE_COLOUR = (255, 176, 0)
FILL_COLOUR = (64, 156, 255)


def csv_columns(classes: Sequence[str]) -> list[str]:
    """The columns of the results table for a bundle with these classes."""
    return [
        *("image", *classes, "prediction", "suspicious_probability"),
        *("lesion_area_fraction", "warnings", "error", "conformal_set", "novelty"),
    ]


def analysis_row(analysis: Analysis, stem: str | None = None) -> dict[str, Any]:
    """One row of the results table; `stem` names the image, its file's stem if None."""
    answer = analysis.classification
    probabilities = (round(float(p), 9) for p in answer.probabilities)
    return {
        "image": Path(analysis.image.name).stem if stem is None else stem,
        **dict(zip(answer.classes, probabilities, strict=True)),
        "prediction": answer.prediction,
        "suspicious_probability": round(answer.suspicious_probability, 6),
        "lesion_area_fraction": round(analysis.lesion_area_fraction, 6),
        "warnings": "; ".join(warning_codes(analysis)),
        "error": "",
        "conformal_set": " ".join(analysis.conformal_set or ()),
        "novelty": "" if analysis.novelty is None else round(analysis.novelty, 6),
    }


def error_row(stem: str, error: str, classes: Sequence[str]) -> dict[str, Any]:
    """The row of an image that was refused: its name and why, everything else empty."""
    return dict.fromkeys(csv_columns(classes), "") | {"image": stem, "error": error}


def prediction_row(analysis: Analysis) -> dict[str, Any]:
    """What one image adds to a predictions table (see `core.evaluation.predictions`), without name and facts."""
    answer = analysis.classification
    # The first view of each window is the image as it is.
    per_window = len(answer.view_probabilities) // len(answer.boxes)
    single = answer.view_probabilities[::per_window].mean(axis=0)
    raw = undo_temperature(answer.view_probabilities, analysis.manifest.temperature).mean(axis=0)
    kinds = {"p": answer.probabilities, "p1": single, "raw": raw}
    return {
        **{
            f"{kind}_{code}": p
            for kind, ps in kinds.items()
            for code, p in zip(answer.classes, ps, strict=True)
        },
        "prediction": answer.prediction,
        "agreement": answer.agreement,
        "lesion_area_fraction": analysis.lesion_area_fraction,
        "warnings": ";".join(warning_codes(analysis)),
    }


def warning_codes(analysis: Analysis) -> list[str]:
    """Codes of everything that should make a reader careful with this answer."""
    codes = [finding.code for finding in analysis.quality.findings]
    codes += [] if analysis.lesion.found else ["no_lesion_found"]
    return [*codes, UNKNOWN_KIND] if analysis.unknown else codes


def rows_to_csv(rows: Sequence[dict[str, Any]], classes: Sequence[str]) -> str:
    """The results table as CSV; cells that a spreadsheet would run as a formula are made harmless."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, csv_columns(classes), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: harmless(value) for key, value in row.items()} for row in rows)
    return stream.getvalue()


def harmless(value: Any) -> Any:
    """Text that starts like a spreadsheet formula gets a leading apostrophe.

    A carriage return, which may stand in a file's name, becomes a space: `csv` would not quote it.

    >>> harmless("=1+1"), harmless("mel"), harmless(-0.5)
    ("'=1+1", 'mel', -0.5)
    """
    if not isinstance(value, str):
        return value
    mark = "'" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else ""
    return mark + value.replace("\r", " ")


def analysis_record(analysis: Analysis) -> dict[str, Any]:
    """Everything that was found, as plain JSON types; undefined numbers are null."""
    answer, image = analysis.classification, analysis.image
    height, width = analysis.shape
    ranked = [
        {"code": code, "probability": probability, "spread": spread}
        for code, probability, spread in answer.ranked()
    ]
    record = {
        "notice": NOTICE,
        "image": {
            **{"name": image.name, "sha256": image.sha256, "format": image.format},
            **{"width_px": width, "height_px": height, "pixel_spacing_mm": image.pixel_spacing_mm},
        },
        "prediction": answer.prediction,
        "probabilities": ranked,
        "suspicious": {
            "probability": answer.suspicious_probability,
            "threshold": analysis.manifest.suspicious_threshold,
            "threshold_origin": analysis.manifest.threshold_origin,
            "reaches_threshold": analysis.suspicious,
        },
        "balanced_prediction": analysis.balanced_prediction,
        "conformal_set": _conformal_record(analysis),
        "novelty": _novelty_record(analysis),
        "views": {"count": len(answer.view_probabilities), "agreement": answer.agreement},
        "lesion": {
            "found": analysis.lesion.found,
            "area_fraction": analysis.lesion_area_fraction,
            "threshold": analysis.lesion.threshold,
            "contour_xy_px": analysis.lesion.contour.tolist(),
        },
        "morphology": asdict(analysis.morphology) if analysis.morphology else None,
        "quality": asdict(analysis.quality),
        "settings": asdict(analysis.settings),
        "bundle": _bundle_record(analysis.manifest),
        "stage_ms": analysis.stage_ms,
    }
    return to_json_types(record)


def _conformal_record(analysis: Analysis) -> dict[str, Any] | None:
    if analysis.conformal_set is None:
        return None
    return {
        "codes": list(analysis.conformal_set),
        "confidence_level": analysis.manifest.conformal.confidence_level,
    }


def _novelty_record(analysis: Analysis) -> dict[str, Any] | None:
    if analysis.novelty is None:
        return None
    threshold = analysis.manifest.novelty
    return {
        "score": analysis.novelty,
        "threshold": threshold.threshold,
        "threshold_origin": threshold.origin,
        "unknown": analysis.unknown,
    }


def _bundle_record(manifest: Manifest) -> dict[str, str]:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "fingerprint": manifest.fingerprint,
        "segmenter_sha256": manifest.segmenter.sha256,
        "classifier_sha256": manifest.classifier.sha256,
    }


def to_json_types(value: Any) -> Any:
    """Plain dicts, lists, str, int, float, bool and None; NaN and infinity become None.

    >>> to_json_types({"a": np.float32(0.5), "b": float("nan"), "c": (1, 2)})
    {'a': 0.5, 'b': None, 'c': [1, 2]}
    """
    if isinstance(value, dict):
        return {str(key): to_json_types(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_types(item) for item in value]
    if isinstance(value, np.ndarray):
        return to_json_types(value.tolist())
    if isinstance(value, np.generic):
        return to_json_types(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


# --- pictures ---------------------------------------------------------------------------------------
def draw_overlay(
    image: np.ndarray, lesion_mask: np.ndarray, contour: np.ndarray, opacity: float = 0.0
) -> np.ndarray:
    """Draw the lesion's outline on a copy of the image, and tint its inside.

    Args:
        image: (H, W, 3) uint8 RGB.
        lesion_mask: (H, W) bool.
        contour: (N, 2) of (x, y) in pixels; may be empty.
        opacity: of the tint, 0 to 1.
    """
    drawn = image.copy()
    if opacity > 0 and lesion_mask.any():
        tinted = image[lesion_mask] * (1 - opacity) + np.array(FILL_COLOUR) * opacity
        drawn[lesion_mask] = tinted.astype(np.uint8)
    if len(contour):
        _draw_line(drawn, contour, OUTLINE_COLOUR)
    return drawn


def draw_outlines(image: np.ndarray, masks: Sequence[tuple[np.ndarray, tuple[int, int, int]]]) -> np.ndarray:
    """Draw the outlines of masks on a copy of the image, each in its own colour.

    Args:
        image: (H, W, 3) uint8 RGB.
        masks: pairs of an (H, W) bool mask and an RGB colour; the last lies on top.
    """
    drawn = image.copy()
    for mask, colour in masks:
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            _draw_line(drawn, contour.reshape(-1, 2), colour)
    return drawn


def _draw_line(drawn: np.ndarray, contour: np.ndarray, colour: tuple[int, int, int]) -> None:
    """A closed line with a dark rim, so that it shows on any skin; `contour` is (N, 2) of (x, y)."""
    width = max(1, round(max(drawn.shape[:2]) / 200))
    points = np.round(contour).astype(np.int32)[:, None, :]
    cv2.polylines(drawn, [points], True, (0, 0, 0), width + 2, cv2.LINE_AA)
    cv2.polylines(drawn, [points], True, colour, width, cv2.LINE_AA)


def blend_heatmap(image: np.ndarray, values: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Lay a (H, W) map in [0, 1] over (H, W, 3) uint8 RGB in a perceptually uniform colour scale."""
    levels = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return cv2.addWeighted(image, 1 - opacity, colours, opacity, 0)


def encode_png(array: np.ndarray) -> bytes:
    """PNG of (H, W, 3) uint8 RGB, (H, W) uint8, or (H, W) bool as 0/255."""
    if array.dtype == bool:
        array = mask_picture(array)
    if array.ndim == 3:
        array = cv2.cvtColor(array, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", array)[1].tobytes()
