"""Your impression first: the reader chooses a class before the networks' answer is shown.

Reference:
    Tschandl et al. (2020), Nat Med 26:1229: a wrong machine answer misleads experts too.
"""

import streamlit as st

from core.analysis import Analysis
from core.taxonomy import get_diagnosis
from pages.components.shared.notices import percent


def is_given(sha256: str) -> bool:
    """Whether the reader has chosen a class for this image."""
    return sha256 in _choices()


def ask(analysis: Analysis) -> None:
    """Let the reader choose; the networks' answer follows."""
    st.subheader("What is your impression?", anchor=False)
    choice = st.pills(
        "Your impression",
        analysis.classification.classes,
        format_func=lambda code: get_diagnosis(code).name,
        key=f"impression_{analysis.image.sha256[:12]}",
        label_visibility="collapsed",
    )
    if choice:
        _choices()[analysis.image.sha256] = choice
        st.rerun()
    st.caption("The networks have answered; their ranking appears once you have chosen.")


def draw(analysis: Analysis) -> None:
    """The reader's choice beside the networks' ranking."""
    choice = _choices()[analysis.image.sha256]
    ranked = analysis.classification.ranked()
    place = [code for code, _, _ in ranked].index(choice)
    st.markdown(
        f":material/person: **Your impression:** {get_diagnosis(choice).name}, "
        f"number {place + 1} of the networks' ranking with {percent(ranked[place][1])}."
    )


def _choices() -> dict[str, str]:
    return st.session_state.setdefault("impressions", {})
