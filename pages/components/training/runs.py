"""The Runs view: progress, curves, scores, settings and commands of training runs."""

import contextlib
import time
from pathlib import Path

import pandas as pd
import streamlit as st

from core.lineage import runs_behind
from core.systems.ablations import is_ablation
from core.systems.choices import read_results
from core.systems.evaluations import RUNS_DIR
from core.systems.training_runs import (
    BENCHMARK_NAME,
    MONITORS,
    State,
    TrainingRun,
    config_differences,
    read_analysis_seconds,
    read_runs,
    runs_state,
    shipped_networks,
)
from models.manifest import BundleError, Manifest
from pages.components.shared import engine
from pages.components.shared.notices import escape
from pages.components.training.ablations import draw_ablations
from pages.components.training.choices import draw_choices
from pages.components.training.curves import draw_curves, score_label, score_names

FOLLOW_EVERY = "5s"
N_AT_FIRST = 6  # curves that can still be told apart
# Scores shown in the table of runs, those of the epoch that is kept.
TABLE_SCORES = {
    "classification": ("val_balanced_accuracy", "val_macro_auc", "val_accuracy", "val_loss"),
    "segmentation": ("val_dice", "val_jaccard", "val_failed_share"),
}


def draw_runs() -> None:
    """Everything about the runs of one task."""
    state = runs_state(RUNS_DIR)
    runs = [run for run in _read(state, str(RUNS_DIR)) if run.kind and not is_ablation(run.name)]
    _follow(state)
    if not _trained(runs):
        st.info(
            "No training run has left its record here yet. `make train` trains both networks; a run shows up "
            "as soon as it starts.",
            title="No runs",
            icon=":material/model_training:",
        )
        return
    manifest = _manifest_in_use()
    networks = shipped_networks(manifest) if manifest else {}
    in_use = _in_use(networks)
    ours, chosen, score = _draw_filters(runs, in_use)
    if chosen:
        draw_curves(_trained(ours), chosen, score)
    else:
        st.info("Choose at least one run above to see its curves.", icon=":material/show_chart:")
    _draw_table(ours, networks, in_use)
    if chosen:
        _draw_settings(chosen)
        _draw_commands(chosen + [run for run in ours if run.merged_from])
    draw_ablations(ours[0].kind, TABLE_SCORES[ours[0].kind])
    draw_choices(manifest and manifest.name)


@st.cache_data(max_entries=2, show_spinner=False)
def _read(state: State, runs_dir: str) -> list[TrainingRun]:
    return read_runs(Path(runs_dir))  # `state` is the key: nothing is read again until a file changes


@st.fragment(run_every=FOLLOW_EVERY)
def _follow(state: State) -> None:
    """Where each run under way stands; redraws the page once a run has written something."""
    if runs_state(RUNS_DIR) != state:
        st.rerun()
    for run in _read(state, str(RUNS_DIR)):
        if run.status() == "running" and run.share_done is not None:
            st.progress(run.share_done, _describe_progress(run))


def _describe_progress(run: TrainingRun) -> str:
    minutes_ago = (time.time() - run.changed_at) / 60
    ago = "less than a minute ago" if minutes_ago < 1 else f"{minutes_ago:.0f} min ago"
    done = (
        f"{run.share_done * run.planned_minutes:.0f} of {run.planned_minutes:.0f} minutes"
        if run.planned_minutes
        else f"{run.epochs} of {run.planned_epochs} epochs"
    )
    text = f"**{escape(run.name)}** is running: {done} done, last record {ago}"
    if not run.epochs:
        return f"{text}; curves begin with the first finished epoch."
    return f"{text}; about {max(run.seconds_left / 60 - minutes_ago, 1):.0f} min to go at the pace so far."


def _draw_filters(
    runs: list[TrainingRun], in_use: set[str]
) -> tuple[list[TrainingRun], list[TrainingRun], str]:
    """All runs of the chosen task, those chosen of them (at first `_at_first`), and the score to draw."""
    kinds = [kind for kind in MONITORS if any(run.kind == kind for run in _trained(runs))]
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
        names = [run.name for run in _trained(ours)]
        chosen = st.pills(
            "Runs",
            names,
            selection_mode="multi",
            default=_at_first(_trained(ours), in_use),
            key=f"{kind}_runs",
            bind="query-params",
        )
        score = st.selectbox(
            "Score",
            score_names(_trained(ours)),
            format_func=score_label,
            key=f"{kind}_score",
            bind="query-params",
            width=240,
        )
    return ours, [run for run in ours if run.name in chosen], score


