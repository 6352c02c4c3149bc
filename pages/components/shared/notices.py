"""Words that several pages share: what Dermalens is not, and what went wrong."""

import re

import streamlit as st

from core.images.quality_findings import QualityReport
from models.manifest import BundleError

NOTICE = (
    ":material/science: **For research and teaching.** Not a medical device; no basis for decisions "
    "about a patient."
)
HEATMAP_CAUTION = (
    "A heatmap shows where the score of this class came from. It is neither a lesion outline nor a "
    "dermoscopic criterion; rulers, ink and hair can light up too."
)


def draw_notice() -> None:
    """The research-and-teaching line of every page that shows a result."""
    st.caption(NOTICE)


def draw_bundle_error(error: BundleError) -> None:
    """Say that no networks are available, and what to do."""
    st.error(
        f"{error}\n\nImages can be added, but nothing is predicted without checked weights.",
        title="The networks are not available",
        icon=":material/cloud_off:",
    )


def draw_quality(report: QualityReport) -> None:
    """Warnings about the image in one box, notes as a line below."""
    warnings = [finding.message for finding in report.findings if finding.severity == "warning"]
    notes = [finding.message for finding in report.findings if finding.severity == "note"]
    if warnings:
        text = warnings[0] if len(warnings) == 1 else "\n".join(f"- {message}" for message in warnings)
        st.warning(text, title="Read the result with care", icon=":material/warning:")
    for message in notes:
        st.caption(f":material/info: {message}")


def escape(text: str) -> str:
    r"""Text from outside, e.g. a file's name, so that Markdown shows it as it is.

    >>> escape("a_b [1].png")
    'a\\_b \\[1\\].png'
    """
    return re.sub(r"([\\`*_{}\[\]()<>#!|~$:])", r"\\\1", text)


def percent(share: float) -> str:
    """A percentage that is never rounded to 0 or 100 %.

    >>> percent(0.004), percent(0.256), percent(0.9999)
    ('<1%', '26%', '>99%')
    """
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{share:.0%}"
