"""Downloads that run on the server: start, follow, pause."""

import math

import streamlit as st

from pages.components.shared import dataset_folder as dataset
from pages.components.shared.notices import escape
from training.data import background
from training.data.background import State, Status
from training.data.download import SOURCES
from training.data.fetching import DownloadError

POLL_S = 1.0
_MESSAGE = "download_message"


def root_of(name: str):
    """The folder that a source is downloaded into."""
    return dataset.STORE / name.replace("-", "_")


def read(name: str) -> Status | None:
    """How far a download is; None where it was never started. A damaged record counts as stopped."""
    try:
        return background.read_status(root_of(name))
    except DownloadError as error:
        return Status(State.FAILED, reason=str(error))


def verb(title: str, status: Status | None) -> str:
    """What the button of a download says."""
    if status is None:
        return f"Get {title}"
    return {State.RUNNING: f"{title} is coming", State.DONE: f"{title} is here"}.get(
        status.state, f"Resume {title}"
    )


def can_start(status: Status | None) -> bool:
    """Whether there is anything left to start."""
    return status is None or status.state in (State.PAUSED, State.FAILED)


def start(name: str) -> None:
    """Start or resume; a refusal is said on the next run of the page."""
    try:
        background.start(name, root_of(name))
    except DownloadError as error:
        st.session_state[_MESSAGE] = str(error)


def draw() -> None:
    """A line for each download that is not finished; pages fill as its parts arrive."""
    if message := st.session_state.pop(_MESSAGE, None):
        st.error(escape(message), icon=":material/error:")
    for name in SOURCES:
        status = read(name)
        if status and status.state is not State.DONE:
            every = POLL_S if status.state is State.RUNNING else None
            st.fragment(_draw_one, run_every=every)(name, status.state, status.parts_done)


def _draw_one(name: str, shown: State, parts_shown: int) -> None:
    """State, bar, rate and time left; draws the whole page anew when a part is ready or the state changes."""
    status = read(name)
    if status is None or status.state is not shown or status.parts_done != parts_shown:
        st.rerun()
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        share = status.done_bytes / status.total_bytes if status.total_bytes else 0.0
        st.progress(min(share, 1.0), text=f"**{SOURCES[name].name}** · {describe(status)}", width="stretch")
        if status.state is State.RUNNING:
            st.button(
                "Pause",
                icon=":material/pause:",
                key=f"pause_{name}",
                on_click=background.pause,
                args=(root_of(name),),
                help="What came is kept.",
            )
        else:
            st.button(
                "Resume",
                icon=":material/play_arrow:",
                key=f"resume_{name}",
                type="primary",
                on_click=start,
                args=(name,),
            )
    if status.state is State.FAILED:
        st.warning(escape(status.reason), title="The download stopped", icon=":material/wifi_off:")


def describe(status: Status) -> str:
    """How much has come, how fast, what is left, and what is being done, in words.

    >>> describe(Status(State.PAUSED, 5 * 10**8, 2 * 10**9, n_parts=4, parts_done=1))
    'paused · 0.50 of 2.00 GB · 1 of 4 parts ready'
    """
    if not status.total_bytes:
        return (
            "asking the source for its files …" if status.state is State.RUNNING else "stopped at the start"
        )
    said = [] if status.state is State.RUNNING else [status.state.value]
    said.append(f"{status.done_bytes / 1e9:.2f} of {status.total_bytes / 1e9:.2f} GB")
    if not math.isnan(status.bytes_per_second) and not status.unpacking:
        said.append(f"{status.bytes_per_second / 1e6:.1f} MB/s, about {_duration(status.seconds_left)} left")
    said.append(f"{status.parts_done} of {status.n_parts} parts ready")
    if status.state is State.RUNNING and status.at:
        said.append(f"checking and unpacking {status.at} …" if status.unpacking else status.at)
    return " · ".join(said)


def _duration(seconds: float) -> str:
    """Rounded, in the unit that fits.

    >>> _duration(42), _duration(300), _duration(5400)
    ('42 s', '5 min', '1.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
