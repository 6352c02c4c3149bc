"""Dermoscopic structures below the measurements: what the bundle's probe finds, how well it was tested, and an example."""

import streamlit as st

from core.analysis import Analysis
from core.diagnosis.structures import MIN_AUC, STRUCTURE_WORDS
from core.phantoms.structures import draw_structure
from models.manifest import Manifest
from pages.components.diagnose.viewer import STRUCTURE
from pages.components.shared.notices import percent

CARD_WIDTH_PX = 148


def draw(analysis: Analysis) -> None:
    """A card for each structure that the bundle reports; nothing for a bundle without a probe."""
    if analysis.structures is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Dermoscopic structures", anchor=False, width="stretch")
        _draw_meanings(analysis.manifest)
    if not analysis.structures:
        st.caption("None is shown: " + describe_left_out(analysis))
        return
    with st.container(horizontal=True, gap="small", key="structure_cards"):
        for name, probability in sorted(analysis.structures.items(), key=lambda pair: -pair[1]):
            _draw_card(analysis, name, probability)
    left_out = describe_left_out(analysis)
    st.caption(
        "Probabilities from a simple probe of what the classifier sees; research software, no reading by an expert. "
        + (f"Not shown: {left_out}" if left_out else "")
    )


def _draw_card(analysis: Analysis, name: str, probability: float) -> None:
    title, _ = STRUCTURE_WORDS[name]
    with st.container(width=CARD_WIDTH_PX, gap="small"):
        st.image(draw_structure(name), width=CARD_WIDTH_PX, alt=f"Drawn example of {title.lower()}.")
        auc = describe_auc(analysis.manifest, name)
        st.markdown(f"**{title}** {percent(probability)}  \n:gray[:small[AUC {auc}]]")
        st.button(
            "Show where",
            key=f"structure_{name}",
            icon=":material/local_fire_department:",
            type="tertiary",
            on_click=_show,
            args=(name,),
            help=f"The evidence for {title.lower()} on the picture above.",
        )


def describe_auc(manifest: Manifest, name: str) -> str:
    """Tested AUC with its 95 % interval."""
    auc = manifest.structures.auc[name]
    return f"{auc['estimate']:.2f} ({auc['low']:.2f}–{auc['high']:.2f})"


def describe_left_out(analysis: Analysis) -> str:
    """Structures that the probe was fitted for and that were not tested well enough; "" if there are none."""
    names = [name for name in analysis.manifest.structures.auc if name not in (analysis.structures or {})]
    tested = [
        f"{STRUCTURE_WORDS[name][0].lower()} (AUC {_estimate(analysis.manifest, name)})" for name in names
    ]
    return f"{', '.join(tested)}: not tested well enough." if tested else ""


def _estimate(manifest: Manifest, name: str) -> str:
    value = manifest.structures.auc[name].get("estimate")
    return "unknown" if value is None else f"{value:.2f}"


def _show(name: str) -> None:
    """Open the viewer at a structure's evidence."""
    st.session_state["view"], st.session_state["structure"] = STRUCTURE, name


def _draw_meanings(manifest: Manifest) -> None:
    with st.popover("What these mean", icon=":material/help:", key="structure_meanings"):
        st.markdown("\n\n".join(f"**{title}:** {text}" for title, text in STRUCTURE_WORDS.values()))
        st.markdown(
            "**AUC:** how often a picture with the structure gets a higher probability than one without it. 0.5 is chance, "
            f"1 is perfect. A structure is shown only where the 95 % interval lies above {MIN_AUC:.2f}."
        )
        st.caption(
            f"The examples are drawn. The probe is a logistic regression on the classifier's features, "
            f"{manifest.structures.origin.rstrip('.')}. The classifier was trained on diagnoses, not on structures."
        )
