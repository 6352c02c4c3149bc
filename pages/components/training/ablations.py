"""One change at a time: what each choice of training does in short runs of equal length."""

from collections.abc import Sequence

import streamlit as st

from core.systems.ablations import DECIDES, PREFIX, Ablation, list_ablations
from core.systems.choices import read_results
from core.systems.training_runs import Kind
from pages.components.shared.notices import escape
from pages.components.training.curves import score_label


def draw_ablations(kind: Kind, scores: Sequence[str]) -> None:
    """The comparison of one task; nothing where it was not made."""
    decides = DECIDES[kind]
    found = list_ablations(read_results(), kind, decides)
    if not found:
        return
    st.subheader("One change at a time", anchor=False)
    names = (decides, *(name for name in scores if name != decides))
    table = {
        "What is different": [escape(run.change) for run in found],
        **{score_label(name): [_describe_score(run, name, decides) for run in found] for name in names},
    }
    st.table(
        table,
        border="horizontal",
        hide_index=True,
        alt=f"Table of {len(found)} short {kind} runs that differ from the first in one thing each.",
    )
    st.caption(
        "Runs of equal length that differ from the first row in one thing each (by how much, in brackets), on the "
        f"validation split; from `training/RESULTS.json`, where they are `{PREFIX}{kind}` and those after it "
        "(`make ablations`). Short and small, so they say which way a choice points, not what it scores at full length. The second row "
        "differs from the first in its random numbers alone: differences no larger than its own may be chance."
    )


def _describe_score(run: Ablation, name: str, decides: str) -> str:
    """A score as text; the one that decides with its difference from the base."""
    if name not in run.scores:
        return "–"
    text = f"{run.scores[name]:.3f}"
    return f"{text} ({run.gain:+.3f})" if name == decides and run.gain else text
