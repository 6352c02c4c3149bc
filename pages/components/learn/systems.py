"""What every system that ships answers to the same picture."""

import numpy as np
import streamlit as st

from core.analysis import Analysis
from core.evaluation.mask_metrics import dice
from core.images.drawing import draw_overlay
from core.images.preprocessing import limit_long_side
from core.taxonomy import BINARY_CLASSES, get_diagnosis
from models.manifest import BundleError
from pages.components.learn import subject
from pages.components.shared import engine, notices
from pages.components.shared.figures import draw_threshold_bar
from pages.components.shared.notices import escape, percent

_SIDE_PX = 420
N_SHOWN = 3
_OUTLOOK = (
    "The classic systems of the literature and the one that ships see the same picture, each with its own networks, "
    "settings and decision threshold:\n"
    "1. **Outline** of each, and how far it overlaps with the first one's (Dice).\n"
    "2. **Ranking**: the three most probable classes.\n"
    "3. **Malignancy** against each system's own threshold.\n\n"
    "Their scores on the test split stand under *Systems* above; one picture says nothing about which is better."
)


def draw_systems() -> None:
    """Choose an image; one card a system, and a sentence on how far they agree."""
    try:
        manifests = engine.read_manifests()
        item = subject.choose_image()
        if item is None or not subject.is_asked_for(item, _OUTLOOK):
            return
        found = [subject.analyse(item, manifest) for manifest in manifests]
    except BundleError as error:
        notices.draw_bundle_error(error)
        return
    analyses = [analysis for analysis in found if analysis is not None]
    if not analyses:  # refused, and said so
        return
    subject.draw_outlook_again(_OUTLOOK)
    _draw_agreement(analyses)
    with st.grid(4, min_column_width=250, gap="small"):
        for analysis in analyses:
            with st.container(border=True, gap="xsmall"):
                _draw_system(analysis, analyses[0])
    st.caption(
        "Each at its bundle's own settings and decision threshold. Milliseconds are those of this analysis on this "
        "machine."
    )


def _draw_agreement(analyses: list[Analysis]) -> None:
    naming = [analysis for analysis in analyses if analysis.manifest.classes != BINARY_CLASSES]
    first = {analysis.classification.prediction for analysis in naming}
    called = sum(analysis.suspicious for analysis in analyses)
    if len(first) == 1:
        agreed = f"All {len(naming)} systems that name a diagnosis name **{get_diagnosis(first.pop()).name}** first."
    else:
        names = " and ".join(f"**{get_diagnosis(code).name}**" for code in sorted(first))
        agreed = f"{len(naming)} systems that name a diagnosis, {len(first)} answers: {names}."
    st.markdown(
        f"{agreed} The probability of malignancy reaches its own decision threshold in **{called} of {len(analyses)}**."
    )


def _draw_system(analysis: Analysis, reference: Analysis) -> None:
    """The outline, the most probable classes and malignancy of one system."""
    manifest, answer = analysis.manifest, analysis.classification
    st.markdown(f"**{escape(manifest.description or manifest.name)}**")
    image = limit_long_side(analysis.image.pixels, _SIDE_PX)
    scale = np.float32(image.shape[1] / analysis.shape[1])
    outlined = draw_overlay(image, np.zeros(image.shape[:2], bool), analysis.lesion.contour * scale)
    overlap = dice(analysis.lesion.lesion_mask, reference.lesion.lesion_mask)
    caption = f"{analysis.lesion_area_fraction:.0%} of the image"
    if analysis is not reference and overlap == overlap:
        caption += f", Dice {overlap:.2f} with the first"
    st.image(outlined, caption=caption, width="stretch", alt=f"Outline by {manifest.name}: {caption}.")
    ranked = answer.ranked()[:N_SHOWN]
    st.markdown("  \n".join(f"{get_diagnosis(code).name} **{percent(share)}**" for code, share, _ in ranked))
    draw_threshold_bar(answer.suspicious_probability, manifest.suspicious_threshold)
    views = len(answer.view_probabilities)
    above = "reaches" if analysis.suspicious else "stays below"
    st.caption(
        f"Malignancy {answer.suspicious_probability:.1%} {above} its threshold. {analysis.total_ms:.0f} ms, "
        f"{views} view{'s' if views > 1 else ''}."
    )