def _at_first(runs: list[TrainingRun], in_use: set[str]) -> list[str]:
    """The names of runs under way, and of the longest of those in use, or of all if none of these is in use."""
    used = [run for run in runs if run.name in in_use] or runs
    longest = {run.name for run in sorted(used, key=lambda run: -run.epochs)[:N_AT_FIRST]}
    return [run.name for run in runs if run.name in longest or run.status() == "running"]


def _trained(runs: list[TrainingRun]) -> list[TrainingRun]:
    """Those with curves to show; a mean of others has none."""
    return [run for run in runs if not run.merged_from]


def _draw_table(
    runs: list[TrainingRun], networks: dict[str, tuple[int | None, int | None]], in_use: set[str]
) -> None:
    st.subheader("Runs", anchor=False)
    rows = [_table_row(run, networks.get(run.name), run.name in in_use) for run in runs]
    scores = {
        score_label(name): st.column_config.NumberColumn(format="%.3f") for name in TABLE_SCORES[runs[0].kind]
    }
    st.dataframe(
        pd.DataFrame(rows).set_index("Run"),
        column_config=scores
        | {
            "Time (min)": st.column_config.NumberColumn(format="%.0f"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Weights (MB)": st.column_config.NumberColumn(format="%.1f"),
        },
        placeholder="–",
        height="content",
        key="runs_table",
        alt=f"Table of {len(runs)} {runs[0].kind} runs with epochs, scores of the kept epoch, time and size.",
    )
    st.caption(
        "Scores of the epoch that was kept on the validation split, or the half of it that a run has not learned, one view of "
        "each window, before temperature and refinement; from `training/runs/<run>/history.csv`. Parameters and the "
        "size of the half-precision weights: from `scores.json` and the bundle's `manifest.json`. “In use”: the "
        "bundle's weights come from it, trained on, averaged or joined since. A run without epochs is a mean of others: of their weights or "
        "of their answers, as its `scores.json` says." + _describe_speed()
    )


def _table_row(
    run: TrainingRun, network: tuple[int | None, int | None] | None, in_use: bool
) -> dict[str, object]:
    best = run.best or {}
    parameters, size_bytes = network or (None, None)
    status = run.status()
    return {
        "Run": run.name,
        "Status": f"{status}, in use" if in_use else status,
        "Epochs": "–" if run.merged_from else f"{run.epochs} of {run.planned_epochs or '?'}",
        "Kept epoch": best["epoch"] + 1 if "epoch" in best else None,
        **{score_label(name): best.get(name) for name in TABLE_SCORES[run.kind]},
        "Time (min)": run.seconds / 60,
        "Parameters": run.parameters or parameters,
        "Weights (MB)": size_bytes and size_bytes / 1e6,
    }


def _describe_speed() -> str:
    seconds = read_analysis_seconds(RUNS_DIR)
    if seconds is None:
        return ""
    return f" One analysis by both networks of the bundle took {seconds:.2f} s (`training/runs/{BENCHMARK_NAME}`)."


def _manifest_in_use() -> Manifest | None:
    try:
        return engine.read_current_manifest()
    except BundleError:
        return None


def _in_use(networks: dict[str, tuple[int | None, int | None]]) -> set[str]:
    """The runs that the bundle's networks come from, and those behind them as far as records tell."""
    found = set(networks)
    for name in networks:
        with contextlib.suppress(OSError, ValueError):
            found |= runs_behind(name, RUNS_DIR)
    return found


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
        alt=f"Table of {len(table)} settings of {', '.join(run.name for run in runs)}.",
    )
    st.caption(
        "From `training/runs/<run>/config.json`; “–” is a setting that did not exist yet when the run started. "
        + ("Choose a single run to see all of its settings." if several else "")
    )


def _draw_commands(runs: list[TrainingRun]) -> None:
    st.subheader("How to reproduce", anchor=False)
    descriptions = {run["name"]: run["description"] for run in read_results()}
    with st.expander(f"Commands of {len(runs)} runs") if len(runs) > 1 else st.container():
        for run in runs:
            words = descriptions.get(run.name, "")
            before = run.config.get("start_from")
            if before and not run.merged_from:  # a merged run's configuration is its last parent's
                words = f"{words} Begins with the best weights of {before}."
            st.markdown(f"**{escape(run.name)}**  \n{escape(words)}")
            st.code(run.command or "# its record states no command", language="bash", wrap_lines=True)
    st.caption(
        "From `training/runs/<run>/config.json` and `training/RESULTS.json`. Set `DERMALENS_DATA` to the "
        "HAM10000 folder first; `...` stands for the folder where you keep the ImageNet weights. A run that "
        "broke off goes on where it stopped."
    )
