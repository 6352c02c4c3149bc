"""The images of a session: uploads, camera shots and drawn samples, kept in memory only."""

from dataclasses import replace

import streamlit as st

from core.images.drawing import encode_png
from core.images.reading import IMAGE_EXTENSIONS
from core.phantoms.lesions import SAMPLES, draw_sample
from pages.components.shared.source_image import SourceImage

# A session's page stays quick and small with a dozen images; folders belong to the command line.
MAX_ITEMS = 12
THUMBNAIL_SIZE_PX = (150, 200)


def items() -> dict[str, SourceImage]:
    """The session's images by SHA-256, in the order they came."""
    return st.session_state.setdefault("session_images", {})


def picked() -> SourceImage | None:
    """The image to inspect: the chosen one, else the first."""
    images = items()
    return images.get(st.session_state.get("picked", "")) or next(iter(images.values()), None)


def pick(sha256: str) -> None:
    """Choose the image to inspect."""
    st.session_state["picked"] = sha256


def pick_spot(sha256: str, spot: int) -> None:
    """Choose which of an image's spots to analyse."""
    items()[sha256] = replace(items()[sha256], spot=spot)


def add(new: list[SourceImage]) -> None:
    """Take images in and inspect the first of them; those beyond `MAX_ITEMS` are left out, and said so.

    The same bytes are kept once, under the name they came with last.
    """
    images = items()
    fresh = {item.sha256: item for item in new}
    room = MAX_ITEMS - len(images)
    unknown = [sha for sha in fresh if sha not in images]
    left_out = unknown[room:]
    accepted = {sha: item for sha, item in fresh.items() if sha not in left_out}
    images.update(accepted)
    st.session_state["images_left_out"] = [fresh[sha].name for sha in left_out]
    if accepted:
        pick(next(iter(accepted)))


def remove(sha256: str) -> None:
    """Forget one image."""
    items().pop(sha256, None)


def clear() -> None:
    """Forget every image."""
    items().clear()
    st.session_state["images_left_out"] = []


def sample_item(name: str) -> SourceImage:
    """A drawn sample by its name in `core.phantoms.lesions.SAMPLES`."""
    return SourceImage(f"{name}.png", _sample_png(name), "sample")


# --- widgets ----------------------------------------------------------------------------------------
def draw_uploader(label: str) -> None:
    """A drop zone that empties itself into the session."""
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
    # A new key empties the widget once its files are taken in.
    return f"{kind}_{st.session_state.get('intake', 0)}"


def _next_intake() -> None:
    st.session_state["intake"] = st.session_state.get("intake", 0) + 1


def _take_uploads() -> None:
    files = st.session_state.get(_intake_key("upload")) or []
    add([SourceImage(file.name, file.getvalue(), "upload") for file in files])
    _next_intake()


def _take_shot() -> None:
    shot = st.session_state.get(_intake_key("camera"))
    if shot is not None:
        count = sum(item.origin == "camera" for item in items().values()) + 1
        add([SourceImage(f"camera {count}.jpg", shot.getvalue(), "camera")])
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
