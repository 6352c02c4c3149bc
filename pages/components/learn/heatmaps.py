"""Does the heatmap matter to the answer? Occlusion beside Grad-CAM, and deletion curves of both."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.analysis import Analysis
from core.diagnosis.occlusion import HeatmapCheck, check_heatmap, count_copies, skin_colour
from core.errors import DermalensError
from core.images.drawing import blend_heatmap, draw_overlay
from core.images.preprocessing import limit_long_side
from core.lesion.segmentation import stretch_map
from core.taxonomy import get_diagnosis
from pages.components.learn import subject
from pages.components.learn.walkthrough import PICTURE_SIDE_PX
from pages.components.shared import engine, waiting
from pages.components.shared.figures import AMBER, BLUE, savable
from pages.components.shared.notices import HEATMAP_CAUTION, escape

_OUTLOOK = (
    "A heatmap always looks convincing. Two tests ask the classifier itself:\n"
    "1. **Occlusion** covers one place after another with the colour of the skin. Where the probability of the class "
    "falls, the place mattered (Zeiler and Fergus 2014, arXiv:1311.2901).\n"
    "2. **Deletion** covers the image cell by cell in the order of the heatmap, and in random orders. If the heatmap "
    "marks what the answer rests on, the probability falls sooner than by chance (Petsiuk et al. 2018, "
    "arXiv:1806.07421)."
)
_NAMES = {"gradcam": ("Grad-CAM", AMBER), "occlusion": ("Occlusion", BLUE)}
_CHANCE = "#8C9AA8"
_SHARE = 0.2  # of the image; about what a lesion takes
MAX_KEPT = 8


def draw_heatmaps() -> None:
    """Choose a class, measure on request, then the maps, the curves and what they say."""
    analysis = subject.choose_analysis(_OUTLOOK)
    if analysis is None:
        return
    subject.draw_outlook_again(_OUTLOOK)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        code = st.selectbox(
            "Class to look at",
            [code for code, _, _ in analysis.classification.ranked()],
            format_func=lambda code: get_diagnosis(code).name,
            key="learn_heatmap_class",
            width=300,
        )
        asked = st.button("Cover and ask", key="check_heatmap", type="primary", icon=":material/play_arrow:")
    kept = st.session_state.setdefault("heatmap_checks", {})
    key = analysis.image.sha256, engine.bundle_key(analysis.manifest), code
    if asked and key not in kept:
        kept[key] = _measure(analysis, code)
        while len(kept) > MAX_KEPT:
            kept.pop(next(iter(kept)))
    n = count_copies(analysis.preprocessed.shape)
    if key not in kept:
        passes = n * len(analysis.classification.boxes)
        pass_ms = analysis.stage_ms.get("classification", 0.0) / len(
            analysis.classification.view_probabilities
        )
        st.caption(
            f"Asks the classifier about {n} changed copies of the image, {passes} passes: at the pace of this image's "
            f"analysis about {max(passes * pass_ms / 1000, 1):.0f} s."
        )
        return
    _draw_maps(analysis, code, kept[key])
    _draw_curves(kept[key])
    _draw_verdict(kept[key], code)
    st.caption(
        f"{HEATMAP_CAUTION} {n} copies, covered with the median colour of the skin; one view of each window, so the "
        "curves begin at a slightly different probability than the answer, which averages the views. The windows stay where they were."
    )


def _measure(analysis: Analysis, code: str) -> HeatmapCheck:
    """Ask the classifier, with progress; ends the page where too many wait."""
    analyzer, place = engine.analyzer_of(analysis), analysis.classification.classes.index(code)
    bar = st.progress(0.0, "Covering the image …")

    def predict(copies: list[np.ndarray]) -> np.ndarray:
        # A turn a batch, so that others need not wait for all of them.
        with waiting.ANALYSES.turn(lambda before: bar.progress(0.0, waiting.describe_place(before))):
            return analyzer.classify_copies(analysis, copies)[:, place]

    fill = skin_colour(analysis.preprocessed, analysis.lesion.lesion_mask)
    saliency = engine.explain(analysis, code, "gradcam")
    try:
        found = check_heatmap(
            *(analysis.preprocessed, saliency, fill, predict),
            lambda done: bar.progress(done, f"Covering the image … {done:.0%}"),
        )
    except DermalensError as error:
        st.warning(escape(str(error)), icon=":material/hourglass_top:")
        st.stop()
    bar.empty()
    return found


def _draw_maps(analysis: Analysis, code: str, check: HeatmapCheck) -> None:
    image = limit_long_side(analysis.image.pixels, PICTURE_SIDE_PX)
    scale = np.float32(image.shape[1] / analysis.shape[1])
    outlined = draw_overlay(image, np.zeros(image.shape[:2], bool), analysis.lesion.contour * scale)
    fall = float(check.occlusion.max())
    falls = np.maximum(check.occlusion, 0) / max(fall, 1e-6)
    pictures = {
        "The image with its outline": outlined,
        "Grad-CAM": _heat(image, limit_long_side(engine.explain(analysis, code, "gradcam"), PICTURE_SIDE_PX)),
        f"Occlusion: bright is a fall by {100 * fall:.1f} points": _heat(image, falls),
    }
    with st.grid(3, min_column_width=220, gap="small"):
        for caption, picture in pictures.items():
            st.image(picture, caption=caption, width="stretch", alt=f"{caption}, {code}.")


def _heat(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    return blend_heatmap(image, stretch_map(values, image.shape[:2]))


def _draw_curves(check: HeatmapCheck) -> None:
    figure = go.Figure()
    for number, curve in enumerate(check.random):
        style = {"name": "Random order", "legendgroup": "random", "showlegend": number == 0}
        _add_curve(figure, curve, {"color": _CHANCE, "width": 1.5, "dash": "dot"}, **style)
    for key, curve in check.curves.items():
        name, colour = _NAMES[key]
        _add_curve(figure, curve, {"color": colour, "width": 3}, name=name)
    figure.update_xaxes(title="Share of the image covered", tickformat=".0%", range=[0, 1], fixedrange=True)
    figure.update_yaxes(title="Probability", tickformat=".0%", rangemode="tozero", fixedrange=True)
    figure.update_layout(
        height=320,
        margin={"l": 0, "r": 8, "t": 34, "b": 0},
        dragmode=False,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    alt = "; ".join(f"{_NAMES[key][0]} area {curve.area:.3f}" for key, curve in check.curves.items())
    chance = ", ".join(f"{curve.area:.3f}" for curve in check.random)
    st.plotly_chart(
        figure,
        key="learn_deletion",
        config=savable("deletion"),
        alt=f"Deletion curves: {alt}; random orders {chance}.",
    )


def _add_curve(figure: go.Figure, curve, line: dict, name: str, **options) -> None:
    hover = "%{x:.0%} covered: %{y:.1%}<extra>" + name + "</extra>"
    figure.add_scatter(
        x=curve.shares,
        y=curve.probabilities,
        name=name,
        line=line,
        mode="lines",
        hovertemplate=hover,
        **options,
    )


def _draw_verdict(check: HeatmapCheck, code: str) -> None:
    chance = np.mean([curve.at(_SHARE) for curve in check.random])
    start = check.random[0].probabilities[0]
    lines = [f"{get_diagnosis(code).name} begins at **{start:.1%}**. With {_SHARE:.0%} of the image covered:"]
    for key, curve in check.curves.items():
        sooner = "sooner than by every random order" if check.matters(key) else "**no sooner than by chance**"
        lines.append(
            f"- by **{_NAMES[key][0]}** {curve.at(_SHARE):.1%} (random orders: {chance:.1%}); over the whole curve it falls "
            f"{sooner} (area {curve.area:.3f} against {min(c.area for c in check.random):.3f} or more)."
        )
    if not check.matters("gradcam"):
        lines.append(
            "\nOn this image the Grad-CAM map does not mark what the probability of this class rests on."
        )
    st.markdown("\n".join(lines))
