"""Diagnose: images in, inspected lesions out."""

import streamlit as st

from core.analysis import Analysis
from core.images.reading import ImageError
from models.manifest import BundleError, Manifest
from pages.components.diagnose import (
    gallery,
    impression,
    outline_check,
    result,
    session_images,
    settings,
    structures,
    viewer,
)
from pages.components.shared import engine, notices, router

WHAT_FOLLOWS = """
Within seconds you see

:material/gesture: the lesion's outline and mask  \n:material/bar_chart: calibrated probabilities, ranked, with their spread  \n:material/local_fire_department: a heatmap for any class  \n:material/straighten: ABCD measurements  \n:material/warning: what is wrong with the picture, if anything

:gray[Close-ups taken through a dermatoscope work; ordinary photographs of skin do not.]
"""


def draw_toolbar(manifests: list[Manifest], has_images: bool):
    """Title, inputs and switches in one line; returns model, settings and whether the reader goes first."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Diagnose", anchor=False, width="content")
        notices.draw_notice()  # in the title's line: the first screen is to hold the whole result
        if has_images:
            with st.popover("Add images", icon=":material/add_photo_alternate:", key="add_images"):
                session_images.draw_uploader("Dermoscopic images")
                session_images.draw_camera()
            with st.popover("Samples", icon=":material/brush:"):
                st.caption("Drawn by Dermalens, not patients.")
                session_images.draw_samples(min_column_width=110)
        with st.popover("Settings", icon=":material/tune:"):
            manifest = settings.draw_model_choice(manifests)
            chosen = settings.draw_settings(manifest)
            reader_first = settings.draw_impression_switch()
        if len(session_images.items()) > 1:
            shown = session_images.picked().sha256
            st.button(
                "Remove",
                icon=":material/delete:",
                key="remove",
                on_click=session_images.remove,
                args=(shown,),
            )
        if has_images:
            st.button("Clear", icon=":material/close:", key="clear", on_click=session_images.clear)
    return manifest, chosen, reader_first


def draw_empty() -> None:
    """What to do when there is no image yet."""
    left, right = st.columns([1, 1.5], gap="large")
    with left:
        st.subheader("Your images", anchor=False)
        session_images.draw_uploader("Drop one or several dermoscopic images")
        session_images.draw_camera()
        st.markdown(WHAT_FOLLOWS)
    with right:
        st.subheader("Or a sample: drawn, not a patient", anchor=False)
        session_images.draw_samples(min_column_width=160)


def draw_refusals(outcomes: dict[str, engine.Outcome]) -> None:
    """Say which files were not read, and why."""
    for sha256, outcome in outcomes.items():
        if isinstance(outcome, ImageError):
            name = notices.escape(session_images.items()[sha256].name)
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.error(str(outcome), title=f"{name} was not read", icon=":material/broken_image:")
                st.button(
                    "Dismiss", key=f"dismiss_{sha256[:12]}", on_click=session_images.remove, args=(sha256,)
                )
    if left_out := st.session_state.get("images_left_out"):
        st.warning(
            f"At most {session_images.MAX_ITEMS} images at a time; left out: {notices.escape(', '.join(left_out))}. Remove some first, "
            "or use the command line for a folder.",
            icon=":material/warning:",
        )


def draw_result(analysis: Analysis, reader_first: bool) -> None:
    """Everything about one image."""
    notices.draw_quality(analysis.quality)
    if not analysis.lesion.found:
        st.info(
            "The segmentation network outlined nothing here. The probabilities come from the whole image "
            "and deserve little trust.",
            title="No lesion found",
            icon=":material/search_off:",
        )
    if analysis.unknown:
        with st.container(border=True):
            wanted = result.draw_unknown(analysis)
        if not wanted:
            draw_details(analysis, withheld=True)
            return
    waiting = reader_first and not impression.is_given(analysis.image.sha256)
    if waiting:
        with st.container(border=True):
            impression.ask(analysis)
    else:
        with st.container(border=True):
            result.draw_verdict(analysis)
            if reader_first:
                impression.draw(analysis)
    draw_details(analysis, waiting)


def draw_details(analysis: Analysis, withheld: bool) -> None:
    """Pictures and measurements beside the ranking unless it is withheld, and what stands behind the result."""
    focus = None
    if withheld:
        viewing = st.container(border=True)
    else:
        left, right = st.columns([1.75, 1], gap="small")
        viewing = left.container(border=True, height="stretch")
        with right.container(border=True, height="stretch"):
            focus = result.draw_classes(analysis)
    with viewing:
        viewer.draw_spots(analysis)
        viewer.draw_viewer(analysis, focus)
        analysis = result.draw_measurements(analysis)
        if not withheld:
            outline_check.draw(analysis)
            structures.draw(analysis)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader("Behind this result", anchor=False, width="stretch")
            if not withheld:
                result.draw_downloads(analysis)
        result.draw_provenance(analysis)


router.require()
try:
    manifests, failure = engine.read_manifests(), None
except BundleError as error:
    manifests, failure = [], error
images = session_images.items()
manifest, chosen_settings, reader_first = draw_toolbar(manifests, bool(images))
if failure:
    notices.draw_bundle_error(failure)
if not images:
    draw_empty()
    st.stop()
if failure:
    st.stop()
try:
    outcomes = engine.analyse_all(list(images.values()), session_images.picked(), manifest, chosen_settings)
except BundleError as error:
    notices.draw_bundle_error(error)
    st.stop()
draw_refusals(outcomes)
readable = {sha: outcome for sha, outcome in outcomes.items() if isinstance(outcome, engine.Summary)}
if not readable:
    st.markdown("Nothing to show yet. Add another image above, or try a sample.")
    st.stop()
picked = session_images.picked().sha256
picked = picked if picked in readable else next(iter(readable))
if len(images) > 1:
    gallery.draw_strip(outcomes, picked)
draw_result(engine.get_analysis(images[picked], manifest, chosen_settings), reader_first)
if len(images) > 1:
    hidden = {sha for sha in readable if reader_first and not impression.is_given(sha)}
    gallery.draw_all(outcomes, hidden, manifest)
