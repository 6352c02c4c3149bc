"""Original beside view: what to draw for each view, and the two panels with their shared zoom."""

from pathlib import Path

import numpy as np
import streamlit as st

from core.analysis import Analysis
from core.diagnosis.explanation import METHODS
from core.diagnosis.structures import STRUCTURE_WORDS
from core.images.drawing import blend_heatmap, draw_overlay, draw_thin_outlines
from core.images.preprocessing import limit_long_side
from core.lesion.band import read_band
from core.taxonomy import get_diagnosis
from pages.components.diagnose import session_images
from pages.components.shared import engine
from pages.components.shared.figures import to_data_url
from pages.components.shared.notices import HEATMAP_CAUTION, percent

OUTLINE, MASK, PROBABILITY, GRADCAM = "Outline", "Mask", "Probability map", "Grad-CAM"
STRUCTURE = "Structures"
VIEWS = (OUTLINE, MASK, PROBABILITY, GRADCAM, STRUCTURE)
METHOD_NAMES = dict(zip(METHODS, ("Grad-CAM", "Grad-CAM++"), strict=True))
DEFAULT_OPACITY = {OUTLINE: 0.0, MASK: 0.7, PROBABILITY: 0.6, GRADCAM: 0.5, STRUCTURE: 0.5}
LEGENDS = {
    PROBABILITY: ("not lesion", "lesion"),
    GRADCAM: ("no effect", "strongest"),
    STRUCTURE: ("0 %", "100 %"),
}
EVIDENCE_MEANING = (
    "Each place is given the probability that the structure would have if the whole picture looked like it: coarse, "
    "and no outline of the structure."
)

# Sent to the browser at most at this size: three times a panel's width, so that zooming shows detail.
MAX_SIDE_PX = 1400

_HERE = Path(__file__).parent
_PANEL = (
    '<figure><div class="frame" tabindex="0"><img draggable="false"></div><figcaption></figcaption></figure>'
)
_HTML = f"""
<div class="viewer">
  <div class="panels">{_PANEL * 2}</div>
  <div class="bar">
    <div class="zoom" role="group" aria-label="Zoom both pictures">
      <button class="out" aria-label="Zoom out">−</button><output>100%</output>
      <button class="in" aria-label="Zoom in">+</button><button class="fit">Fit</button>
    </div>
    <span class="hint">Both zoom together: double-click or Ctrl + wheel, drag to move.</span>
    <span class="legend"><span class="low"></span><img alt="Colour scale"><span class="high"></span></span>
  </div>
</div>
"""
_mount = st.components.v2.component(
    "dermalens_viewer",
    html=_HTML,
    css=(_HERE / "viewer.css").read_text(),
    js=(_HERE / "viewer.js").read_text(),
)


@st.fragment  # a moved slider redraws the pictures alone
def draw_viewer(analysis: Analysis, focus: str | None) -> None:
    """Original beside the chosen view; without `focus`, nothing that gives the answer away."""
    views = VIEWS[:3] if focus is None else VIEWS if analysis.structures else VIEWS[:-1]
    view, opacity, choice = _draw_controls(views, list(analysis.structures or ()))
    overlay = _find_overlay(analysis, view, focus, choice)
    shown = choice if view == STRUCTURE else focus or analysis.classification.prediction
    draw_panels(analysis, view, opacity, overlay, shown)
    if view == OUTLINE:
        _draw_band_note(analysis)
    elif view == GRADCAM:
        if not overlay.any():
            st.caption(f"Nothing in this image raised the score of {get_diagnosis(focus).name}.")
        st.caption(f":material/info: {HEATMAP_CAUTION}")
    elif view == STRUCTURE:
        st.caption(f":material/info: {EVIDENCE_MEANING}")


def _find_overlay(analysis: Analysis, view: str, focus: str | None, choice: str) -> np.ndarray | None:
    """(H, W) in [0, 1] of the views that are heatmaps of their own."""
    if view == STRUCTURE:
        return engine.explain_structure(analysis, choice)
    return engine.explain(analysis, focus, choice) if view == GRADCAM else None


def _draw_band_note(analysis: Analysis) -> None:
    band = read_band(analysis.manifest)
    if band and analysis.lesion.found:  # there are `plausible_masks` then; they need not be computed twice
        st.caption(
            f"Thin blue lines: tightest and widest plausible outline; about {band.share:.0%} of experts' outlines lie between.",
            help=f"Experts draw the border differently. Measured on validation images: {band.origin}. Where no line "
            "shows, it runs along the outline.",
        )


def draw_spots(analysis: Analysis) -> None:
    """Where there are several spots, a button that analyses the next one instead."""
    n_spots, spot = 1 + len(analysis.lesion.other_spots), analysis.settings.spot
    if n_spots == 1:
        return
    following = (spot + 1) % n_spots
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Spot {spot + 1} of {n_spots}; the others are outlined faintly.", width="content")
        st.button(
            f"Analyse spot {following + 1} instead",
            key="next_spot",
            on_click=session_images.pick_spot,
            args=(analysis.image.sha256, following),
        )


