"""The images of a session: uploads, camera shots and drawn samples, kept in memory only."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import streamlit as st

from core.images.drawing import encode_png
from core.images.reading import IMAGE_EXTENSIONS
from core.phantoms.lesions import SAMPLES, draw_sample

Origin = Literal["upload", "camera", "sample"]

# A session's page stays quick and small with a dozen images; folders belong to the command line.
MAX_ITEMS = 12
THUMBNAIL_SIZE_PX = (150, 200)


@dataclass(frozen=True)
class InboxItem:
    """One image as it came: encoded bytes, which are decoded only by the engine."""

    name: str
    data: bytes = field(repr=False)
    origin: Origin

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def items() -> dict[str, InboxItem]:
    """The session's images by SHA-256, in the order they came."""
    return st.session_state.setdefault("inbox", {})


def picked() -> InboxItem | None:
    """The image to inspect: the chosen one, else the first."""
    inbox = items()
    return inbox.get(st.session_state.get("picked", "")) or next(iter(inbox.values()), None)


def pick(sha256: str) -> None:
    """Choose the image to inspect."""
    st.session_state["picked"] = sha256


def add(new: list[InboxItem]) -> None:
    """Take images in and inspect the first of them; those beyond `MAX_ITEMS` are left out, and said so."""
    inbox = items()
    fresh = {item.sha256: item for item in new}
    room = MAX_ITEMS - len(inbox)
    accepted = [sha for sha in fresh if sha not in inbox][:room]
    inbox.update({sha: fresh[sha] for sha in accepted})
    left_out = [item.name for sha, item in fresh.items() if sha not in inbox]
    st.session_state["inbox_left_out"] = left_out
    if kept := [sha for sha in fresh if sha in inbox]:
        pick(kept[0])


def remove(sha256: str) -> None:
    """Forget one image."""
    items().pop(sha256, None)


def clear() -> None:
    """Forget every image."""
    items().clear()
    st.session_state["inbox_left_out"] = []


def sample_item(name: str) -> InboxItem:
    """A drawn sample by its name in `core.phantoms.lesions.SAMPLES`."""
    return InboxItem(f"{name}.png", _sample_png(name), "sample")


# --- widgets ----------------------------------------------------------------------------------------
def draw_uploader(label: str) -> None:
    """A drop zone that empties itself into the inbox."""
    st.file_uploader(
        label,
        type=[extension.lstrip(".") for extension in IMAGE_EXTENSIONS],
        accept_multiple_files=True,
        key=_intake_key("upload"),
        on_change=_take_uploads,
        help="Kept in this session's memory and nowhere saved; gone when you close the page.",
    )


def draw_camera() -> None:
    """A camera that starts only once it is asked for."""
    if st.toggle("Use the camera", key="camera_on"):
        st.camera_input(
            "Photograph through the dermatoscope", key=_intake_key("camera"), on_change=_take_shot
        )


def draw_samples(min_column_width: int) -> None:
    """The drawn samples as a grid of thumbnails, three in a row where there is room."""
    with st.grid(3, min_column_width=min_column_width, gap="small"):
        for index, sample in enumerate(SAMPLES):
            with st.container(gap="xsmall"):
                alt = f"Drawn sample, not a patient: {sample.description}"
                st.image(_sample_thumbnail(sample.name), width="stretch", alt=alt)
                st.button(
                    sample.name,
                    key=f"sample_{index}",
                    help=sample.description,
                    on_click=_take_sample,
                    args=(sample.name,),
                    width="stretch",
                )


def _intake_key(kind: str) -> str:
    # A new key empties the widget once its files are in the inbox.
    return f"{kind}_{st.session_state.get('intake', 0)}"


def _next_intake() -> None:
    st.session_state["intake"] = st.session_state.get("intake", 0) + 1


def _take_uploads() -> None:
    files = st.session_state.get(_intake_key("upload")) or []
    add([InboxItem(file.name, file.getvalue(), "upload") for file in files])
    _next_intake()


def _take_shot() -> None:
    shot = st.session_state.get(_intake_key("camera"))
    if shot is not None:
        count = sum(item.origin == "camera" for item in items().values()) + 1
        add([InboxItem(f"camera {count}.jpg", shot.getvalue(), "camera")])
        st.session_state["camera_on"] = False
        _next_intake()


def _take_sample(name: str) -> None:
    add([sample_item(name)])


@st.cache_data(show_spinner=False)
def _sample_png(name: str) -> bytes:
    return encode_png(draw_sample(name).image)


@st.cache_data(show_spinner=False)
def _sample_thumbnail(name: str) -> bytes:
    return encode_png(draw_sample(name, size_px=THUMBNAIL_SIZE_PX).image)
