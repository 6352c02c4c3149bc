"""Export an `Analysis`: a table row, a JSON record, an overlay picture.

The CSV columns are `image`, `path` (below the folder that was analysed), one for each class code (calibrated
probabilities that sum to 1), `prediction`, `suspicious_probability`, `lesion_area_fraction`, `warnings`, `error`,
`conformal_set` (the prediction set at the bundle's confidence level), `novelty` (out-of-distribution score) and
`balanced_prediction` (the class by the decision rule for balanced accuracy); the last three are empty for a bundle
without them. A bundle with a probe of dermoscopic structures adds `structure_<name>` for each that it reports.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.analysis import Analysis
from core.diagnosis.classification import undo_temperature
from core.lesion.band import read_band, value_range
from core.tables.writing import harmless, to_json_types
from models.manifest import Manifest

NOTICE = (
    "Dermalens is research and teaching software, not a medical device. "
    "Its output is not a diagnosis and must not guide treatment."
)
UNKNOWN_KIND = "unknown_kind"  # the warning on an out-of-distribution image


def csv_columns(classes: Sequence[str]) -> list[str]:
    """The columns of the results table for a bundle with these classes."""
    return [
        *("image", "path", *classes, "prediction", "suspicious_probability"),
        *("lesion_area_fraction", "warnings", "error", "conformal_set", "novelty", "balanced_prediction"),
    ]


def analysis_row(analysis: Analysis, stem: str | None = None, path: str = "") -> dict[str, Any]:
    """One row of the results table; `stem` names the image, its file's stem if None, `path` says which it is."""
    answer = analysis.classification
    probabilities = (round(float(p), 9) for p in answer.probabilities)
    return {
        "image": Path(analysis.image.name).stem if stem is None else stem,
        "path": path or analysis.image.name,
        **dict(zip(answer.classes, probabilities, strict=True)),
        "prediction": answer.prediction,
        "suspicious_probability": round(answer.suspicious_probability, 6),
        "lesion_area_fraction": round(analysis.lesion_area_fraction, 6),
        "warnings": "; ".join(warning_codes(analysis)),
        "error": "",
        "conformal_set": " ".join(analysis.conformal_set or ()),
        "novelty": "" if analysis.novelty is None else round(analysis.novelty, 6),
        "balanced_prediction": analysis.balanced_prediction or "",
        **structure_columns(analysis),
    }


def structure_columns(analysis: Analysis) -> dict[str, float]:
    """`structure_<name>` -> probability, of the structures that the bundle reports."""
    return {f"structure_{name}": round(p, 6) for name, p in (analysis.structures or {}).items()}


def error_row(stem: str, error: str, classes: Sequence[str], path: str = "") -> dict[str, Any]:
    """The row of an image that was refused: its name and why, everything else empty."""
    return dict.fromkeys(csv_columns(classes), "") | {"image": stem, "path": path, "error": error}


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
        "balanced_prediction": analysis.balanced_prediction or "",
        "agreement": answer.agreement,
        "lesion_area_fraction": analysis.lesion_area_fraction,
        "warnings": ";".join(warning_codes(analysis)),
        **structure_columns(analysis),
        **picture_columns(analysis),
    }


def picture_columns(analysis: Analysis) -> dict[str, float | None]:
    """What the picture itself is like, for the comparison of whole sets (see `core.evaluation.shift`)."""
    quality = analysis.quality
    return {
        "brightness": quality.mean_luminance,
        "redness": quality.redness,
        "yellowness": quality.yellowness,
        "sharpness": quality.sharpness,
        "novelty": analysis.novelty,
    }


def warning_codes(analysis: Analysis) -> list[str]:
    """Codes of all warnings about this result."""
    codes = [finding.code for finding in analysis.quality.findings]
    codes += [] if analysis.lesion.found else ["no_lesion_found"]
    return [*codes, UNKNOWN_KIND] if analysis.unknown else codes


def rows_to_csv(rows: Sequence[dict[str, Any]], classes: Sequence[str]) -> str:
    """The results table as CSV; cells that a spreadsheet would run as a formula are made harmless."""
    stream = io.StringIO()
    columns = csv_columns(classes)
    more = dict.fromkeys(key for row in rows for key in row if key not in columns)
    writer = csv.DictWriter(stream, [*columns, *more], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: harmless(value) for key, value in row.items()} for row in rows)
    return stream.getvalue()


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
        "structures": analysis.structures,
        "views": {"count": len(answer.view_probabilities), "agreement": answer.agreement},
        "lesion": _lesion_record(analysis),
        "morphology": asdict(analysis.morphology) if analysis.morphology else None,
        "quality": asdict(analysis.quality),
        "settings": asdict(analysis.settings),
        "bundle": _bundle_record(analysis.manifest),
        "stage_ms": analysis.stage_ms,
    }
    return to_json_types(record)


def _lesion_record(analysis: Analysis) -> dict[str, Any]:
    return {
        "found": analysis.lesion.found,
        "area_fraction": analysis.lesion_area_fraction,
        "threshold": analysis.lesion.threshold,
        "contour_xy_px": analysis.lesion.contour.tolist(),
        "plausible": _plausible_record(analysis),
    }


def _plausible_record(analysis: Analysis) -> dict[str, Any] | None:
    """Ranges between the tightest and the widest plausible outline."""
    measured, band = analysis.measure_plausible(), read_band(analysis.manifest)
    if not measured:
        return None
    names = ("area_share", "diameter_px", "asymmetry_major", "asymmetry_minor")
    ranges = {name: value_range(measured, name) for name in names}
    return {**ranges, "mask_thresholds": (band.low, band.high), "share": band.share, "origin": band.origin}


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


# --- pictures ---------------------------------------------------------------------------------------
