"""Millimetres per pixel of a DICOM image, or why there are none; the proportions of its pixels."""

import math

import pydicom

from core.images.quality_findings import QualityFinding

# Spacing along rows and columns may differ by this share and still count as one scale (DS rounding).
MAX_SPACING_DIFFERENCE = 0.01
# Outside this no dermatoscope works: 2 px to the width of a hair, or 1,000 px within a millimetre. The
# placeholders 1.0 and 25.4 (one dot an inch) and the dots of screens lie above it.
MIN_SPACING_MM, MAX_SPACING_MM = 0.001, 0.2
MAX_PIXEL_ASPECT = 4.0


def read_scale(dataset: pydicom.Dataset) -> tuple[float | None, tuple[QualityFinding, ...]]:
    """Millimetres per pixel if the file states a plausible scale of the skin, else None and why."""
    spacing, imager = _pair(dataset, "PixelSpacing"), _pair(dataset, "ImagerPixelSpacing")
    calibrated = bool(dataset.get("PixelSpacingCalibrationType"))
    if spacing is None:
        nominal = imager or _pair(dataset, "NominalScannedPixelSpacing")
        return None, _no_scale("it is that of the sensor or scanner, not of the skin") if nominal else ()
    if spacing == imager and not calibrated:
        return None, _no_scale(
            "it is that of the sensor, not of the skin (PixelSpacing equals ImagerPixelSpacing)"
        )
    row_mm, column_mm = spacing
    if abs(row_mm - column_mm) > MAX_SPACING_DIFFERENCE * row_mm:
        return None, _no_scale(f"it differs along rows and columns ({row_mm:g} and {column_mm:g} mm a pixel)")
    mean_mm = (row_mm + column_mm) / 2
    if not MIN_SPACING_MM <= mean_mm <= MAX_SPACING_MM:
        return None, _no_scale(
            f"{mean_mm:g} mm a pixel is implausible for dermoscopy (believed from {MIN_SPACING_MM:g} to "
            f"{MAX_SPACING_MM:g} mm), as a screen's resolution or a placeholder would be"
        )
    return mean_mm, ()


def read_pixel_aspect(dataset: pydicom.Dataset) -> float:
    """Height over width of a pixel; 1 where the file states nothing sensible."""
    pair = _pair(dataset, "PixelAspectRatio")
    if pair is None:
        return 1.0
    aspect = pair[0] / pair[1]
    return aspect if 1 / MAX_PIXEL_ASPECT <= aspect <= MAX_PIXEL_ASPECT else 1.0


def _pair(dataset: pydicom.Dataset, tag: str) -> tuple[float, float] | None:
    """Two positive finite numbers, or None."""
    try:
        first, second = (float(value) for value in dataset[tag].value)
    except (KeyError, TypeError, ValueError, NotImplementedError):  # the last: an unknown VR
        return None
    return (first, second) if math.isfinite(first * second) and min(first, second) > 0 else None


def _no_scale(why: str) -> tuple[QualityFinding, ...]:
    return (QualityFinding("no_scale", f"No millimetres, although the file states a scale: {why}.", "note"),)
