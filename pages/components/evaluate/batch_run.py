"""Images as what to evaluate: start a batch run, follow it, open it again."""

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import streamlit as st

from core.batch import job as jobs
from core.batch.job import Job, JobError
from core.batch.results import Progress, State, read_errors, read_predictions, read_progress
from core.errors import DermalensError
from core.evaluation.predictions import Predictions
from core.images.finding import describe_left_alone
from core.settings import read_limits
from pages.components.evaluate import batch_form, run_access
from pages.components.evaluate.context import Context
from pages.components.shared import notices
from pages.components.shared.tables import draw_frame, harmless_frame

PARAMETER = "job"
POLL_S = 1.0
RUNS_PER_PAGE = 8
# Icon and colour of each state; words say it too.
STATES = {
    State.QUEUED: (":material/hourglass_top:", "gray"),
    State.RUNNING: (":material/autorenew:", "blue"),
    State.CANCELLED: (":material/pause_circle:", "orange"),
    State.FAILED: (":material/error:", "orange"),
    State.DONE: (":material/check_circle:", "blue"),
}


def draw() -> Context | None:
    """Choose or follow a run; returns its predictions once there are some and nothing works on it.

    The run that is open stands in the address (`?job=`), so that a link or a reload opens it again.
    """
    if message := st.session_state.pop("batch_message", None):
        st.error(notices.escape(message), icon=":material/error:")
    try:
        root = jobs.jobs_dir()
        read_limits()  # a wrong setting of the server is said here, once
    except (DermalensError, OSError) as error:
        st.error(notices.escape(str(error)), icon=":material/error:")
        return None
    if identifier := st.query_params.get(PARAMETER):
        job = jobs.find_job(root, identifier)
        if job and run_access.may_open(job):
            run_access.remember(job)
            return _draw_job(job)
        st.warning(
            "The run in this address is not on this server any more, or it is another user's.",
            icon=":material/link_off:",
        )
    if started := batch_form.draw_form():
        run_access.remember(started)
        _open(started)
        st.rerun()
    _draw_earlier([job for job in jobs.list_jobs(root) if run_access.is_listed(job)])
    return None


# --- one run ----------------------------------------------------------------------------------------
def _draw_job(job: Job) -> Context | None:
    progress = read_progress(job)
    with st.container(border=True):
        _draw_head(job, progress)
        every = POLL_S if progress.alive else None
        st.fragment(_draw_progress, run_every=every)(job, progress.state)
        _draw_facts(job)
        _draw_errors(job, progress)
    if progress.alive:
        return None
    context = _open_context(job, progress)
    if context is None:
        st.info("No image of this run was analysed, so there is nothing to evaluate.", icon=":material/info:")
    return context


def _open_context(job: Job, progress: Progress) -> Context | None:
    predictions = _read(str(job.folder), progress.done)
    if predictions is None:
        return None
    key = f"{job.folder.name}-{progress.done}"
    return Context(job.name, key, predictions, job.threshold, job.folder.name)


def list_contexts() -> dict[str, Context]:
    """The user's newest runs that have results and that nothing works on, by their folder's name."""
    try:
        runs = [job for job in jobs.list_jobs(jobs.jobs_dir()) if run_access.is_listed(job)]
    except (DermalensError, OSError):
        return {}
    found = {}
    for job in runs[:RUNS_PER_PAGE]:
        progress = read_progress(job)
        context = None if progress.alive else _open_context(job, progress)
        if context is not None:
            found[job.folder.name] = context
    return found


def _draw_head(job: Job, progress: Progress) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(notices.escape(job.name), anchor=False, width="stretch")
        if progress.alive:
            st.button(
                "Cancel",
                icon=":material/stop:",
                key="batch_cancel",
                disabled=progress.cancelling,
                on_click=_act,
                args=(jobs.cancel, job),
                help="Finished images are kept, and the run can go on.",
            )
        elif progress.left:
            st.button(
                "Resume",
                icon=":material/play_arrow:",
                key="batch_resume",
                type="primary",
                on_click=_act,
                args=(jobs.start, job),
                help="Finished images are not analysed again.",
            )
        if not progress.alive:
            _draw_delete(job, "opened")
        st.button("All runs", icon=":material/list:", key="batch_close", on_click=_close)


