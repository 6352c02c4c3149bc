"""Parts of a case: its facts as text, and its classes and probabilities as small HTML."""

import html

import numpy as np
import pandas as pd

from core.datasets.case import Case, Prediction
from core.datasets.catalogue import CONFIRMATIONS, diagnosis_name
from core.taxonomy import DIAGNOSES, get_diagnosis
from pages.components.shared.notices import percent

STYLE = """<style>
.case {font-size: 0.86rem; line-height: 1.35}
.case img, .case .blank {width: 100%; aspect-ratio: 4 / 3; object-fit: cover; border-radius: 0.4rem;
  margin-bottom: 0.45rem}
.case .blank {aspect-ratio: 3 / 1; display: flex; align-items: center; justify-content: center; opacity: 0.75;
  background: rgba(128, 145, 165, 0.16); font-size: 0.78rem}
.case .id {font-weight: 600; overflow-wrap: anywhere}
.case .quiet {opacity: 0.72; font-size: 0.78rem; overflow-wrap: anywhere}
.case .class {display: flex; gap: 0.4rem; align-items: baseline}
.case .class span:first-child {flex: none; width: 0.7em; height: 0.7em; border-radius: 50%}
.case .bars {display: grid; grid-template-columns: max-content 1fr max-content; gap: 0.15rem 0.5rem;
  align-items: center; margin: 0.4rem 0}
.case .track {height: 0.45rem; border-radius: 0.25rem; background: rgba(128, 145, 165, 0.22);
  overflow: hidden}
.case .track div {height: 100%}
.case .number {text-align: right; font-variant-numeric: tabular-nums}
</style>"""
NEUTRAL = "#8C9AA8"  # of a class that the taxonomy does not know


def patient_facts(case: Case) -> dict[str, str]:
    """Age, sex, site and confirmation as text, as far as the table has these columns; "–" if unknown."""
    named = {"Age": "age", "Sex": "sex", "Body site": "localization", "Confirmed by": "dx_type"}
    return {name: _word(column, case.facts[column]) for name, column in named.items() if column in case.facts}


def image_facts(case: Case) -> dict[str, str]:
    """Lesion id, split, mask scores, agreement of the views and warnings, as far as they are known."""
    facts = {"Lesion": case.lesion_id} if case.lesion_id != case.image_id else {}
    if case.split:
        facts["Split"] = case.split
    measures = case.prediction.measures if case.prediction else {}
    facts |= {name.capitalize(): number(measures[name]) for name in ("dice", "jaccard") if name in measures}
    if "agreement" in measures:
        value = measures["agreement"]
        facts["Views agree"] = "–" if value is None else percent(float(value))
    if "warnings" in measures:
        facts["Image warnings"] = (measures["warnings"] or "none").replace("_", " ").replace(";", ", ")
    return facts


def number(value: float | None) -> str:
    """Three decimals, or a dash where undefined.

    >>> number(0.9366), number(float("nan"))
    ('0.937', '–')
    """
    return "–" if pd.isna(value) else f"{value:.3f}"


def class_lines(case: Case) -> str:
    """True and predicted class with their colours; says when they differ."""
    true = case.true_code
    lines = _class_line(true, "true") if true else ""
    if case.prediction is None:
        return lines
    predicted = case.prediction.code
    verdict = "predicted" if true is None else "predicted ✓" if true == predicted else "predicted ✗"
    return lines + _class_line(predicted, verdict)


def probability_bars(prediction: Prediction, top: int | None = None, full: bool = False) -> str:
    """Bars of the most probable classes, labelled by code or by full name."""
    shares, bars = prediction.probabilities, ""
    for k in np.argsort(-shares, kind="stable")[:top]:
        diagnosis = get_diagnosis(prediction.classes[k])
        label = diagnosis.name if full else diagnosis.code
        bars += (
            f'<div title="{html.escape(diagnosis.name)}">{html.escape(label)}</div>'
            f'<div class="track"><div style="width:{shares[k]:.2%};background:{diagnosis.colour}"></div></div>'
            f'<div class="number">{html.escape(percent(float(shares[k])))}</div>'
        )
    return f'<div class="bars">{bars}</div>'


def _class_line(code: str, role: str) -> str:
    colour = DIAGNOSES[code].colour if code in DIAGNOSES else NEUTRAL
    return (
        f'<div class="class"><span style="background:{colour}"></span>'
        f'<span>{html.escape(diagnosis_name(code))} <span class="quiet">{role}</span></span></div>'
    )


def _word(column: str, value: object) -> str:
    if value is None or value == "unknown":
        return "–"
    if column == "age":
        return f"{value:.0f}" if isinstance(value, int | float | np.number) else str(value)
    return CONFIRMATIONS.get(str(value), str(value)) if column == "dx_type" else str(value)
