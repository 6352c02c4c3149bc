"""The parts of one result: verdict, ranking, measurements, provenance and downloads."""

import json
import math
from pathlib import Path

import streamlit as st

from core.analysis import Analysis
from core.images.drawing import draw_overlay, encode_png
from core.lesion.morphology import Morphology
from core.lesion.morphology_table import MorphologyRow, abcd_rows
from core.report import analysis_record
from core.taxonomy import get_diagnosis
from pages.components.diagnose.settings import FILTERS
from pages.components.shared import engine
from pages.components.shared.engine import with_scale
from pages.components.shared.figures import draw_ranking, draw_threshold_bar
from pages.components.shared.notices import percent

ABCD_COLUMNS = 3


def draw_unknown(analysis: Analysis) -> bool:
    """Say that the image is out of distribution; returns whether to show the result anyway."""
    threshold = analysis.manifest.novelty
    st.header("Outside what this model knows", anchor=False)
    st.markdown(
        "This image is unlike the dermoscopic images that the classifier was trained on. The classifier ranks "
        "diagnoses all the same, but the ranking means little. Is this a close-up taken through a "
        "dermatoscope, sharp and with the lesion in the frame?"
    )
    st.caption(
        f"Distance from the known images {analysis.novelty:.3f}, threshold {threshold.threshold:.3f}: "
        f"{threshold.origin.rstrip('.')}."
    )
    return st.toggle(
        "Show the answer anyway",
        key=f"anyway_{analysis.image.sha256[:12]}",
        persist_state="session",
    )


def draw_verdict(analysis: Analysis) -> None:
    """The headline: most probable class, and on which side of the decision threshold the lesion lies."""
    answer = analysis.classification
    name = get_diagnosis(answer.prediction).name
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"##### {name} · {percent(answer.probabilities.max())}", width="content")
        st.caption(f"most probable class; {_describe_views(analysis)}", width="stretch")
        st.markdown(f"**Probability of malignancy {answer.suspicious_probability:.1%}**", width="content")
        if analysis.suspicious:
            st.badge("At or above the decision threshold", icon=":material/priority_high:", color="orange")
        else:
            st.badge("Below the decision threshold", icon=":material/arrow_downward:", color="blue")


def _draw_malignancy(analysis: Analysis) -> None:
    """Where the probability of malignancy stands, and what the decision threshold means."""
    draw_threshold_bar(analysis.classification.suspicious_probability, analysis.manifest.suspicious_threshold)
    st.caption(_describe_suspicion(analysis))


def draw_classes(analysis: Analysis) -> str:
    """Ranked probabilities and what the picked class is; returns the picked class."""
    answer = analysis.classification
    codes = [code for code, _, _ in answer.ranked()]
    st.subheader("Ranked probabilities", anchor=False)
    chart = st.container(gap="small")
    focus = st.selectbox(
        "Class to look at",
        codes,
        format_func=lambda code: get_diagnosis(code).name,
        # One choice per image: a class picked here says nothing about the next image.
        key=f"focus_{analysis.image.sha256[:12]}",
        persist_state="session",
        help="Also the class that the Grad-CAM view explains.",
    )
    with chart:
        draw_ranking(answer, focus)
        if len(answer.view_probabilities) > 1:
            st.caption("Whiskers: spread between the views.")
        # The coverage holds for images like those it was calibrated on, so not for an unknown kind.
        if analysis.conformal_set is not None and not analysis.unknown:
            _draw_conformal_set(analysis)
        if analysis.balanced_prediction not in (None, answer.prediction):
            st.markdown(
                f"By the rule that weighs all diagnoses alike: **{get_diagnosis(analysis.balanced_prediction).name}**. "
                ":gray[The probabilities hold where diagnoses are as frequent as in the training data; this rule corrects "
                "for that, so it names rare diagnoses sooner.]"
            )
    diagnosis = get_diagnosis(focus)
    st.markdown(f"{diagnosis.plain} :gray[Counted as {diagnosis.malignancy.value}.]")
    st.markdown("**Probability of malignancy**")
    _draw_malignancy(analysis)
    return focus


def _draw_conformal_set(analysis: Analysis) -> None:
    level = analysis.manifest.conformal.confidence_level
    names = ", ".join(get_diagnosis(code).name for code in analysis.conformal_set)
    st.markdown(
        f"With {level:.0%} coverage the answer lies among: **{names}**"
        if names
        else f"At {level:.0%} coverage no diagnosis is likely enough to be named."
    )
    st.caption(
        f"Calibrated to hold the true diagnosis of {level:.0%} of the validation split's images of each "
        "class, with the default settings."
    )


def _describe_suspicion(analysis: Analysis) -> str:
    meaning = (
        "The probability of malignant, premalignant and in-situ classes together reaches the threshold."
        if analysis.suspicious
        else "The probability of malignant, premalignant and in-situ classes together stays below the "
        "threshold. That does not rule out cancer: no threshold detects every melanoma."
    )
    manifest = analysis.manifest
    return f"{meaning} Decision threshold {manifest.suspicious_threshold:.1%}: {manifest.threshold_origin.rstrip('.')}."


