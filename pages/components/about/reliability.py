"""What the load test found, on About."""

import streamlit as st

from core.systems.reliability import read_reliability, reliability_rows
from pages.components.shared.engine import MAX_ANALYSES_BYTES


def draw_reliability() -> None:
    """A line for each thing that was tried; nothing where the test was never run."""
    record = read_reliability()
    if not record:
        return
    st.subheader("Under load", anchor=False)
    st.table(reliability_rows(record), border="horizontal", hide_index=True)
    machine = record["machine"]
    st.caption(
        f"{record['date']}, {machine['cores']} cores with a load of {machine['load_average']} (above the number of "
        f"cores: other work ran beside). A session keeps up to {MAX_ANALYSES_BYTES // 2**20} MB of results, which a short "
        "row only fills. From `reliability.json`, written by `make soak`."
    )
