"""One case in full: picture with outlines and Grad-CAM on demand, ranked probabilities, facts."""

import html
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from core.analyzer import Analysis
from core.datasets.ham10000 import read_mask
from core.evaluation.mask_metrics import dice
from core.evaluation.predictions import Predictions
from core.images.drawing import FILL_COLOUR, OUTLINE_COLOUR, blend_heatmap, draw_outlines
from core.images.preprocessing import resize_mask
from core.images.reading import ImageError, read_image
from core.settings import AnalysisSettings, default_filters
from core.taxonomy import get_diagnosis
from models.manifest import BundleError
from pages.components.cases import facts as parts
from pages.components.shared import dataset_folder as dataset
from pages.components.shared import engine, notices
from pages.components.shared.figures import to_data_url
from pages.components.shared.source_image import read_file

IMAGE, OUTLINES, GRADCAM = "Image", "Outlines", "Grad-CAM"
# Small images are enlarged to this before outlines are drawn, so that the lines stay thin.
SHOWN_SIDE_PX = 800


def draw_case(predictions: Predictions, row: int, key: str) -> None:
    """Everything about one image of a predictions table.

    Args:
        predictions: the table.
        row: number of the image in it.
        key: of the widgets; the same for all cases that are shown in this place one after another.
    """
    st.html(parts.STYLE)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        codes = (parts.predicted_code(predictions, row), parts.true_code(predictions, row))
        own = parts.run_image(predictions, row)
        draw_picture(parts.image_id(predictions, row), codes, key, own)
    with right:
        draw_answer(predictions, row)


def draw_answer(predictions: Predictions, row: int) -> None:
    """True and predicted class, all probabilities, facts."""
    share = predictions.suspicious_share[row]
    st.html(
        f'<div class="case"><div style="font-size:1.05rem;font-weight:600">{parts.class_lines(predictions, row)}'
        f"</div>{parts.probability_bars(predictions, row, full=True)}"
        f'<div class="quiet">Suspicious classes together: {html.escape(notices.percent(float(share)))}</div></div>'
    )
    facts = parts.patient_facts(predictions, row) | parts.image_facts(predictions, row)
    table = {"Fact": list(facts), "Value": [notices.escape(value) for value in facts.values()]}
    st.table(table, border="horizontal", hide_index=True, hide_header=True)


def draw_picture(
    name: str, codes: Sequence[str | None], key: str, path: Path | None = None
) -> Analysis | None:
    """The image in the chosen view, and the button that computes what is not there yet.

    Args:
        name: image id.
        codes: classes whose heatmap is offered first; None where there is no such class.
        key: of the widgets.
        path: of the image; the dataset's of that name if None.

    Returns:
        What the networks found, once the user has asked for it.
    """
    path = path or dataset.image_path(name)
    if path is None:
        _draw_why_missing()
        return None
    try:
        pixels = _enlarge(read_image(path).pixels)
    except ImageError as error:
        st.error(str(error), title=f"{notices.escape(name)} was not read", icon=":material/broken_image:")
        return None
    slot = st.container(gap="small")
    analysis = _analyse_on_demand(path, key)
    with slot:
        _draw_views(name, codes, pixels, analysis, key)
    return analysis


def _draw_why_missing() -> None:
    if dataset.read_frame() is None:
        dataset.draw_missing("each case shows its image, the expert's outline and, on demand, Grad-CAM")
    else:
        st.caption("The dataset folder holds no image of this name.")


def _draw_views(
    name: str, codes: Sequence[str | None], pixels: np.ndarray, analysis: Analysis | None, key: str
) -> None:
    masks = _outline_masks(name, pixels.shape[:2], analysis)
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
        _draw_gradcam(codes, pixels, analysis, key)
        return
    chosen = masks if view == OUTLINES else {}
    legend = " · ".join(f"{colour} {whose}" for whose, (_, _, colour) in chosen.items())
    picture = draw_outlines(pixels, [(mask, colour) for mask, colour, _ in chosen.values()])
    st.image(to_data_url(picture), width="stretch", alt=f"The dermoscopic image {legend}".strip())
    if legend:
        st.caption(f"Outlines: {legend}.{_describe_overlap(masks)}")


def _draw_gradcam(codes: Sequence[str | None], pixels: np.ndarray, analysis: Analysis, key: str) -> None:
    """The heatmap of a class: the wanted ones first, then what was found now, then the others."""
    answer = analysis.classification
    wanted = [code for code in (*codes, answer.prediction) if code in answer.classes]
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


def _outline_masks(name: str, shape: tuple[int, int], analysis: Analysis | None) -> dict[str, tuple]:
    """Mask, line colour and the colour's name by whose outline it is; only those at hand."""
    masks = {}
    path = dataset.read_frame().at[name, "mask_path"]
    if path:
        masks["the expert's"] = (resize_mask(read_mask(path), shape), FILL_COLOUR, "blue")
    if analysis and analysis.lesion.found:
        masks["the model's"] = (resize_mask(analysis.lesion.lesion_mask, shape), OUTLINE_COLOUR, "amber")
    return masks


def _describe_overlap(masks: dict[str, tuple]) -> str:
    if len(masks) < 2:
        return ""
    expert, model = (mask for mask, _, _ in masks.values())
    return f" They overlap with a Dice of {parts.number(dice(expert, model))}."


def _analyse_on_demand(path: Path, key: str) -> Analysis | None:
    """The full analysis of this image once its button was pressed, else None."""
    wanted = f"{key}_analysed"
    if st.session_state.get(wanted) != path.stem:
        st.button(
            "Model's outline and Grad-CAM",
            key=f"{key}_analyse",
            icon=":material/local_fire_department:",
            on_click=lambda: st.session_state.update({wanted: path.stem, f"{key}_view": GRADCAM}),
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
        f"(weights `{manifest.fingerprint}`), which has learned the images of "
        f"{' and '.join(manifest.learned_splits)}; stored probabilities are those of the evaluated file."
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
