"""Estimates as dots with their intervals, one a line."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from core.evaluation.bootstrap import Interval
from pages.components.shared.figures import BLUE

_ROW_PX, _FRAME_PX = 30, 62
GREY = "rgba(128, 145, 165, 0.9)"


def build_dots(
    names: Sequence[str],
    intervals: Sequence[Interval],
    faint: Sequence[bool],
    reference: float,
    hover: Sequence[str],
) -> go.Figure:
    """A dot plot from top to bottom.

    Args:
        names: of the lines.
        intervals: of the lines; without limits there is a dot alone, without an estimate nothing.
        faint: lines to be drawn hollow, because little stands behind them.
        reference: where the dashed line goes.
        hover: text of each line.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[interval.estimate for interval in intervals],
        y=list(range(len(names))),
        mode="markers",
        error_x=_error_bars(intervals),
        marker={
            "color": BLUE,
            "size": 10,
            "symbol": ["circle-open" if one else "circle" for one in faint],
            "line": {"width": 2, "color": BLUE},
        },
        customdata=list(hover),
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.add_vline(x=reference, line={"dash": "dash", "width": 1.2, "color": GREY})
    _style(figure, names)
    return figure


def _error_bars(intervals: Sequence[Interval]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [interval.high - interval.estimate for interval in intervals],
        "arrayminus": [interval.estimate - interval.low for interval in intervals],
        "color": GREY,
        "thickness": 1.6,
        "width": 5,
    }


def _style(figure: go.Figure, names: Sequence[str]) -> None:
    figure.update_xaxes(fixedrange=True, title=None, zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=list(names),
        range=[len(names) - 0.4, -0.6],
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        ticklabelstandoff=8,
        tickfont={"size": 13},
    )
    figure.update_layout(
        height=_ROW_PX * len(names) + _FRAME_PX,
        margin={"l": 0, "r": 12, "t": 8, "b": 28},
        showlegend=False,
        dragmode=False,
    )
