"""Pieces of a case: its facts in words, and its classes and probabilities as small HTML."""

import html
from pathlib import Path

import numpy as np
import pandas as pd

from core.datasets.catalogue import CONFIRMATIONS
from core.evaluation.predictions import IMAGE_PATH, Predictions
from core.taxonomy import get_diagnosis
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


def image_id(predictions: Predictions, row: int) -> str:
    """The image's name in the predictions file."""
    return str(predictions.frame["image_id"].iat[row])


def run_image(predictions: Predictions, row: int) -> Path | None:
    """Where the image of a batch run lies; None for other predictions, whose images the dataset may have."""
    frame = predictions.frame
    return Path(frame[IMAGE_PATH].iat[row]) if IMAGE_PATH in frame else None


def patient_facts(predictions: Predictions, row: int) -> dict[str, str]:
    """Age, sex, site and confirmation in words, as far as the file has these columns; "–" if unknown."""
    named = {"Age": "age", "Sex": "sex", "Body site": "localization", "Confirmed by": "dx_type"}
    return {
        name: _word(column, predictions.frame[column].iat[row])
        for name, column in named.items()
        if column in predictions.frame
    }


def image_facts(predictions: Predictions, row: int) -> dict[str, str]:
    """Lesion, overlap with the expert's mask, agreement of the views and warnings, where known."""
    frame = predictions.frame
    facts = {"Lesion": str(frame["lesion_id"].iat[row])}
    for name, column in {"Dice": "dice", "Jaccard": "jaccard"}.items():
        if column in frame:
            facts[name] = number(frame[column].iat[row])
    if "agreement" in frame:
        value = frame["agreement"].iat[row]
        facts["Views that agree"] = "–" if pd.isna(value) else percent(float(value))
    if "warnings" in frame:
        value = frame["warnings"].iat[row]
        facts["Image warnings"] = (
            "none" if pd.isna(value) else str(value).replace("_", " ").replace(";", ", ")
        )
    return facts


def number(value: float) -> str:
    """Three decimals, or a dash where undefined.

    >>> number(0.9366), number(float("nan"))
    ('0.937', '–')
    """
    return "–" if pd.isna(value) else f"{value:.3f}"


def true_code(predictions: Predictions, row: int) -> str | None:
    """Code of the true class, None where it is not known."""
    return predictions.classes[predictions.labels[row]] if predictions.labelled[row] else None


def predicted_code(predictions: Predictions, row: int) -> str:
    """Code of the most probable class."""
    return predictions.classes[int(predictions.probabilities[row].argmax())]


def class_lines(predictions: Predictions, row: int) -> str:
    """True and predicted class with their colours; says when they differ."""
    true, predicted = true_code(predictions, row), predicted_code(predictions, row)
    verdict = "predicted" if true is None else "predicted ✓" if true == predicted else "predicted ✗"
    return _class_line(true, "true") + _class_line(predicted, verdict)


def probability_bars(predictions: Predictions, row: int, top: int | None = None, full: bool = False) -> str:
    """Bars of the most probable classes, labelled by code or by full name."""
    shares = predictions.probabilities[row]
    bars = ""
    for k in np.argsort(-shares, kind="stable")[:top]:
        diagnosis = get_diagnosis(predictions.classes[k])
        label = diagnosis.name if full else diagnosis.code
        bars += (
            f'<div title="{html.escape(diagnosis.name)}">{html.escape(label)}</div>'
            f'<div class="track"><div style="width:{shares[k]:.2%};background:{diagnosis.colour}"></div></div>'
            f'<div class="number">{html.escape(percent(float(shares[k])))}</div>'
        )
    return f'<div class="bars">{bars}</div>'


def _class_line(code: str | None, role: str) -> str:
    if code is None:
        return ""
    diagnosis = get_diagnosis(code)
    return (
        f'<div class="class"><span style="background:{diagnosis.colour}"></span>'
        f'<span>{html.escape(diagnosis.name)} <span class="quiet">{role}</span></span></div>'
    )


def _word(column: str, value: object) -> str:
    if pd.isna(value) or value == "unknown":
        return "–"
    if column == "age":
        return f"{value:.0f}" if isinstance(value, int | float | np.number) else str(value)
    return CONFIRMATIONS.get(str(value), str(value)) if column == "dx_type" else str(value)
