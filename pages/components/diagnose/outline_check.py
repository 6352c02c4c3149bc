"""Does the answer depend on where the outline is drawn? The classifier's crop at both plausible ends, when asked for."""

import streamlit as st

from core.analysis import Analysis
from core.diagnosis.classification import Classification
from core.taxonomy import get_diagnosis
from pages.components.shared import engine
from pages.components.shared.notices import percent

ENDS = ("Tightest outline", "Widest")


def draw(analysis: Analysis) -> None:
    """A button, and what it found; nothing where the classifier sees no crop or no other outline is plausible."""
    if "crop" not in analysis.manifest.views or (masks := analysis.plausible_masks) is None:
        return
    key = engine.bundle_key(analysis.manifest), analysis.settings
    found = st.session_state.setdefault("outline_checks", {})
    identifier = (analysis.image.sha256, *key)
    if identifier not in found:
        slot = st.empty()
        if not slot.button(
            "Does the answer depend on the outline?",
            key="outline_check",
            icon=":material/compare:",
            help="Classifies the picture again, cropped to the tightest and to the widest plausible outline.",
        ):
            return
        slot.empty()
        found[identifier] = [engine.classify_with(analysis, mask) for mask in masks if mask.any()]
    st.markdown(describe(analysis, found[identifier]))


def describe(analysis: Analysis, ends: list[Classification]) -> str:
    """Whether class and side of the decision threshold stay the same at the ends, in words."""
    own, threshold = analysis.classification, analysis.manifest.suspicious_threshold
    same_class = all(end.prediction == own.prediction for end in ends)
    same_side = all((end.suspicious_probability >= threshold) == analysis.suspicious for end in ends)
    if same_class and same_side:
        verdict = "**The answer does not depend on the outline.**"
    elif same_class:
        verdict = "**The side of the decision threshold depends on the outline.**"
    else:
        verdict = "**The most probable class depends on the outline.**"
    said = [
        f"{name}: {get_diagnosis(end.prediction).name} {percent(float(end.probabilities.max()))}, "
        f"malignancy {percent(end.suspicious_probability)}"
        for name, end in zip(ENDS[-len(ends) :], ends, strict=True)
    ]
    return f"{verdict} :gray[{'; '.join(said)}.]"
