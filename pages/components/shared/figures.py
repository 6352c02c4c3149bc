"""Charts and small pictures: the ranking, where the probability of malignancy stands, thumbnails."""

import base64
import textwrap
from io import BytesIO

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from PIL import Image

from core.diagnosis.classification import Classification
from core.images.preprocessing import limit_long_side
from core.taxonomy import get_diagnosis
from pages.components.shared.notices import percent

AMBER, BLUE = "#D98E1F", "#4A90CE"
_ROW_PX = 36


def savable(name: str) -> dict:
    """Plotly's settings of a chart with one button, which saves it as `name`.svg; it shows on hovering."""
    return {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "svg", "filename": name},
    }


def draw_ranking(classification: Classification, focus: str) -> None:
    """Horizontal bars, most probable first, with the spread between views and `focus` in bold."""
    st.plotly_chart(
        build_ranking(classification, focus),
        key="ranking",
        config={"displayModeBar": False, "responsive": True},
        alt=describe_ranking(classification),
    )


def build_ranking(classification: Classification, focus: str) -> go.Figure:
    """The bar chart of `draw_ranking`."""
    codes, shares, spreads = zip(*classification.ranked(), strict=True)
    figure = go.Figure(
        go.Bar(
            x=shares,
            y=codes,
            orientation="h",
            marker_color=[get_diagnosis(code).colour for code in codes],
            error_x=_error_bars(shares, spreads),
            customdata=[(get_diagnosis(code).name, get_diagnosis(code).malignancy.value) for code in codes],
            hovertemplate="<b>%{customdata[0]}</b><br>%{x:.1%} · %{customdata[1]}<extra></extra>",
        )
    )
    _style_ranking(figure, codes, shares, focus)
    return figure


def describe_ranking(classification: Classification) -> str:
    """The chart in words."""
    ranked = (f"{get_diagnosis(code).name} {percent(share)}" for code, share, _ in classification.ranked())
    return f"Class probabilities, most probable first: {'; '.join(ranked)}."


def draw_threshold_bar(share: float, threshold: float) -> None:
    """A thin bar with the probability of malignancy and a tick at the threshold."""
    colour = AMBER if share >= threshold else BLUE
    label = f"Probability of malignancy {share:.1%}, decision threshold {threshold:.1%}"
    st.html(
        f'<div role="img" aria-label="{label}" style="position:relative;height:1.7rem;margin:0.1rem 0 0">'
        '<div style="height:0.55rem;border-radius:0.3rem;background:rgba(128,145,165,0.25);overflow:hidden">'
        f'<div style="height:100%;width:{share:.2%};background:{colour}"></div></div>'
        f'<div style="position:absolute;top:-0.2rem;left:calc({threshold:.2%} - 1px);height:0.95rem;width:2px;'
        'background:currentColor"></div>'
        f'<div style="position:absolute;top:0.75rem;left:{min(max(threshold, 0.1), 0.9):.2%};font-size:0.78rem;'
        f'transform:translateX(-50%);white-space:nowrap;opacity:0.8">threshold {threshold:.1%}</div></div>'
    )


def thumbnail(image: np.ndarray, side_px: int = 160) -> str:
    """A small picture as a data URL, e.g. for a table's image column."""
    return to_data_url(limit_long_side(image, side_px))


def to_data_url(image: np.ndarray) -> str:
    """An (H, W, 3) or (H, W) uint8 picture as a JPEG data URL."""
    stream = BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _style_ranking(figure: go.Figure, codes: tuple[str, ...], shares: tuple[float, ...], focus: str) -> None:
    """Names on the left, percentages on the right, no grid to distract."""
    colour = st.get_option(f"theme.{st.context.theme.type or 'light'}.textColor")
    for code, share in zip(codes, shares, strict=True):
        text = f"<b>{percent(share)}</b>" if code == focus else percent(share)
        figure.add_annotation(
            x=1.0,
            y=code,
            text=text,
            showarrow=False,
            xanchor="left",
            xref="paper",
            xshift=6,
            font={"size": 13, "color": colour},
        )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", tickvals=[0, 0.5, 1], fixedrange=True, title=None)
    figure.update_yaxes(
        autorange="reversed",
        tickfont={"size": 13, "color": colour},
        fixedrange=True,
        ticktext=[_label(code, code == focus) for code in codes],
        tickvals=codes,
        ticklabelstandoff=6,
    )
    figure.update_layout(
        height=_ROW_PX * len(codes) + 34,
        margin={"l": 0, "r": 46, "t": 4, "b": 24},
        bargap=0.38,
        showlegend=False,
        dragmode=False,
    )


def _error_bars(shares: tuple[float, ...], spreads: tuple[float, ...]) -> dict:
    if any(spread != spread for spread in spreads):  # NaN: one view has no spread
        return {"visible": False}
    # Cut at 0 and 1: a probability beyond them does not exist.
    up = [min(spread, 1 - share) for share, spread in zip(shares, spreads, strict=True)]
    down = [min(spread, share) for share, spread in zip(shares, spreads, strict=True)]
    style = {"thickness": 1.4, "width": 4, "color": "rgba(120,135,150,0.95)"}
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, **style}


def _label(code: str, bold: bool) -> str:
    text = "<br>".join(textwrap.wrap(get_diagnosis(code).name, 20))
    return f"<b>{text}</b>" if bold else text
