"""A lesion's measurements as table rows with units and plain words; used by page, report and command line."""

import math
from dataclasses import dataclass

from core.lesion.morphology import MIN_COLOUR_SHARE, Morphology


@dataclass(frozen=True)
class MorphologyRow:
    """One line of the measurement table: what, how much with its unit, and what that means."""

    label: str
    value: str
    explanation: str


def abcd_rows(morphology: Morphology) -> list[MorphologyRow]:
    """The measurements as table rows, in the order A, B, C, D; used by page, report and command line."""
    parts = (_asymmetry_rows, _border_rows, _colour_rows, _size_rows)
    return [row for rows in parts for row in rows(morphology)]


def _asymmetry_rows(m: Morphology) -> list[MorphologyRow]:
    return [
        MorphologyRow(
            "A · Asymmetry about the long axis",
            _percent(m.asymmetry_major),
            "Share of the lesion that does not overlap its mirror image about its long axis; 0\u00a0% is symmetric.",
        ),
        MorphologyRow(
            "A · Asymmetry about the short axis",
            _percent(m.asymmetry_minor),
            "The same about the short axis, perpendicular to the long one.",
        ),
    ]


def _border_rows(m: Morphology) -> list[MorphologyRow]:
    abrupt = (
        "not measurable" if m.abrupt_segments is None else f"{m.abrupt_segments} of {m.measured_segments}"
    )
    return [
        MorphologyRow(
            "B · Abrupt border segments",
            abrupt,
            "Eighths of the outline where the colour ends with a sharp step instead of fading out.",
        ),
        MorphologyRow(
            "B · Compactness",
            _number(m.compactness),
            "Outline length against area: 1 for a circle, higher for an elongated or ragged outline.",
        ),
        MorphologyRow(
            "B · Fractal dimension",
            _number(m.fractal_dimension),
            "How much finer detail the outline shows on a closer look: about 1 when smooth.",
        ),
    ]


def _colour_rows(m: Morphology) -> list[MorphologyRow]:
    colours = ", ".join(m.colours_present) or "none"
    return [
        MorphologyRow(
            "C · Colours",
            f"{m.colour_count} of {len(m.colour_shares)}: {colours}",
            f"Dermoscopic colours that fill at least {MIN_COLOUR_SHARE:.0%} of the lesion; lighting and "
            "white balance affect them.",
        ),
    ]


def _size_rows(m: Morphology) -> list[MorphologyRow]:
    at_least = "at least " if m.cut_share > 0 else ""
    cut_note = " The picture's edge cuts the lesion, so its true size is larger." if m.cut_share > 0 else ""
    millimetres = "no scale" if m.diameter_mm is None else f"{m.diameter_mm:.1f} mm"
    return [
        MorphologyRow(
            "D · Largest diameter",
            f"{at_least}{m.diameter_px:.0f} px ({millimetres})",
            "Longest distance across the lesion; millimetres only where the picture's scale is known."
            + cut_note,
        ),
        MorphologyRow(
            "Long and short axis",
            f"{m.major_axis_px:.0f} × {m.minor_axis_px:.0f} px",
            "Axes of the ellipse with the lesion's second moments.",
        ),
        MorphologyRow(
            "Area",
            f"{at_least}{m.area_px:,} px ({m.area_share:.1%} of the picture)",
            "Size of the outlined lesion.",
        ),
    ]


def _percent(share: float) -> str:
    return "not measurable" if math.isnan(share) else f"{share:.0%}"


def _number(value: float) -> str:
    return "not measurable" if math.isnan(value) else f"{value:.2f}"
