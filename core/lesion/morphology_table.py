"""A lesion's measurements as table rows with units and plain words; used by page, report and command line."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.lesion.band import value_range
from core.lesion.morphology import MIN_COLOUR_SHARE, Morphology


@dataclass(frozen=True)
class MorphologyRow:
    """One line of the measurement table: what, how much with its unit, and what that means."""

    label: str
    value: str
    explanation: str


def abcd_rows(morphology: Morphology, plausible: Sequence[Morphology] = ()) -> list[MorphologyRow]:
    """The measurements as table rows, in the order A, B, C, D; used by page, report and command line.

    Args:
        morphology: of the outline that was drawn.
        plausible: of this and other plausible outlines (`Analysis.measure_plausible`); with them, asymmetry, diameter
            and area are ranges.
    """
    measured = plausible or (morphology,)
    return [
        *_asymmetry_rows(morphology, measured),
        *_border_rows(morphology),
        *_colour_rows(morphology),
        *_size_rows(morphology, measured),
    ]


def _span(measured: Sequence[Morphology], name: str, write: Callable[[float], str], unit: str = "") -> str:
    """One value, or the lowest and the highest where they are written differently, and the unit once.

    >>> _span([], "area_share", str)
    'not measurable'
    """
    found = value_range(measured, name)
    if found is None:
        return "not measurable"
    low, high = map(write, found)
    return f"{low}{unit}" if low == high else f"{low}\u2013{high}{unit}"


def _drawn(value: str, measured: Sequence[Morphology]) -> str:
    """What the drawn outline alone gives, where the row states a range."""
    return "" if len(measured) == 1 else f" The drawn outline gives {value}."


def _asymmetry_rows(m: Morphology, measured: Sequence[Morphology]) -> list[MorphologyRow]:
    return [
        MorphologyRow(
            "A · Asymmetry about the long axis",
            _span(measured, "asymmetry_major", lambda share: _percent(share)[:-1], "%"),
            "Share of the lesion that does not overlap its mirror image about its long axis; 0\u00a0% is symmetric."
            + _drawn(_percent(m.asymmetry_major), measured),
        ),
        MorphologyRow(
            "A · Asymmetry about the short axis",
            _span(measured, "asymmetry_minor", lambda share: _percent(share)[:-1], "%"),
            "The same about the short axis, perpendicular to the long one."
            + _drawn(_percent(m.asymmetry_minor), measured),
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


def _size_rows(m: Morphology, measured: Sequence[Morphology]) -> list[MorphologyRow]:
    at_least = "at least " if m.cut_share > 0 else ""
    cut_note = " The picture's edge cuts the lesion, so its true size is larger." if m.cut_share > 0 else ""
    diameter, area = _whole(m.diameter_px), f"{m.area_px:,}"
    return [
        MorphologyRow(
            "D · Largest diameter",
            f"{at_least}{_span(measured, 'diameter_px', _whole)} px ({_millimetres(m, measured)})",
            "Longest distance across the lesion; millimetres only where the picture's scale is known."
            + cut_note
            + _drawn(f"{diameter} px", measured),
        ),
        MorphologyRow(
            "Long and short axis",
            f"{m.major_axis_px:.0f} × {m.minor_axis_px:.0f} px",
            "Axes of the ellipse with the lesion's second moments.",
        ),
        MorphologyRow(
            "Area",
            f"{at_least}{_span(measured, 'area_px', lambda px: f'{px:,}')} px "
            f"({_span(measured, 'area_share', lambda share: f'{share:.1%}'[:-1], '%')} of the picture)",
            "Size of the outlined lesion." + _drawn(f"{area} px", measured),
        ),
    ]


def _millimetres(m: Morphology, measured: Sequence[Morphology]) -> str:
    """The diameter at the scale of the drawn outline's: the user may have set another than the file's."""
    if m.diameter_mm is None:
        return "no scale"
    scale = m.diameter_mm / m.diameter_px
    return _span(measured, "diameter_px", lambda px: f"{px * scale:.1f}", " mm")


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _percent(share: float) -> str:
    return "not measurable" if math.isnan(share) else f"{share:.0%}"


def _number(value: float) -> str:
    return "not measurable" if math.isnan(value) else f"{value:.2f}"