def _describe_views(analysis: Analysis) -> str:
    answer = analysis.classification
    views = len(answer.view_probabilities)
    if views == 1:
        return "one view only, so there is no spread to show"
    agreeing = round(answer.agreement * views)
    return f"{agreeing} of {views} views agree"


def draw_measurements(analysis: Analysis) -> Analysis:
    """The ABCD table and the scale it uses; returns the analysis at that scale."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Measurements", anchor=False, width="stretch")
        if analysis.morphology is not None:
            _draw_meanings(abcd_rows(analysis.morphology, _measure_plausible(analysis)))
        spacing_mm = st.number_input(
            "Pixel size (mm)",
            min_value=0.0001,
            max_value=1.0,
            value=None,
            step=0.001,
            format="%.4f",
            placeholder=_describe_scale(analysis.image.pixel_spacing_mm),
            key=f"spacing_{analysis.image.sha256[:12]}",
            help="Millimetres per pixel of this image, from your dermatoscope's calibration. Without it, "
            "lengths stay in pixels.",
            persist_state="session",
            label_visibility="collapsed",
            width=170,
        )
    analysis = with_scale(analysis, spacing_mm)
    if analysis.morphology is None:
        st.markdown("No lesion was found, so there is nothing to measure.")
        return analysis
    draw_abcd(abcd_rows(analysis.morphology, _measure_plausible(analysis)))
    return analysis


def _measure_plausible(analysis: Analysis) -> tuple[Morphology, ...]:
    """Of all plausible outlines; the scale is that of the analysis."""
    key = analysis.image.sha256, engine.bundle_key(analysis.manifest), analysis.settings
    measured = _measure_once(key, analysis)
    return (analysis.morphology, *measured[1:])


@st.cache_data(max_entries=32, show_spinner=False, scope="session")
def _measure_once(key: tuple, _analysis: Analysis) -> tuple[Morphology, ...]:
    return _analysis.measure_plausible()


def draw_abcd(rows: list[MorphologyRow]) -> None:
    """The measurements in a few short columns; what each means is one click away."""
    length = math.ceil(len(rows) / ABCD_COLUMNS)
    for number, column in enumerate(st.columns(ABCD_COLUMNS, gap="small")):
        part = rows[number * length : (number + 1) * length]
        table = {
            "Measure": [row.label for row in part],
            "Value": [f"**{_keep_range(row.value)}**" for row in part],
        }
        column.table(table, border="horizontal", hide_index=True, hide_header=True)


def _keep_range(value: str) -> str:
    """The value with word joiners around its dash, so that no range is broken over two lines."""
    return value.replace("–", "\u2060–\u2060")


def _draw_meanings(rows: list[MorphologyRow]) -> None:
    with st.popover("What these mean", icon=":material/help:", key="abcd_meanings"):
        st.markdown("\n\n".join(f"**{row.label}:** {row.explanation}" for row in rows))
        st.caption("Computed from the outline and the pixels. The classifier does not see these numbers.")


def _describe_scale(spacing_mm: float | None) -> str:
    return "mm per pixel" if spacing_mm is None else f"{spacing_mm:.4f} (file)"


def draw_provenance(analysis: Analysis) -> None:
    """Which model and weights, which settings, how long it took."""
    manifest, image = analysis.manifest, analysis.image
    height, width = analysis.shape
    chosen = analysis.settings.preprocessing
    filters = [name.lower() for field, name, _ in FILTERS if getattr(chosen, field)]
    augmented = "eight symmetric views" if analysis.settings.test_time_augmentation else "one view"
    stages = ", ".join(f"{stage} {ms:.0f}" for stage, ms in analysis.stage_ms.items())
    facts = {
        "Model": ", ".join(
            filter(None, [manifest.name, f"version {manifest.version}", manifest.description])
        ),
        "Weights": f"`{manifest.fingerprint}`",
        "Settings": f"{augmented} of each window; {', '.join(filters) or 'no filters'}",
        "Time": f"{analysis.total_ms / 1000:.2f} s :gray[(ms: {stages})]",
        "Image": f"{image.format}, {width} × {height} px, `{image.sha256[:12]}`",
    }
    st.markdown("  \n".join(f"**{name}:** {value}" for name, value in facts.items()))


def draw_downloads(analysis: Analysis) -> None:
    """JSON, overlay and mask of one image; each file is made when it is asked for."""
    stem = Path(analysis.image.name).stem or "image"
    lesion = analysis.lesion
    files = (
        ("JSON", "json", f"{stem}.json", "application/json", lambda: _to_json(analysis)),
        (
            "Overlay",
            "overlay",
            f"{stem}_overlay.png",
            "image/png",
            lambda: encode_png(
                draw_overlay(
                    analysis.image.pixels, lesion.lesion_mask, lesion.contour, other_spots=lesion.other_spots
                )
            ),
        ),
        ("Mask", "mask", f"{stem}_mask.png", "image/png", lambda: encode_png(lesion.lesion_mask)),
    )
    for label, key, file_name, mime, data in files:
        st.download_button(
            label,
            data,
            file_name=file_name,
            mime=mime,
            key=f"download_{key}",
            icon=":material/download:",
            on_click="ignore",
        )


def _to_json(analysis: Analysis) -> str:
    return json.dumps(analysis_record(analysis), indent=2, allow_nan=False)
