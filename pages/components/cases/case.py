"""One case in full: picture with outlines and Grad-CAM on demand, ranked probabilities, facts."""

import html
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from core.analysis import Analysis
from core.datasets.case import Case
from core.evaluation.mask_metrics import dice
from core.images.drawing import FILL_COLOUR, OUTLINE_COLOUR, blend_heatmap, draw_outlines, write_label
from core.images.masks import read_lesion_mask
from core.images.preprocessing import resize_mask
from core.images.reading import ImageError, read_image
from core.records.notebook import identify
from core.settings import AnalysisSettings, default_filters
from core.taxonomy import get_diagnosis
from models.manifest import BundleError
from pages.components.cases import facts as parts
from pages.components.notebook.images import draw_image
from pages.components.shared import dataset_folder as dataset
from pages.components.shared import engine, notices
from pages.components.shared.figures import to_data_url
from pages.components.shared.source_image import read_file

IMAGE, OUTLINES, GRADCAM = "Image", "Outlines", "Grad-CAM"
# Small images are enlarged to this before outlines are drawn, so that the lines stay thin.
SHOWN_SIDE_PX = 800


def draw_case(case: Case, key: str) -> None:
    """Everything about one case.

    Args:
        case: with its prediction.
        key: of the widgets; the same for all cases that are shown in this place one after another.
    """
    st.html(parts.STYLE)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        draw_picture(case, key)
    with right:
        draw_answer(case)
        draw_own_words(case, key)


def draw_own_words(case: Case, key: str) -> None:
    """The visitor's tags and note, where the images have a source."""
    if case.source:
        draw_image(identify(case.image_id, case.source), key)


def draw_answer(case: Case) -> None:
    """True and predicted class, all probabilities, facts."""
    bars = malignancy = ""
    if case.prediction is not None:
        bars = parts.probability_bars(case.prediction, full=True)
        share = html.escape(notices.percent(case.prediction.malignancy))
        malignancy = f'<div class="quiet">Probability of malignancy: {share}</div>'
    st.html(
        f'<div class="case"><div style="font-size:1.05rem;font-weight:600">{parts.class_lines(case)}'
        f"</div>{bars}{malignancy}</div>"
    )
    facts = parts.patient_facts(case) | parts.image_facts(case)
    table = {"Fact": list(facts), "Value": [notices.escape(value) for value in facts.values()]}
    st.table(table, border="horizontal", hide_index=True, hide_header=True)


def draw_picture(case: Case, key: str) -> Analysis | None:
    """The image in the chosen view, and the button that computes what is not there yet.

    Returns:
        The analysis, if the user has requested it.
    """
    if case.image_path is None:
        _draw_why_missing()
        return None
    try:
        pixels = _enlarge(read_image(case.image_path).pixels)
    except ImageError as error:
        name = notices.escape(case.image_id)
        st.error(str(error), title=f"{name} was not read", icon=":material/broken_image:")
        return None
    if dataset.shows_drawn():
        pixels = write_label(pixels, "drawn")
    slot = st.container(gap="small")
    analysis = _analyse_on_demand(case.image_path, key)
    with slot:
        _draw_views(case, pixels, analysis, key)
    return analysis


def _draw_why_missing() -> None:
    if dataset.read_frame() is None:
        dataset.draw_missing("each case shows its image, the expert's outline and, on demand, Grad-CAM")
    elif dataset.shows_drawn():
        st.caption("None of the 280 drawn pictures stands in for this image; others here have one.")
    else:
        st.caption("The dataset folder holds no image of this name.")


