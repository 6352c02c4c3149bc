"""Tables with text from outside: made harmless for every way out, the data frame's own CSV button included."""

from typing import Any

import pandas as pd
import streamlit as st

from core.tables.writing import harmless


def harmless_frame(rows: pd.DataFrame | list[dict[str, Any]]) -> pd.DataFrame:
    """A table whose text no spreadsheet runs as a formula; numbers stay numbers."""
    frame = pd.DataFrame(rows)
    texts = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    return frame.assign(**{name: frame[name].map(harmless) for name in texts})


def draw_frame(rows: pd.DataFrame | list[dict[str, Any]], **options: Any) -> None:
    """`st.dataframe` for text that comes from a user's files, e.g. names: its toolbar exports what it shows."""
    st.dataframe(harmless_frame(rows), **options)
