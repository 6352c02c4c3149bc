"""The whole evaluation as one HTML file that needs no network: tables, charts and where they come from."""

from collections.abc import Iterable
from dataclasses import replace
from html import escape

import plotly.graph_objects as go

from core.evaluation.bootstrap import affordable_resamples
from core.evaluation.calibration import INTERVAL_NOTE, measure_reliability, observed_intervals
from core.evaluation.metrics import confusion_matrix
from core.evaluation.score_table import SUSPICIOUS, ScoreTable, mask_values
from core.evaluation.scores import TOP, calibration_question, list_scores
from core.evaluation.slices import SLICE_COLUMNS, score_slices
from core.report import NOTICE
from pages.components.evaluate import calibration, curves, matrix_chart, overview, scores, slices
from pages.components.evaluate.context import Context
from pages.components.evaluate.curve_chart import build_curves, precision_recall_lines, roc_lines

NOWHERE = (float("nan"), float("nan"))
SLICE_SCORE = "balanced_accuracy"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1b2733; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem } h2 { font-size: 1.2rem; margin-top: 2.2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #d8e0e8 }
.notice { background: #fdf1dd; padding: .6rem .9rem; border-radius: .5rem } .scroll { overflow-x: auto }
"""


def build_report(context: Context) -> str:
    """The report of the labelled predictions; charts stay interactive, plotly.js is inside."""
    table = scores.class_scores(context)
    charts = _Charts()
    parts = [
        f"<h1>Evaluation: {escape(context.name)}</h1><p class='notice'>{escape(NOTICE)}</p>",
        f"<p>{table.n_images:,} labelled images of {table.n_lesions:,} lesions; 95 % intervals from "
        f"{table.n_draws:,} bootstrap draws of whole lesions. {INTERVAL_NOTE}</p>",
        *_scores(table),
        "<h2>Confusion matrix</h2>",
        charts.add(_confusion(context)),
        "<h2>ROC and precision-recall curves</h2>",
        *(charts.add(figure) for figure in _curves(context, table)),
        _areas(table),
        "<h2>Calibration</h2>",
        charts.add(_calibration(context)),
        *_masks(context, charts),
        *_slices(context),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Dermalens: {escape(context.name)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


class _Charts:
    """Charts of one document: the first brings plotly.js along."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, figure: go.Figure) -> str:
        self.count += 1
        figure.update_layout(template="plotly_white")
        return figure.to_html(
            full_html=False,
            include_plotlyjs=self.count == 1,
            config={"displaylogo": False, "responsive": True},
        )


def _table(rows: Iterable[dict]) -> str:
    """Rows as an HTML table; numbers to three digits, undefined as a dash."""
    rows = list(rows)
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{_cell(v)}</td>" for v in row.values()) + "</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(value: object) -> str:
    return scores.number_text(value) if isinstance(value, float) else escape(str(value))


def _scores(table: ScoreTable) -> list[str]:
    headline = [
        {"Score": overview.HEADLINES[name][0], "": scores.interval_text(interval, 3)}
        for name, interval in table.headline.items()
    ]
    by_class = [
        {"Class": code, "Images": table.support[code]}
        | {overview.CLASS_COLUMNS[name]: scores.interval_text(interval) for name, interval in found.items()}
        for code, found in table.per_class.items()
    ]
    return ["<h2>Scores</h2>", _table(headline), "<h2>By class</h2>", _table(by_class)]


def _areas(table: ScoreTable) -> str:
    return _table(
        {
            "Positive class": curves.title(target),
            "AUC": scores.interval_text(area, 3),
            "Average precision": scores.interval_text(table.average_precision[target], 3),
        }
        for target, area in table.roc_auc.items()
    )


def _known(context: Context):
    return context.predictions.take(context.predictions.labelled)


def _confusion(context: Context) -> go.Figure:
    known = _known(context)
    counts = confusion_matrix(known.labels, known.predicted, len(known.classes))
    figure = matrix_chart.build_matrix(counts, known.classes, known.classes, as_shares=False)
    return figure.update_traces(textfont_color="#1b2733", selector={"type": "scatter"})


def _curves(context: Context, table: ScoreTable) -> list[go.Figure]:
    known = _known(context)
    traced = curves.trace_all(context.key, known, SUSPICIOUS, True)
    figures = []
    for build, areas, titles in (
        (roc_lines, table.roc_auc, ("1 − specificity", "Sensitivity")),
        (precision_recall_lines, table.average_precision, ("Recall", "Precision")),
    ):
        labels = {name: f"{curves.title(name)} {scores.number_text(a.estimate)}" for name, a in areas.items()}
        figures.append(build_curves(build(traced, labels), SUSPICIOUS, NOWHERE, titles))
        figures[-1].update_layout(showlegend=True)
    return figures


def _calibration(context: Context) -> go.Figure:
    known = _known(context)
    variants = {calibration.AFTER: known}
    if known.uncalibrated is not None:
        variants[calibration.BEFORE] = replace(known, probabilities=known.uncalibrated)
    measured = {
        name: measure_reliability(*calibration_question(part, TOP)) for name, part in variants.items()
    }
    question = calibration_question(known, TOP)
    intervals = observed_intervals(
        *question, len(measured[calibration.AFTER].counts), scores.lesion_draws(context)
    )
    return calibration.build_diagram(measured, intervals)


def _masks(context: Context, charts: _Charts) -> list[str]:
    intervals = scores.mask_scores(context)
    if not intervals:
        return []
    rows = [
        {"Score": overview.MASKS[name][0], "": scores.interval_text(interval, 3)}
        for name, interval in intervals.items()
    ]
    values = mask_values(context.predictions.frame)["dice"]
    return ["<h2>Lesion masks</h2>", _table(rows), charts.add(overview.build_histogram(values, "Dice"))]


def _slices(context: Context) -> list[str]:
    predictions = context.predictions
    score = list_scores(predictions)[SLICE_SCORE]
    parts = [f"<h2>{score.name} by group</h2><p>HAM10000 does not record skin tone.</p>"]
    for by in (by for by, column in SLICE_COLUMNS.items() if column in predictions.frame):
        found = score_slices(
            predictions, by, score, context.threshold, affordable_resamples(len(predictions))
        )
        rows = [
            {
                slices.TITLES[by]: slices.slice_name(one.name),
                "Images": one.n_images,
                "Lesions": one.n_lesions,
                score.name: scores.interval_text(one.interval, 3) + (" ⚠ few lesions" if one.few else ""),
            }
            for one in found
        ]
        parts.append(_table(rows))
    return parts
