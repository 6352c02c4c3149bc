"""Overview: headline scores, a table per class, and how good the masks are."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.evaluation.bootstrap import Interval
from core.evaluation.calibration import INTERVAL_NOTE
from core.evaluation.score_table import FAILED_JACCARD, ScoreTable, mask_values
from core.taxonomy import get_diagnosis
from pages.components.evaluate import glance, scores
from pages.components.evaluate.context import Context
from pages.components.shared.figures import AMBER, BLUE, savable
from pages.components.shared.notices import escape

HEADLINES = {
    "balanced_accuracy": ("Balanced accuracy", "Mean recall of the classes: each counts the same."),
    "accuracy": ("Accuracy", "Share of images whose most probable class is the true one."),
    "macro_roc_auc": ("Macro AUC", "Mean area under the ROC curves of the classes against the rest."),
    "macro_f1": ("Macro F1", "Mean over the classes of the harmonic mean of precision and recall."),
    "cohen_kappa": ("Cohen's kappa", "Agreement beyond what the class sizes alone would give; 1 is perfect."),
    "log_loss": ("Log-loss", "Mean negative log probability of the true class, in nats; lower is better."),
    "expected_calibration_error": (
        "Calibration error",
        "Mean gap between confidence and accuracy over 15 bins; lower is better.",
    ),
}
CLASS_COLUMNS = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "specificity": "Specificity",
    "roc_auc": "AUC",
}
MASKS = {
    "dice": ("Dice", "2 × overlap / sum of both areas."),
    "jaccard": ("Jaccard", "Overlap / union."),
    "thresholded_jaccard": (
        "Thresholded Jaccard",
        f"The score of ISIC 2018: Jaccard, or 0 below {FAILED_JACCARD}.",
    ),
    "share_failed": ("Failed masks", f"Share of masks with a Jaccard below {FAILED_JACCARD}."),
    "mask_accuracy": ("Pixel accuracy", "Share of pixels on which both masks agree."),
    "mask_sensitivity": ("Mask sensitivity", "Share of the expert's lesion that was found."),
    "mask_specificity": (
        "Mask specificity",
        "Specificity: share of the expert's skin that is outside the mask.",
    ),
}
# Derived from another column: their distributions say nothing of their own.
WITHOUT_DISTRIBUTION = ("thresholded_jaccard", "share_failed")


def draw(context: Context) -> None:
    """Everything at a glance."""
    table = scores.class_scores(context)
    st.caption(
        f"{escape(context.name)}: {table.n_images:,} images of {table.n_lesions:,} lesions. In grey: 95 % intervals "
        f"from {table.n_draws:,} bootstrap draws of whole lesions, because images of one lesion are not "
        f"independent. {INTERVAL_NOTE}"
    )
    draw_numbers(table.headline, HEADLINES, "headline")
    glance.draw(context, table)
    draw_classes(context, table)
    draw_masks(context)
    glance.draw_references(context, table)


def draw_numbers(intervals: dict[str, Interval], names: dict[str, tuple[str, str]], key: str) -> None:
    """One tile a score, its interval below."""
    shown = [name for name in names if name in intervals]
    with st.grid(len(shown), min_column_width=140, key=key):
        for name in shown:
            label, meaning = names[name]
            st.metric(
                label,
                scores.number_text(intervals[name].estimate),
                scores.limits_text(intervals[name]),
                delta_color="off",
                delta_arrow="off",
                help=meaning,
                border=True,
            )


def draw_classes(context: Context, table: ScoreTable) -> None:
    """Table per class and its CSV."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("By class", anchor=False, width="stretch")
        scores.draw_csv("CSV", class_rows(table), "scores_by_class.csv", "download_classes")
    rows = [
        {"Class": get_diagnosis(code).name, "Images": f"{table.support[code]:,}"}
        | {title: scores.interval_text(found[name]) for name, title in CLASS_COLUMNS.items()}
        for code, found in table.per_class.items()
    ]
    st.dataframe(
        rows,
        key="class_table",
        hide_index=True,
        height="content",
        column_config={"Images": st.column_config.TextColumn(alignment="right", width="small")},
        alt="Precision, recall, F1, specificity and AUC of each class, with 95 % intervals.",
    )


def class_rows(table: ScoreTable) -> list[dict]:
    """Headline scores, then one row a class, for the CSV."""
    headline = [
        {"name": name, "score": interval.estimate, "low": interval.low, "high": interval.high}
        for name, interval in table.headline.items()
    ]
    by_class = [
        {"name": f"{score}_{code}", "score": found.estimate, "low": found.low, "high": found.high}
        for code, row in table.per_class.items()
        for score, found in row.items()
    ]
    support = [{"name": f"support_{code}", "score": count} for code, count in table.support.items()]
    return headline + by_class + support


def draw_masks(context: Context) -> None:
    """Scores of the masks and how they are distributed, where the table has them."""
    intervals = scores.mask_scores(context)
    if not intervals:
        return
    st.subheader("Lesion masks", anchor=False)
    draw_numbers(intervals, MASKS, "mask_numbers")
    columns = mask_values(context.predictions.frame)
    shown = [name for name in columns if name not in WITHOUT_DISTRIBUTION]
    with st.grid(len(shown), min_column_width=236, key="mask_charts"):
        for name in shown:
            title = MASKS[name][0]
            st.plotly_chart(
                build_histogram(columns[name], title, FAILED_JACCARD if name == "jaccard" else None),
                key=f"histogram_{name}",
                config=savable(f"histogram_{name}"),
                alt=describe_distribution(columns[name], title),
            )


def build_histogram(values: np.ndarray, title: str, failed_below: float | None = None) -> go.Figure:
    """Images in bins of 0.05; those that count as failed in amber."""
    counts, edges = np.histogram(values[~np.isnan(values)], bins=20, range=(0, 1))
    centres = (edges[:-1] + edges[1:]) / 2
    failed = centres < (failed_below or 0)
    figure = go.Figure(
        go.Bar(
            x=centres,
            y=counts,
            width=0.046,
            marker_color=np.where(failed, AMBER, BLUE),
            customdata=np.column_stack([edges[:-1], edges[1:]]),
            hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:,} images<extra></extra>",
        )
    )
    figure.update_xaxes(title=title, range=[0, 1], fixedrange=True)
    figure.update_yaxes(title="Images", fixedrange=True)
    figure.update_layout(height=240, margin={"l": 0, "r": 8, "t": 8, "b": 0}, dragmode=False)
    return figure


def describe_distribution(values: np.ndarray, title: str) -> str:
    """A histogram in words."""
    low, middle, high = np.nanquantile(values, [0.05, 0.5, 0.95])
    return f"{title}: median {middle:.2f}; nine of ten images lie between {low:.2f} and {high:.2f}."