def _draw_controls(views: tuple[str, ...], structures: list[str]) -> tuple[str, float, str]:
    """View, opacity in [0, 1], and what is shown: the Grad-CAM method or the structure."""
    kept = {"persist_state": "session"}
    if st.session_state.get("view") not in (None, *views):
        st.session_state["view"] = OUTLINE  # chosen where more could be seen
    default = {} if "view" in st.session_state else {"default": OUTLINE}
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        view = st.segmented_control(
            "View",
            views,
            **default,
            required=True,
            format_func=lambda name: name.removesuffix(" map"),  # the names fit side by side on a phone
            key="view",
            **kept,
        )
        label, start = "Fill" if view == OUTLINE else "Opacity", round(100 * DEFAULT_OPACITY[view])
        opacity = st.slider(
            label, 0, 100, start, step=5, format="%d%%", key=f"opacity_{view}", width=160, **kept
        )
        return view, opacity / 100, _draw_choice(view, structures, kept)


def _draw_choice(view: str, structures: list[str], kept: dict[str, str]) -> str:
    if view == STRUCTURE:
        names = {"format_func": lambda name: STRUCTURE_WORDS[name][0], "width": 150}
        return st.selectbox("Structure", structures, key="structure", **names, **kept)
    if view != GRADCAM:
        return METHODS[0]
    names = {"default": METHODS[0], "format_func": METHOD_NAMES.get}
    return st.segmented_control("Method", METHODS, required=True, key="method", **names, **kept)


def draw_panels(
    analysis: Analysis, view: str, opacity: float, saliency: np.ndarray | None, code: str
) -> None:
    """Draw original and view side by side; on a narrow screen one below the other.

    `code` is the class that Grad-CAM explains, or the structure that is looked for.
    """
    picture = render_view(analysis, view, opacity, saliency)
    original = limit_long_side(analysis.image.pixels, MAX_SIDE_PX)
    height, width = original.shape[:2]
    item = session_images.items().get(analysis.image.sha256)
    name = "drawn, not a patient" if item and item.origin == "sample" else analysis.image.name
    captions = {
        GRADCAM: f"{view} of {_shown_name(view, code)}",
        STRUCTURE: f"Evidence for {_shown_name(view, code)}",
    }
    _mount(
        data={
            "image": analysis.image.sha256,
            "aspect": f"{width} / {height}",
            "panels": [
                {
                    "src": to_data_url(original),
                    "alt": f"Original, {width} by {height} pixels.",
                    "caption": f"Original · {name}",
                },
                {
                    "src": to_data_url(picture),
                    "alt": describe_view(analysis, view, code),
                    "caption": captions.get(view, view),
                },
            ],
            "legend": _legend(view),
        },
        key="viewer",
    )


def render_view(
    analysis: Analysis, view: str, opacity: float, saliency: np.ndarray | None = None
) -> np.ndarray:
    """The right panel, (h, w, 3) uint8, at most `MAX_SIDE_PX` long.

    Args:
        analysis: what to show.
        view: of `VIEWS`.
        opacity: of what lies over the picture, in [0, 1].
        saliency: (H, W) in [0, 1]; needed for `GRADCAM` and `STRUCTURE`.
    """
    image = limit_long_side(analysis.image.pixels, MAX_SIDE_PX)
    scale = image.shape[1] / analysis.shape[1]
    if view == PROBABILITY:
        return blend_heatmap(image, limit_long_side(analysis.mask_probability, MAX_SIDE_PX), opacity)
    if view in (GRADCAM, STRUCTURE):
        return blend_heatmap(image, np.clip(limit_long_side(saliency, MAX_SIDE_PX), 0, 1), opacity)
    white = np.where(analysis.lesion.lesion_mask, 255, 0).astype(np.uint8)
    white = limit_long_side(white, MAX_SIDE_PX)
    if view == MASK:
        blended = (1 - opacity) * image + opacity * white[..., None].astype(np.float32)
        return np.rint(blended).astype(np.uint8)
    contour, *others = (
        line * np.float32(scale) for line in (analysis.lesion.contour, *analysis.lesion.other_spots)
    )
    ends = analysis.plausible_masks
    drawn = (
        image if ends is None else draw_thin_outlines(image, ends)
    )  # below the outline, which they may run along
    return draw_overlay(drawn, white >= 128, contour, opacity=opacity, other_spots=others)


def describe_view(analysis: Analysis, view: str, code: str) -> str:
    """The right panel in words, for readers who do not see it."""
    if view == GRADCAM:
        return f"Heatmap of the regions that raised the score of {get_diagnosis(code).name}."
    if view == STRUCTURE:
        return f"Heatmap of where {_shown_name(view, code)} was found."
    if view == PROBABILITY:
        peak = percent(float(analysis.mask_probability.max()))
        return f"Heatmap of the probability that a pixel is lesion; its highest value is {peak}."
    if not analysis.lesion.found:
        return "No lesion was found in this image."
    x, y = analysis.lesion.contour.mean(axis=0) / np.array(analysis.shape[::-1])
    across = "left" if x < 0.4 else "right" if x > 0.6 else "middle"
    down = "top" if y < 0.4 else "bottom" if y > 0.6 else "middle"
    return f"{view} of the lesion: it covers {percent(analysis.lesion_area_fraction)} of the image ({across}, {down})."


def _shown_name(view: str, code: str) -> str:
    """What a heatmap is about, in words."""
    return STRUCTURE_WORDS[code][0].lower() if view == STRUCTURE else get_diagnosis(code).name


def _legend(view: str) -> dict[str, str] | None:
    if view not in LEGENDS:
        return None
    ramp = np.broadcast_to(np.linspace(0, 1, 128, dtype=np.float32), (6, 128))
    strip = blend_heatmap(np.zeros((6, 128, 3), np.uint8), ramp, 1.0)
    low, high = LEGENDS[view]
    return {"src": to_data_url(strip), "low": low, "high": high}
