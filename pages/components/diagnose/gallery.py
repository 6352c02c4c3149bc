"""Several images: a strip of thumbnails to pick from, and a table of all."""

from pathlib import Path
from typing import Any

import streamlit as st

from core.images.reading import ImageError
from core.report import UNKNOWN_KIND, error_row, rows_to_csv
from core.taxonomy import get_diagnosis
from models.manifest import Manifest
from pages.components.diagnose import session_images
from pages.components.shared.engine import Outcome, Summary
from pages.components.shared.notices import escape
from pages.components.shared.source_image import SourceImage
from pages.components.shared.tables import draw_frame

COLUMNS = ("Image", "Name", "Most probable", "Probability", "Malignancy", "Lesion", "Remarks")


def draw_strip(outcomes: dict[str, Outcome], picked: str) -> None:
    """Thumbnails of every readable image; the button below each picks it."""
    with st.container(horizontal=True, gap="small", key="strip"):
        for number, (sha256, item) in enumerate(session_images.items().items()):
            outcome = outcomes.get(sha256)
            if not isinstance(outcome, Summary):
                continue
            with st.container(width=104, gap="xsmall"):
                st.image(outcome.thumbnail, width="stretch", alt=f"Thumbnail of {item.name}")
                st.button(
                    escape(_short(item.name)),
                    key=f"pick_{number}",
                    type="primary" if sha256 == picked else "secondary",
                    help=escape(item.name),
                    on_click=session_images.pick,
                    args=(sha256,),
                    width="stretch",
                )


def draw_all(outcomes: dict[str, Outcome], hidden: set[str], manifest: Manifest) -> None:
    """The table of all images and its CSV; answers of `hidden` images wait for the reader's impression."""
    items = dict(session_images.items())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("All images", anchor=False, width="stretch")
        if not hidden:
            st.download_button(
                "CSV",
                lambda: build_csv(outcomes, items, manifest),
                file_name="dermalens.csv",
                mime="text/csv",
                key="download_csv",
                icon=":material/download:",
                on_click="ignore",
            )
    draw_table(outcomes, hidden)


def draw_table(outcomes: dict[str, Outcome], hidden: set[str]) -> None:
    """One row an image."""
    items = session_images.items()
    rows = [_table_row(items[sha].name, outcome, sha in hidden) for sha, outcome in outcomes.items()]
    share = {"format": "percent", "min_value": 0.0, "max_value": 1.0}
    draw_frame(
        rows,
        key="summary",
        hide_index=True,
        column_order=COLUMNS,
        row_height=52,
        column_config={
            "Image": st.column_config.ImageColumn(width=90),
            "Name": st.column_config.TextColumn(width="medium"),
            "Most probable": st.column_config.TextColumn(width="medium"),
            "Probability": st.column_config.ProgressColumn(**share, width="small"),
            "Malignancy": st.column_config.ProgressColumn(**share, width="small"),
            "Lesion": st.column_config.NumberColumn(
                format="percent", width="small", help="Share of the image that is lesion."
            ),
            "Remarks": st.column_config.TextColumn(width="large"),
        },
        placeholder="–",
        alt="Results of all images.",
    )


def build_csv(outcomes: dict[str, Outcome], items: dict[str, SourceImage], manifest: Manifest) -> str:
    """The same columns as the command line writes."""
    rows = [
        outcome.row
        if isinstance(outcome, Summary)
        else error_row(Path(items[sha256].name).stem, str(outcome), manifest.classes, items[sha256].name)
        for sha256, outcome in outcomes.items()
    ]
    return rows_to_csv(rows, manifest.classes)


def _table_row(name: str, outcome: Outcome, hidden: bool) -> dict[str, Any]:
    if isinstance(outcome, ImageError):
        return {"Image": None, "Name": name, "Remarks": f"not read: {_plain(outcome.reason)}"}
    found = outcome.row
    row = {"Image": outcome.thumbnail, "Name": name, "Lesion": found["lesion_area_fraction"]}
    if hidden:
        return row | {"Remarks": "waiting for your impression"}
    if UNKNOWN_KIND in found["warnings"].split("; "):
        return row | {"Remarks": "out of distribution"}
    return row | {
        "Most probable": get_diagnosis(found["prediction"]).name,
        "Probability": found[found["prediction"]],
        "Malignancy": found["suspicious_probability"],
        "Remarks": _plain(found["warnings"]),
    }


def _plain(codes: str) -> str:
    return codes.replace("_", " ")


def _short(name: str, length: int = 13) -> str:
    stem = Path(name).stem
    return stem if len(stem) <= length else f"{stem[: length - 1]}…"
