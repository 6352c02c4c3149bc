"""What to evaluate: predictions that ship, a file of the user's, or a batch of images."""

import hashlib

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.predictions import Predictions, PredictionsError, read_predictions
from core.systems.evaluations import list_evaluations
from models.manifest import BundleError
from pages.components.evaluate import batch_run as batch_source
from pages.components.evaluate.context import Context
from pages.components.shared import engine
from pages.components.shared.notices import escape

# Their names are in the address.
SHIPPED, FILE, IMAGES = "Shipped results", "Predictions file", "Images"
# Of the suspicious share, where no bundle states one.
DEFAULT_THRESHOLD = 0.5
_UPLOAD = "evaluated_upload"


def choose_kind() -> str:
    """The switch between the sources."""
    return st.segmented_control(
        "What to evaluate",
        [SHIPPED, FILE, IMAGES],
        default=SHIPPED,
        required=True,
        key="source",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
    )


def draw(kind: str, toolbar: DeltaGenerator) -> Context | None:
    """The inputs of one source, short ones in the toolbar; None until there is something to evaluate."""
    if kind == SHIPPED:
        return _draw_shipped(toolbar)
    return _draw_file() if kind == FILE else batch_source.draw()


def _draw_shipped(toolbar: DeltaGenerator) -> Context | None:
    evaluations = {f"{e.run}/{e.split}": e for e in list_evaluations()}
    if not evaluations:
        st.info(
            "`python -m training.measure.evaluate --split validation` writes predictions to `training/runs/`. "
            "Or bring a predictions file.",
            title="No results ship with this checkout",
            icon=":material/inbox:",
        )
        return None
    name = toolbar.selectbox(
        "Run and split",
        list(evaluations),
        key="run",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
        width=250,
    )
    path = evaluations[name].predictions_file
    key = f"{name}:{path.stat().st_mtime_ns}"
    return Context(evaluations[name].label, key, read_shipped(key, str(path)), _threshold())


# A resource is shared by all sessions, not copied: nobody changes a `Predictions`.
@st.cache_resource(show_spinner="Reading the predictions …", max_entries=4)
def read_shipped(key: str, path: str) -> Predictions:
    return read_predictions(path)


def _draw_file() -> Context | None:
    """An uploaded table; it stays in the session when the uploader is not on the page."""
    kept = st.session_state.get(_UPLOAD)
    with st.expander("Predictions file", expanded=kept is None, icon=":material/upload_file:"):
        file = st.file_uploader("A CSV with one row an image", type=["csv"], key="predictions_file")
        st.caption(
            "Columns: `image_id`; `p_<code>` for every class (probabilities that sum to 1); and, each "
            "optional, `dx` (the true class), `lesion_id` (images of one lesion belong together), `dice`, "
            "`jaccard`, `age`, `sex`, `localization`, `dx_type`. It stays in this session and is not stored."
        )
    if file is not None and (kept is None or kept[0] != file.file_id):
        kept = _read_upload(file)
    if kept is None:
        return None
    _, name, key, predictions = kept
    st.caption(f"{escape(name)} · {len(predictions):,} images")
    return Context(name, key, predictions, _threshold())


def _read_upload(file) -> tuple[str, str, str, Predictions] | None:
    data = file.getvalue()
    try:
        predictions = read_predictions(data)
    except PredictionsError as error:
        st.error(str(error), title=f"{escape(file.name)} cannot be used", icon=":material/error:")
        return None
    kept = file.file_id, file.name, hashlib.sha256(data).hexdigest(), predictions
    st.session_state[_UPLOAD] = kept
    return kept


def _threshold() -> float:
    try:
        return engine.read_current_manifest().suspicious_threshold
    except BundleError:
        return DEFAULT_THRESHOLD
