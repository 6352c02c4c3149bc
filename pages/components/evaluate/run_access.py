"""Whose batch runs are whose: a user sees and deletes their own.

Where people sign in, a run belongs to the user who started it. Where they do not, it belongs to whoever knows its
address, whose random part nobody guesses: the session that started it, and whoever was given the link.
"""

import streamlit as st

from core.batch.job import Job
from pages.components.notebook.visitor import current_user

_KNOWN = "batch_runs_of_session"


def remember(job: Job) -> None:
    """Let this session list a run: it was started here, or its link was opened."""
    st.session_state.setdefault(_KNOWN, set()).add(job.folder.name)


def may_open(job: Job) -> bool:
    """Whether who came by the run's address may see, stop and delete it."""
    return job.owner == current_user()


def is_listed(job: Job) -> bool:
    """Whether the run stands in this user's list."""
    user = current_user()
    if user:
        return job.owner == user
    return not job.owner and job.folder.name in st.session_state.get(_KNOWN, ())
