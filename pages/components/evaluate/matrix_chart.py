"""A confusion matrix as a chart whose cells can be clicked."""

import numpy as np
import plotly.graph_objects as go

from pages.components.shared.figures import AMBER

# See-through blue on any background, so that the theme's text stays readable on every cell.
SCALE = [[0, "rgba(59,130,196,0.04)"], [1, "rgba(59,130,196,0.75)"]]
_CELL_PX = 260


def build_matrix(
    counts: np.ndarray,
    names: tuple[str, ...],
    ticks: tuple[str, ...],
    as_shares: bool,
    chosen: tuple[str | None, str | None] = (None, None),
    text_colour: str | None = None,
) -> go.Figure:
    """Heatmap with a frame around the chosen cell, row or column.

    A heatmap sends no clicks: transparent squares over its cells do, with (true, predicted) as customdata.

    Args:
        counts: (K, K) images, rows true.
        names: of the K outcomes, as in the events.
        ticks: short names for the axes.
        as_shares: colour and label by share of the row instead of by count.
        chosen: true and predicted name; None for any.
        text_colour: of the numbers; plotly's own if None.
    """
    shares = _row_shares(counts)
    rows, columns = (axis.ravel() for axis in np.indices(counts.shape))
    figure = _draw_tint(shares)
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="markers+text",
        text=_label_cells(counts, shares, as_shares),
        textfont={"size": 14, "color": text_colour},
        marker={"symbol": "square", "size": _CELL_PX / len(names), "color": "rgba(0,0,0,0)"},
        selected={"marker": {"opacity": 1}},  # a selection must not fade the rest
        unselected={"marker": {"opacity": 1}, "textfont": {"color": text_colour}},
        customdata=[(names[row], names[column]) for row, column in zip(rows, columns, strict=True)],
        hovertext=_describe_cells(names, counts, shares),
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )
    _frame(figure, names, chosen)
    _style(figure, ticks)
    return figure


def _draw_tint(shares: np.ndarray) -> go.Figure:
    # By share in both units: by count, the largest class would leave every other cell pale.
    tint = {"z": shares, "zmin": 0, "zmax": 1, "colorscale": SCALE, "showscale": False}
    return go.Figure(go.Heatmap(**tint, hoverinfo="skip", xgap=2, ygap=2))


def _row_shares(counts: np.ndarray) -> np.ndarray:
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)


def _label_cells(counts: np.ndarray, shares: np.ndarray, as_shares: bool) -> list[str]:
    """What stands in each cell, row by row; nothing where it has no images."""
    labels = [f"{s:.0%}" for s in shares.ravel()] if as_shares else [f"{c:,}" for c in counts.ravel()]
    return [label if count else "" for label, count in zip(labels, counts.ravel(), strict=True)]


def _describe_cells(names: tuple[str, ...], counts: np.ndarray, shares: np.ndarray) -> list[str]:
    """One text a cell, row by row."""
    return [
        f"true {true}<br>predicted {predicted}<br>{counts[row, column]:,} images, "
        f"{shares[row, column]:.1%} of the row"
        for row, true in enumerate(names)
        for column, predicted in enumerate(names)
    ]


def describe_matrix(counts: np.ndarray, names: tuple[str, ...]) -> str:
    """The matrix in words: how many are right, and the largest confusion."""
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    text = f"Confusion matrix: {np.trace(counts):,} of {counts.sum():,} images on the diagonal"
    if not wrong.any():
        return f"{text}."
    return f"{text}; most often {names[row]} is taken for {names[column]} ({wrong.max():,} images)."


def _frame(figure: go.Figure, names: tuple[str, ...], chosen: tuple[str | None, str | None]) -> None:
    if chosen == (None, None):
        return
    ends = [
        (-0.5, len(names) - 0.5) if name is None else (names.index(name) - 0.5, names.index(name) + 0.5)
        for name in chosen
    ]
    (y0, y1), (x0, x1) = ends
    figure.add_shape(type="rect", x0=x0, x1=x1, y0=y0, y1=y1, line={"width": 3, "color": AMBER})


def _style(figure: go.Figure, ticks: tuple[str, ...]) -> None:
    axis = {
        "tickvals": list(range(len(ticks))),
        "ticktext": ticks,
        "range": [-0.5, len(ticks) - 0.5],
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
    }
    figure.update_xaxes(**axis, title="Predicted", side="top")
    figure.update_yaxes(**(axis | {"range": [len(ticks) - 0.5, -0.5]}), title="True")
    # Without a limit to the distance, the whole cell is hit and not just its square.
    figure.update_layout(
        height=460,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
        hoverdistance=-1,
        dragmode=False,
    )
