"""What to evaluate: predictions that ship, a file of the user's, or a batch of images."""

import hashlib

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.predictions import Predictions, PredictionsError, read_predictions
from core.systems.evaluations import Evaluation
from core.systems.systems import System, list_systems
from models.manifest import BundleError
from pages.components.evaluate import batch_run
from pages.components.evaluate.context import Context
from pages.components.shared import engine
from pages.components.shared.notices import escape

# Their names are in the address.
SHIPPED, FILE, IMAGES = "Shipped results", "Predictions file", "Images"
# On the probability of malignancy, where nothing states another.
DEFAULT_THRESHOLD = 0.5
TABLE_TYPES = ["csv", "tsv", "tab", "txt", "xlsx"]
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
    return _draw_file() if kind == FILE else batch_run.draw()


def list_shipped() -> dict[str, tuple[System, Evaluation]]:
    """Every evaluation that ships with its system, by the name it has in the address; test splits first."""
    found = [(system, one) for system in list_systems() for one in system.evaluations]
    found.sort(key=lambda pair: pair[1].split != "test")  # stable: the shipped system stays first
    return {f"{one.run}/{one.split}": (system, one) for system, one in found}


def open_shipped(system: System, evaluation: Evaluation) -> Context:
    """A shipped evaluation at its own decision threshold."""
    path, threshold = evaluation.predictions_file, system.threshold(evaluation)
    key = f"{evaluation.run}/{evaluation.split}:{path.stat().st_mtime_ns}"
    return Context(
        shipped_label(system, evaluation),
        key,
        read_shipped(key, evaluation),
        DEFAULT_THRESHOLD if threshold is None else threshold,
        evaluation.run,
    )


def shipped_label(system: System, evaluation: Evaluation) -> str:
    """System and split in words."""
    return f"{system.title} · {evaluation.split}"


def _draw_shipped(toolbar: DeltaGenerator) -> Context | None:
    shipped = list_shipped()
    if not shipped:
        st.info(
            "`dermalens evaluate scores --split validation` writes predictions to `training/runs/`. "
            "Or bring a predictions file.",
            title="No results ship with this checkout",
            icon=":material/inbox:",
        )
        return None
    name = toolbar.selectbox(
        "System and split",
        list(shipped),
        format_func=lambda name: shipped_label(*shipped[name]),
        key="run",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
        width=330,
    )
    return open_shipped(*shipped[name])


# A resource is shared by all sessions, not copied: nobody changes a `Predictions`.
@st.cache_resource(show_spinner="Reading the predictions …", max_entries=32)
def read_shipped(key: str, _evaluation: Evaluation) -> Predictions:
    return _evaluation.read_predictions()


def _draw_file() -> Context | None:
    """An uploaded table; it stays in the session when the uploader is not on the page."""
    kept = st.session_state.get(_UPLOAD)
    with st.expander("Predictions file", expanded=kept is None, icon=":material/upload_file:"):
        file = st.file_uploader("A table with one row an image", type=TABLE_TYPES, key="predictions_file")
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
    threshold = file_threshold()
    st.caption(
        f"{escape(name)} · {len(predictions):,} images · a predictions file states no decision threshold: the "
        f"shipped system's is used, {threshold:.1%}"
    )
    if predictions.notes:
        st.warning(escape("; ".join(predictions.notes)), icon=":material/rule:")
    return Context(name, key, predictions, threshold, name)


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


def file_threshold() -> float:
    """The decision threshold for a predictions file, which states none: that of the bundle in use."""
    try:
        return engine.read_current_manifest().suspicious_threshold
    except BundleError:
        return DEFAULT_THRESHOLD
