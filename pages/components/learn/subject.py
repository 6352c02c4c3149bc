"""The image that the topics of Learn look at, and its analysis on request."""

import streamlit as st

from core.analysis import Analysis
from core.images.reading import ImageError
from core.phantoms.lesions import SAMPLES
from core.settings import default_settings
from models.manifest import BundleError, Manifest
from pages.components.diagnose import session_images
from pages.components.shared import dataset_folder as dataset
from pages.components.shared import engine, notices
from pages.components.shared.source_image import SourceImage, read_file

FROM_DATASET = "An image of the dataset"


def choose_image() -> SourceImage | None:
    """A drawn sample, an image added on Diagnose or, where the dataset is there, one of its images.

    None while no id is given.
    """
    own_images = [item for item in session_images.items().values() if item.origin != "sample"]
    # By number: the choice stands in the address, where a file's name has no business.
    own = {f"Your image {n}": item for n, item in enumerate(own_images, start=1)}
    names = [*(sample.name for sample in SAMPLES), *own]
    options = names if dataset.read_frame() is None else [*names, FROM_DATASET]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        choice = st.selectbox("Image", options, index=2, key="learn_image", bind="query-params", width=300)
        if choice == FROM_DATASET:
            return _dataset_item()
    return own.get(choice) or session_images.sample_item(choice)


def choose_analysis(outlook: str) -> Analysis | None:
    """Choose an image and analyse it on request; None, with what is to come or a message, until there is a result.

    Args:
        outlook: Markdown beside the image and the button: what the topic will show.
    """
    try:
        manifest = engine.read_current_manifest()
        item = choose_image()
        if item is None:
            return None
        if not is_asked_for(item, outlook):
            return None
        return analyse(item, manifest)
    except BundleError as error:
        notices.draw_bundle_error(error)
        return None


def draw_outlook_again(outlook: str) -> None:
    """What the topic shows, folded, once the results are there."""
    with st.expander("What this shows", icon=":material/help:"):
        st.markdown(outlook)


def is_asked_for(item: SourceImage, outlook: str) -> bool:
    """Whether the visitor asked for this image's analysis, in this topic or another; draws the button until then."""
    if item.sha256 in _asked_for():
        return True
    left, right = st.columns([1, 1.6], gap="large")
    with left:
        draw_image(item)
        st.button(
            "Analyse this image",
            key="run_steps",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_asked_for().add,
            args=(item.sha256,),
        )
    right.markdown(outlook)
    return False


def draw_image(item: SourceImage) -> None:
    """The chosen image, with where it comes from."""
    drawn = item.origin == "sample"
    caption = "Drawn by Dermalens, not a patient's image." if drawn else notices.escape(item.name)
    st.image(item.data, caption=caption, width="stretch", alt=f"The chosen image: {item.name}.")


def analyse(item: SourceImage, manifest: Manifest) -> Analysis | None:
    """The result of one image at a bundle's defaults; None, with a message, if it was refused.

    Raises:
        BundleError: the weights are missing or damaged.
    """
    settings = default_settings(manifest)
    outcome = engine.analyse_all([item], item, manifest, settings)[item.sha256]
    if isinstance(outcome, ImageError):
        st.error(str(outcome), title="The image was not read", icon=":material/broken_image:")
        return None
    return engine.get_analysis(item, manifest, settings)


def _dataset_item() -> SourceImage | None:
    image_id = st.text_input(
        "Image id", placeholder="ISIC_0024306", key="learn_id", bind="query-params", width=220
    ).strip()
    if not image_id:
        return None
    path = dataset.image_path(image_id)
    if path is None:
        st.warning(f"The dataset has no image {notices.escape(image_id)}. Its ids look like ISIC_0024306.")
        return None
    return read_file(path)


def _asked_for() -> set[str]:
    return st.session_state.setdefault("walked", set())
