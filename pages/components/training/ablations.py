"""Ablations: the effect of each choice of training in short runs of equal length, as one chart."""

from collections.abc import Sequence

import streamlit as st

from core.evaluation.bootstrap import Interval
from core.systems.ablations import DECIDES, Ablation, read_ablations
from pages.components.evaluate.dots import build_dots
from pages.components.shared.figures import savable
from pages.components.shared.notices import escape
from pages.components.training.curves import score_label


def draw_ablations(task: str) -> None:
    """The differences of one task's short runs to their base; a hint where none was made."""
    found = read_ablations(task)
    st.subheader("One change at a time", anchor=False)
    if not found:
        st.info("There are no ablation runs yet: `make ablations` trains them.", icon=":material/compare:")
        return
    score = score_label(DECIDES[task])
    st.markdown(
        f"Change in **{score}** on the validation split when a short run differs from the base run in one choice. "
        "Filled: the interval excludes 0."
    )
    figure = build_dots(
        [run.label for run in found],
        [Interval(run.difference, run.low, run.high) for run in found],
        [not run.beyond_chance for run in found],
        reference=0.0,
        hover=[f"{run.change}<br>{describe_difference(run)}" for run in found],
    )
    figure.update_xaxes(tickformat="+.3f")
    st.plotly_chart(
        figure, key="ablations", config=savable("ablations"), alt=describe_ablations(found, score)
    )
    st.caption(
        "Bars: 95 % interval, 1.96 times the difference between two base runs that differ in their seed "
        "alone (“Other seed”). With a single repeat the bars are rough. The runs are short and small (two "
        "epochs at 96 px): they show the direction of an effect, not its size at full length. From "
        "`training/results/ablations.csv`; `make ablations` trains them again."
    )
    with st.expander("What each run changes"):
        st.table(
            {
                "Run": [run.label for run in found],
                "Change": [escape(run.change) for run in found],
                f"{score}, difference (95 % interval)": [describe_difference(run) for run in found],
            },
            border="horizontal",
            hide_index=True,
            alt=f"Table of {len(found)} short runs.",
        )


def describe_difference(run: Ablation) -> str:
    """A difference with its interval.

    >>> describe_difference(Ablation("Cutmix", "", 0.9, -0.0087, -0.0212, 0.0038))
    '-0.009 (-0.021 to +0.004)'
    """
    return f"{run.difference:+.3f} ({run.low:+.3f} to {run.high:+.3f})"


def describe_ablations(found: Sequence[Ablation], score: str) -> str:
    """The chart in words."""
    parts = "; ".join(f"{run.label} {describe_difference(run)}" for run in found)
    return f"Difference in {score} to the base run: {parts}."
