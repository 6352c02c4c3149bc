"""Export: the predictions and the whole evaluation as files to keep."""

import re

import streamlit as st

from core.evaluation.predictions import IMAGE_PATH
from pages.components.evaluate.context import Context
from pages.components.evaluate.report import build_report
from pages.components.shared.tables import harmless_frame


def draw(context: Context) -> None:
    """What can be taken along."""
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True, height="stretch"):
        st.subheader("Report", anchor=False)
        st.markdown(
            "Scores with intervals, confusion matrix, curves, calibration, masks and groups in one HTML file "
            "that needs no network. Its charts stay interactive and can be saved as pictures."
        )
        st.download_button(
            "HTML report",
            lambda: build_report(context),
            file_name=f"{file_stem(context.name)}.html",
            mime="text/html",
            key="download_report",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
    with right, st.container(border=True, height="stretch"):
        st.subheader("Predictions", anchor=False)
        st.markdown(
            "One row an image: probabilities, facts and mask scores, as this page reads them. Text that a "
            "spreadsheet would run as a formula is made harmless."
        )
        st.download_button(
            "Predictions CSV",
            lambda: predictions_csv(context),
            file_name=f"{file_stem(context.name)}.csv",
            mime="text/csv",
            key="download_predictions",
            icon=":material/download:",
            on_click="ignore",
        )
    st.caption(
        "Every other view has CSV buttons of its own, and each chart, on hovering, a camera that saves it as SVG."
    )


def predictions_csv(context: Context) -> str:
    """The table as it was read, text made harmless for spreadsheets."""
    frame = context.predictions.frame.drop(columns=IMAGE_PATH, errors="ignore")
    return harmless_frame(frame).to_csv(index=False)


def file_stem(name: str) -> str:
    """A name for a file, of letters, digits and underscores.

    >>> file_stem("ham10000 · test")
    'ham10000_test'
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "evaluation"
