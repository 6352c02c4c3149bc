"""One change at a time: what each choice of training does in short runs of equal length."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.ablations import PREFIX, list_ablations
from core.training_choices import read_results
from core.training_runs import Kind
from pages.components.training.curves import score_label

# The score that each comparison is about.
DECIDES: dict[Kind, str] = {"classification": "val_macro_auc", "segmentation": "val_dice"}


def draw_ablations(kind: Kind, scores: Sequence[str]) -> None:
    """The comparison of one task; nothing where it was not made."""
    decides = DECIDES[kind]
    found = list_ablations(read_results(), kind, decides)
    if not found:
        return
    st.subheader("One change at a time", anchor=False)
    gain = f"Gain in {score_label(decides)}"
    labels = {name: score_label(name) for name in scores}
    rows = [
        {
            "What is different": run.change,
            gain: run.gain,
            **{label: run.scores.get(name) for name, label in labels.items()},
        }
        for run in found
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows).set_index("What is different"),
        column_config=dict.fromkeys(labels.values(), number(format="%.3f")) | {gain: number(format="%+.3f")},
        placeholder="–",
        height="content",
        key="ablations_table",
        alt=f"Table of {len(found)} short {kind} runs that differ from the first in one thing each.",
    )
    st.caption(
        "Runs of equal length that differ from the first row in one thing each, on the validation split; from "
        f"`training/RESULTS.json`, where they are `{PREFIX}{kind}` and those after it (`make ablations`). Short "
        "and small, so they say which way a choice points, not what it scores at full length. The second row "
        "differs from the first in its random numbers alone: differences no larger than its own may be chance."
    )
