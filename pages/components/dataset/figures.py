"""Charts of the catalogue whose bars and cells lead to the images behind them."""

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.components.dataset import address
from pages.components.shared.figures import savable

# Pairs of a facet and an option, flat, as a click brings them back: ["class", "mel", "age", "20-29"].
Target = list[str]
_MARGIN = {"l": 0, "r": 8, "t": 8, "b": 8}


def draw_chart(figure: go.Figure, key: str, alt: str) -> None:
    """A chart of which a click filters by what was clicked and shows the images."""
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        config=savable(key),
        on_select=partial(_follow_click, key),
        selection_mode="points",
    )


def _follow_click(key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points:
        target = list(points[0]["customdata"])
        address.refilter(view="browse", **dict(zip(target[::2], target[1::2], strict=True)))


def build_bars(
    parts: Sequence[tuple[str, Sequence[int], str | Sequence[str] | None]], labels, target, unit
) -> go.Figure:
    """Horizontal bars, stacked where there are several parts.

    Args:
        parts: name, a count for each label, and colour or colours (None: the theme's).
        labels: of the bars, top first.
        target: (part number, label number) -> `Target`.
        unit: what is counted.
    """
    figure = go.Figure()
    for k, (name, counts, colour) in enumerate(parts):
        figure.add_bar(
            y=list(labels),
            x=list(counts),
            name=name,
            orientation="h",
            marker_color=colour,
            customdata=[target(k, i) for i in range(len(labels))],
            text=[f"{count:,}" for count in counts] if len(parts) == 1 else None,
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}{' · ' + name if len(parts) > 1 else ''}<br>%{{x:,}} {unit}<extra></extra>",
        )
    longest = max(parts[0][1], default=0) if len(parts) == 1 else None
    _style_bars(figure, len(labels), longest)
    return figure


def _style_bars(figure: go.Figure, n_bars: int, longest: int | None) -> None:
    """Axes and legend; `longest` is the greatest count of bars that are not stacked, else None."""
    stacked = longest is None
    right = None if stacked else longest * 1.16  # room for the counts written behind the bars
    figure.update_xaxes(
        fixedrange=True, range=[0, right] if right else None, title=None, showticklabels=stacked
    )
    figure.update_yaxes(fixedrange=True, autorange="reversed", title=None, ticklabelstandoff=6)
    figure.update_layout(
        barmode="stack",
        height=30 * n_bars + (70 if stacked else 30),
        margin=_MARGIN,
        bargap=0.3,
        showlegend=stacked,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        clickmode="event+select",
        dragmode=False,
    )


def build_cells(
    counts: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], target: Callable[[int, int], Target]
) -> go.Figure:
    """A table of counts, each cell tinted by its share of its row.

    Args:
        counts: (R, C) whole numbers.
        rows: R labels, top first.
        columns: C labels.
        target: (row number, column number) -> `Target`.
    """
    numbers = counts.to_numpy()
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0).to_numpy()
    places = [(i, j) for i in range(len(rows)) for j in range(len(columns))]
    figure = go.Figure()
    figure.add_heatmap(
        z=shares,
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        text=[[f"{n:,}" if n else "" for n in line] for line in numbers],
        texttemplate="%{text}",
        **{"zmin": 0, "zmax": max(float(shares.max(initial=0)), 0.01)},
        **{"xgap": 2, "ygap": 2, "showscale": False, "hoverinfo": "skip"},
    )
    # A heatmap cannot be clicked: invisible markers over its cells can.
    figure.add_scatter(
        x=[j for _, j in places],
        y=[i for i, _ in places],
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        customdata=[target(i, j) for i, j in places],
        text=[_describe_cell(rows[i], columns[j], numbers[i, j], shares[i, j]) for i, j in places],
        hovertemplate="%{text}<extra></extra>",
    )
    _style_cells(figure, rows, columns)
    return figure


def _style_cells(figure: go.Figure, rows: Sequence[str], columns: Sequence[str]) -> None:
    plain = {"fixedrange": True, "showgrid": False, "zeroline": False}
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=list(columns), **plain)
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=list(rows),
        range=[len(rows) - 0.5, -0.5],
        ticklabelstandoff=6,
        **plain,
    )
    figure.update_layout(
        height=30 * len(rows) + 56, margin=_MARGIN, showlegend=False, clickmode="event+select", dragmode=False
    )


def _describe_cell(row: str, column: str, count: int, share: float) -> str:
    return f"{row.replace('<br>', ' ')}, {column.replace('<br>', ' ')}<br>{count:,} images, {share:.0%} of the row"
