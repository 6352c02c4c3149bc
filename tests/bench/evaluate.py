"""Evaluate with 100,000 drawn predictions: how long each view takes when it is opened, and when it is used again."""

import os
import statistics
import tempfile
import time

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from core.evaluation.predictions import Predictions, from_frame
from core.settings import DATA_VARIABLE, RECORDS_VARIABLE
from core.taxonomy import HAM10000_CLASSES
from pages.components.evaluate import source
from pages.components.evaluate.context import Context

N_PREDICTIONS = 100_000
VIEWS = (
    "Overview",
    "Confusion",
    "Curves",
    "Calibration",
    "Slices",
    "Errors first",
    "Labels",
    "Compare",
    "Export",
)
_AGAIN = 3


def draw_predictions(n: int = N_PREDICTIONS, seed: int = 0) -> Predictions:
    """Plausible predictions of two images a lesion, with everything that a view can show."""
    rng = np.random.default_rng(seed)
    classes = HAM10000_CLASSES
    shares = rng.dirichlet(np.full(len(classes), 0.5), size=n)
    uncalibrated = shares**0.7 / (shares**0.7).sum(axis=1, keepdims=True)
    # The true class is drawn by the probabilities, with some that no network could know.
    likely = 0.8 * shares + 0.2 / len(classes)
    labels = (likely.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=len(classes) - 1)
    jaccard = rng.uniform(0.4, 1, n)
    columns = {
        "image_id": [f"image_{i}" for i in range(n)],
        "lesion_id": [f"lesion_{i // 2}" for i in range(n)],
        "dx": np.array(classes)[labels],
        "age": rng.integers(5, 90, n).astype(float),
        "sex": rng.choice(["male", "female"], n),
        "localization": rng.choice(["back", "face", "trunk"], n),
        "warnings": rng.choice(["", "glare"], n),
        "dice": 2 * jaccard / (1 + jaccard),
        "jaccard": jaccard,
        "agreement": rng.choice([1.0, 0.75, 0.5], n),
    }
    for prefix, values in (("p_", shares), ("p1_", uncalibrated), ("raw_", uncalibrated)):
        columns |= {f"{prefix}{code}": values[:, k] for k, code in enumerate(classes)}
    return from_frame(pd.DataFrame(columns))


def measure_evaluate() -> dict[str, float]:
    """Seconds for each view: the first time, with its scores to compute, and the median of the next times."""
    os.environ.pop(DATA_VARIABLE, None)
    os.environ[RECORDS_VARIABLE] = os.path.join(tempfile.mkdtemp(), "records.sqlite3")
    context = Context("drawn", "drawn", draw_predictions(), 0.3, "drawn")
    source.draw = lambda kind, toolbar: context
    app = AppTest.from_file("../../streamlit_app.py", default_timeout=600).run()
    app.switch_page("pages/evaluate.py")
    found = {"evaluate_100k_open_s": _run(app)}
    for view in VIEWS:
        app.get_by_key("show").set_value(view)
        name = f"evaluate_100k_{view.lower().replace(' ', '_')}"
        found[f"{name}_first_s"] = _run(app)
        found[f"{name}_s"] = statistics.median(_run(app) for _ in range(_AGAIN))
    return found


def _run(app: AppTest) -> float:
    start = time.perf_counter()
    app.run()
    if app.exception:
        raise RuntimeError(app.exception[0].value)
    return time.perf_counter() - start
