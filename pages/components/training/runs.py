"""The Runs view: progress, curves, scores and settings of training runs."""

import time

import pandas as pd
import streamlit as st

from core.systems.ablations import is_ablation
from core.systems.evaluations import RUNS_DIR, WORK_DIR
from core.systems.training_runs import (
    BENCHMARK_NAME,
    MONITORS,
    State,
    TrainingRun,
    config_differences,
    read_analysis_seconds,
    read_runs,
    run_title,
    runs_state,
)
from pages.components.shared.notices import escape
from pages.components.training.curves import draw_curves, score_label, score_names

FOLLOW_EVERY = "5s"
N_AT_FIRST = 6  # curves that can still be distinguished
# Scores shown in the table of runs, those of the epoch that is kept.
TABLE_SCORES = {
    "classification": ("val_balanced_accuracy", "val_macro_auc", "val_accuracy", "val_loss"),
    "segmentation": ("val_dice", "val_jaccard", "val_failed_share"),
}


def draw_runs() -> None:
    """Everything about the runs of one task."""
    state = runs_state(RUNS_DIR, WORK_DIR)
    runs = [run for run in _read(state) if run.kind and not is_ablation(run.name)]
    _follow(state)
    if not runs:
        st.info(
            "There is no record of a training run yet. `make train` trains the networks; a run shows up "
            "as soon as it starts.",
            title="No runs",
            icon=":material/model_training:",
        )
        return
    ours, chosen, score = _draw_filters(runs)
    if chosen:
        draw_curves(ours, chosen, score)
    else:
        st.info("Choose at least one run above to see its curves.", icon=":material/show_chart:")
    _draw_table(ours)
    if chosen:
        _draw_settings(chosen)


@st.cache_data(max_entries=2, show_spinner=False)
def _read(state: State) -> list[TrainingRun]:
    return read_runs(RUNS_DIR, WORK_DIR)  # `state` is the key: nothing is read again until a file changes


@st.fragment(run_every=FOLLOW_EVERY)
def _follow(state: State) -> None:
    """Where each run under way stands; redraws the page once a run has written something."""
    if runs_state(RUNS_DIR, WORK_DIR) != state:
        st.rerun()
    for run in _read(state):
        if run.status() == "running" and run.share_done is not None:
            st.progress(run.share_done, _describe_progress(run))


def _describe_progress(run: TrainingRun) -> str:
    minutes_ago = (time.time() - run.changed_at) / 60
    ago = "less than a minute ago" if minutes_ago < 1 else f"{minutes_ago:.0f} min ago"
    done = f"{run.epochs} of {run.planned_epochs} epochs"
    text = f"**{escape(run.title)}** is running: {done} done, last record {ago}"
    if not run.epochs:
        return f"{text}; curves begin with the first finished epoch."
    return f"{text}; about {max(run.seconds_left / 60 - minutes_ago, 1):.0f} min to go at the pace so far."


def _draw_filters(runs: list[TrainingRun]) -> tuple[list[TrainingRun], list[TrainingRun], str]:
    """All runs of the chosen task, those chosen of them (at first `_at_first`), and the score to draw."""
    kinds = [kind for kind in MONITORS if any(run.kind == kind for run in runs)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = st.segmented_control(
            "Task",
            kinds,
            default=kinds[0],
            required=True,
            format_func=str.capitalize,
            key="training_task",
            bind="query-params",
        )
        ours = [run for run in runs if run.kind == kind]
        chosen = st.pills(
            "Runs",
            [run.name for run in ours],
            selection_mode="multi",
            default=_at_first(ours),
            format_func=run_title,
            key=f"{kind}_runs",
            bind="query-params",
        )
        score = st.selectbox(
            "Score",
            score_names(ours),
            format_func=score_label,
            key=f"{kind}_score",
            bind="query-params",
            width=240,
        )
    return ours, [run for run in ours if run.name in chosen], score


def _at_first(runs: list[TrainingRun]) -> list[str]:
    """The names of runs under way, and of the longest others."""
    longest = {run.name for run in sorted(runs, key=lambda run: -run.epochs)[:N_AT_FIRST]}
    return [run.name for run in runs if run.name in longest or run.status() == "running"]


def _draw_table(runs: list[TrainingRun]) -> None:
    st.subheader("Runs", anchor=False)
    scores = {
        score_label(name): st.column_config.NumberColumn(format="%.3f") for name in TABLE_SCORES[runs[0].kind]
    }
    st.dataframe(
        pd.DataFrame([_table_row(run) for run in runs]),
        hide_index=True,  # an index stays in place when the table scrolls: on a phone it would hide the rest
        column_config=scores
        | {
            "Time (min)": st.column_config.NumberColumn(format="%.0f"),
            "Parameters": st.column_config.NumberColumn(format="compact"),
        },
        placeholder="–",
        height="content",
        key="runs_table",
        alt=f"Table of {len(runs)} {runs[0].kind} runs with epochs, scores of the kept epoch, time and size.",
    )
    st.caption(
        "Scores of the kept epoch on the validation split, one view of each window, before temperature and "
        "refinement; from `training/runs/<run>/history.csv`. Trainings of earlier bundles have "
        "a row each in `training/results/`; `training/LOG.md` summarises them." + _describe_speed()
    )


def _table_row(run: TrainingRun) -> dict[str, object]:
    best = run.best or {}
    return {
        "Run": run.title,
        "Status": run.status(),
        "Epochs": f"{run.epochs} of {run.planned_epochs or '?'}",
        "Kept epoch": best["epoch"] + 1 if "epoch" in best else None,
        **{score_label(name): best.get(name) for name in TABLE_SCORES[run.kind]},
        "Time (min)": run.seconds / 60,
        "Parameters": run.parameters,
    }


def _describe_speed() -> str:
    seconds = read_analysis_seconds()
    if seconds is None:
        return ""
    return f" One analysis by both networks of the bundle took {seconds:.2f} s (`training/runs/{BENCHMARK_NAME}`)."


def _draw_settings(runs: list[TrainingRun]) -> None:
    several = len(runs) > 1
    st.subheader("Settings that differ" if several else "Settings", anchor=False)
    table = config_differences(runs)
    if table.empty:
        st.markdown("The chosen runs have the same settings, or their records state none.")
        return
    st.dataframe(
        table.rename_axis("Setting"),
        height="content",
        key="settings_table",
        alt=f"Table of {len(table)} settings of {', '.join(run.title for run in runs)}.",
    )
    st.caption(
        "From `training/runs/<run>/config.json`; “–” is a setting that did not exist yet when the run started. "
        + ("Choose a single run to see all of its settings." if several else "")
    )