def _draw_views(case: Case, pixels: np.ndarray, analysis: Analysis | None, key: str) -> None:
    masks = _outline_masks(case.mask_path, pixels.shape[:2], analysis)
    views = [IMAGE, *([OUTLINES] if masks else []), *([GRADCAM] if analysis else [])]
    if len(views) == 1:
        st.image(to_data_url(pixels), width="stretch", alt="The dermoscopic image")
        return
    if st.session_state.get(f"{key}_view") not in views:  # e.g. Grad-CAM of the case shown before
        st.session_state[f"{key}_view"] = IMAGE
    view = st.segmented_control(
        "Picture", views, required=True, key=f"{key}_view", label_visibility="collapsed"
    )
    if view == GRADCAM:
        _draw_gradcam(case, pixels, analysis, key)
        return
    chosen = masks if view == OUTLINES else {}
    legend = " · ".join(f"{colour} {whose}" for whose, (_, _, colour) in chosen.items())
    picture = draw_outlines(pixels, [(mask, colour) for mask, colour, _ in chosen.values()])
    st.image(to_data_url(picture), width="stretch", alt=f"The dermoscopic image {legend}".strip())
    if legend:
        st.caption(f"Outlines: {legend}.{_describe_overlap(masks)}")


def _draw_gradcam(case: Case, pixels: np.ndarray, analysis: Analysis, key: str) -> None:
    """The heatmap of a class: predicted and true first, then what was found now, then the others."""
    answer = analysis.classification
    predicted = case.prediction.code if case.prediction else None
    wanted = [code for code in (predicted, case.true_code, answer.prediction) if code in answer.classes]
    codes = list(dict.fromkeys([*wanted, *answer.classes]))
    code = st.selectbox(
        "Class to explain",
        codes,
        format_func=lambda code: get_diagnosis(code).name,
        key=f"{key}_class_{analysis.image.sha256[:12]}",
    )
    saliency = engine.explain(analysis, code, "gradcam")
    heat = np.clip(cv2.resize(saliency, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR), 0, 1)
    alt = f"Heatmap of the regions that raised the score of {get_diagnosis(code).name}"
    st.image(to_data_url(blend_heatmap(pixels, heat)), width="stretch", alt=alt)
    st.caption(f":material/info: {notices.HEATMAP_CAUTION}")


def _outline_masks(
    expert: Path | None, shape: tuple[int, int], analysis: Analysis | None
) -> dict[str, tuple]:
    """Mask, line colour and the colour's name by whose outline it is; only those at hand."""
    masks = {}
    if expert:
        try:
            masks["the expert's"] = (read_lesion_mask(expert, shape), FILL_COLOUR, "blue")
        except ImageError as error:
            st.caption(
                f":material/broken_image: The expert's mask was not read: {notices.escape(str(error))}"
            )
    if analysis and analysis.lesion.found:
        masks["the model's"] = (resize_mask(analysis.lesion.lesion_mask, shape), OUTLINE_COLOUR, "amber")
    return masks


def _describe_overlap(masks: dict[str, tuple]) -> str:
    if len(masks) < 2:
        return ""
    expert, model = (mask for mask, _, _ in masks.values())
    return f" They overlap with a Dice of {parts.number(dice(expert, model))}."


def _analyse_on_demand(path: Path, key: str) -> Analysis | None:
    """The full analysis of this image after its button was pressed, else None."""
    wanted = f"{key}_analysed"
    if st.session_state.get(wanted) != str(path):
        st.button(
            "Model's outline and Grad-CAM",
            key=f"{key}_analyse",
            icon=":material/local_fire_department:",
            on_click=lambda: st.session_state.update({wanted: str(path), f"{key}_view": GRADCAM}),
            help="Runs the shipped networks on this image: some seconds, the first time longer.",
        )
        return None
    try:
        manifest = engine.read_current_manifest()
        analysis = _analyse(path, manifest)
    except BundleError as error:
        notices.draw_bundle_error(error)
        return None
    st.caption(
        f"Outline and heatmap were computed now with {manifest.name}, version {manifest.version} "
        f"(weights `{manifest.fingerprint}`), which was trained on the images of "
        f"{' and '.join(manifest.training_splits)}; stored probabilities are those of the evaluated file."
    )
    return analysis


def _analyse(path: Path, manifest) -> Analysis:
    item = read_file(path)
    return engine.get_analysis(item, manifest, AnalysisSettings(preprocessing=default_filters(manifest)))


def _enlarge(pixels: np.ndarray) -> np.ndarray:
    """The image with its long side at least `SHOWN_SIDE_PX`."""
    scale = SHOWN_SIDE_PX / max(pixels.shape[:2])
    return (
        cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale > 1 else pixels
    )
