"""The Evaluate page in tests: a view of the shipped results or of an uploaded table."""

import json

import pandas as pd
from streamlit.testing.v1 import AppTest

from core.evaluation.predictions import Predictions
from tests.pages.conftest import open_app
from tests.pages.driver import EVALUATE, run, visit


def open_view(view: str, predictions: Predictions | None = None) -> AppTest:
    """The view, on what ships if no predictions are given."""
    app = visit(open_app(), EVALUATE)
    if predictions is not None:
        app.get_by_key("source").set_value("Predictions file")
        run(app)
        app.file_uploader(key="predictions_file").set_value(("mine.csv", to_csv(predictions), "text/csv"))
        run(app)
    app.get_by_key("show").set_value(view)
    return run(app)


def to_csv(predictions: Predictions) -> bytes:
    return predictions.frame.to_csv(index=False).encode()


def choose(app: AppTest, key: str, value) -> AppTest:
    """Set a widget and run."""
    app.get_by_key(key).set_value(value)
    return run(app)


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return run(app)


def read_chart(app: AppTest, key: str) -> dict:
    """The specification of a plotly chart."""
    return json.loads(app.get_by_key(key).proto.spec)


def read_frame(app: AppTest) -> pd.DataFrame:
    """What the first table of the view shows."""
    table = app.dataframe[0]
    return table.value