def _draw_progress(job: Job, shown: State) -> None:
    """State, bar, rate and time left; draws the page anew when the run comes to an end."""
    progress = read_progress(job)
    if progress.state is not shown and not progress.alive:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _draw_badge(progress)
        st.progress((progress.total - progress.left) / progress.total, text=describe_progress(progress))
    if progress.reason:
        st.warning(notices.escape(progress.reason), title="The run stopped", icon=":material/warning:")
    elif progress.state is State.CANCELLED:
        st.caption("What follows covers the finished images alone. Resume analyses the rest.")


def describe_progress(progress: Progress) -> str:
    """Counts, rate and time left as text; unknown parts are left out."""
    said = [f"{progress.done + progress.failed:,} of {progress.total:,} images"]
    if progress.failed:
        said.append(f"{progress.failed:,} refused")
    if progress.cancelling:
        said.append("stopping after the current images …")
    elif progress.state is State.QUEUED:
        said.append("waiting for another run, or loading the networks …")
    elif progress.state is State.RUNNING and not math.isnan(progress.seconds_left):
        said += [
            f"{progress.images_per_second:.1f} images/s",
            f"about {_duration(progress.seconds_left)} left",
        ]
    return " · ".join(said)


def _duration(seconds: float) -> str:
    """Rounded, in the unit that fits.

    >>> _duration(42), _duration(300), _duration(5400)
    ('42 s', '5 min', '1.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _draw_facts(job: Job) -> None:
    views = "eight views" if job.settings.test_time_augmentation else "one view"
    said = [f"{_date(job)} · {job.source} · {job.bundle}, {views}", job.label_counts.describe()]
    if job.left_alone:
        said.append(describe_left_alone(job.left_alone))
    st.caption(notices.escape("  \n".join([said[0], " · ".join(said[1:])])))


def _draw_errors(job: Job, progress: Progress) -> None:
    if not progress.failed or progress.alive:
        return
    errors = read_errors(job)
    with st.expander(f"Refused images: {progress.failed:,}", icon=":material/broken_image:"):
        draw_frame(errors, hide_index=True, key="batch_errors", alt="Refused images with the reason")
        table = harmless_frame(errors).to_csv(index=False)
        st.download_button(
            "CSV",
            table,
            f"{job.folder.name}_errors.csv",
            "text/csv",
            icon=":material/download:",
            key="batch_errors_csv",
            on_click="ignore",
        )


@st.cache_resource(max_entries=4, show_spinner="Reading the run …")
def _read(folder: str, done: int) -> Predictions | None:
    """`done` is part of the key: a run only grows."""
    job = jobs.read_job(Path(folder))
    return read_predictions(job) if job else None  # its folder may vanish while the page is open


# --- all runs ---------------------------------------------------------------------------------------
def _draw_earlier(earlier: list[Job]) -> None:
    st.subheader("Your runs", anchor=False)
    if not earlier:
        st.caption(
            "None yet. A run goes on when you close the page. Keep its address: it opens the run again."
        )
        return
    pages = math.ceil(len(earlier) / RUNS_PER_PAGE)
    page = st.pagination(pages, key="batch_page") if pages > 1 else 1
    for job in earlier[RUNS_PER_PAGE * (page - 1) : RUNS_PER_PAGE * page]:
        _draw_row(job)


def _draw_row(job: Job) -> None:
    progress = read_progress(job)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        name = f"**{notices.escape(job.name)}**"
        st.markdown(f"{name}  \n:gray[{_date(job)} · {describe_progress(progress)}]", width="stretch")
        _draw_badge(progress)
        identifier = job.folder.name
        st.button("Open", key=f"batch_open_{identifier}", on_click=_open, args=(job,))
        if not progress.alive:
            _draw_delete(job, identifier)


def _draw_badge(progress: Progress) -> None:
    icon, colour = STATES[progress.state]
    st.badge(progress.state, icon=icon, color=colour)


def _draw_delete(job: Job, key: str) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"batch_delete_{key}"):
        st.markdown("The run's results and the images that were uploaded for it are deleted permanently.")
        st.button("Delete for good", key=f"batch_delete_sure_{key}", on_click=_delete, args=(job,))


# --- actions ----------------------------------------------------------------------------------------
def _open(job: Job) -> None:
    st.query_params[PARAMETER] = job.folder.name


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


def _delete(job: Job) -> None:
    _act(jobs.delete_job, job)
    _close()


def _act(action: Callable[[Job], None], job: Job) -> None:
    """Start, cancel or delete; a refusal is said on the next run of the page."""
    try:
        action(job)
    except (JobError, OSError) as error:
        st.session_state["batch_message"] = str(error)


def _date(job: Job) -> str:
    return f"{datetime.fromisoformat(job.created):%d %b %Y, %H:%M} UTC"
