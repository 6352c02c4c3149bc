"""The engine as the pages see it: one analyser for the server, a bounded store of results per session.

TensorFlow is loaded by the first analysis, never by opening a page.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_status_container import StatusContainer

from core.analysis import Analysis
from core.analyzer import Analyzer
from core.diagnosis.classification import Classification
from core.images.reading import ImageError, read_image
from core.report import analysis_row
from core.settings import AnalysisSettings, SettingsError
from models import loading
from models import manifest as manifests
from models.manifest import BundleError, Manifest
from pages.components.shared import waiting
from pages.components.shared.figures import thumbnail
from pages.components.shared.notices import escape
from pages.components.shared.source_image import SourceImage

# What a session may keep. The oldest goes first; a full result is computed again when it is looked at.
MAX_OUTCOMES = 96
MAX_ANALYSES_BYTES = 96 * 1024**2  # the dozen images of a session, if they are small
MAX_SALIENCY_MAPS = 8


@dataclass(frozen=True)
class Summary:
    """What a session remembers of every image: its row of the results table and a thumbnail."""

    row: dict[str, Any]
    thumbnail: str


Outcome = Summary | ImageError
ResultKey = tuple[str, str, AnalysisSettings]


def read_current_manifest() -> Manifest:
    """The manifest of the bundle that would answer now.

    Raises:
        BundleError: there is none, or it is not valid.
    """
    return manifests.read_manifest()


def read_manifests() -> list[Manifest]:
    """The manifests of all bundles that an image can be analysed with, the current one first.

    Raises:
        BundleError: the current one is missing or not valid; others that are not valid are left out.
    """
    found = [read_current_manifest()]
    for folder in manifests.list_bundles()[1:]:
        try:
            found.append(manifests.read_manifest(folder))
        except BundleError:
            continue
    return found


def result_key(item: SourceImage, manifest: Manifest, settings: AnalysisSettings) -> ResultKey:
    """What an answer depends on: the image's bytes, the bundle with its trust values and the settings."""
    return item.sha256, bundle_key(manifest), replace(settings, spot=item.spot)


def bundle_key(manifest: Manifest) -> str:
    """Changes with anything that a manifest states: its fingerprint leaves out the trust values fitted later."""
    return hashlib.sha256(repr(manifest).encode()).hexdigest()


def analyse_all(
    items: Sequence[SourceImage], picked: SourceImage, manifest: Manifest, settings: AnalysisSettings
) -> dict[str, Outcome]:
    """Outcome of each image by its SHA-256; what the session does not know yet is computed.

    Raises:
        BundleError: the weights are missing or damaged.
    """
    outcomes = _store("outcomes")
    keys = {item.sha256: result_key(item, manifest, settings) for item in items}
    missing = [item for item in items if keys[item.sha256] not in outcomes]
    # The image to be looked at comes last, so that its full result is the one that is certainly kept.
    missing.sort(key=lambda item: item.sha256 == picked.sha256)
    _analyse(missing, manifest, settings)
    found = {item.sha256: _named(outcomes[keys[item.sha256]], item) for item in items}
    _trim_outcomes(max(MAX_OUTCOMES, len(items)))
    return found


def _trim_outcomes(most: int) -> None:
    outcomes = _store("outcomes")
    while len(outcomes) > most:
        outcomes.pop(next(iter(outcomes)))


def get_analysis(item: SourceImage, manifest: Manifest, settings: AnalysisSettings) -> Analysis:
    """The full result of a readable image, computed again if the session had to drop it."""
    analyses, key = _store("analyses"), result_key(item, manifest, settings)
    if key not in analyses:
        _analyse([item], manifest, settings)
        _trim_outcomes(MAX_OUTCOMES)
    analysis = analyses[key]
    return replace(analysis, image=replace(analysis.image, name=item.name))


def _named(outcome: Outcome, item: SourceImage) -> Outcome:
    """The outcome under the image's present name: the same bytes may have come under another one before."""
    if isinstance(outcome, Summary):
        return replace(outcome, row=outcome.row | {"image": Path(item.name).stem})
    return outcome


def _analyse(items: Sequence[SourceImage], manifest: Manifest, settings: AnalysisSettings) -> None:
    if not items:
        return
    slot = st.empty()
    with slot.container(), st.status("Loading the networks …", expanded=False) as status:
        analyzer = _load_analyzer(bundle_key(manifest), str(manifest.folder))
        if analyzer.bundle.note:
            st.toast(analyzer.bundle.note, icon=":material/info:")
        for number, item in enumerate(items, start=1):
            count = f" ({number} of {len(items)})" if len(items) > 1 else ""
            # A turn for each image: who has many does not keep the others waiting for all of them.
            with _take_turn(status, slot):
                status.update(label=f"Analysing {escape(item.name)}{count} …")
                result = _analyse_one(analyzer, item, settings)
            _keep(item, result, result_key(item, manifest, settings))
    slot.empty()


@contextmanager
def _take_turn(status: StatusContainer, slot: DeltaGenerator) -> Iterator[None]:
    """Wait for the analyser and show the place; ends the page where too many wait."""
    try:
        with waiting.ANALYSES.turn(lambda before: status.update(label=waiting.describe_place(before))):
            yield
    except (waiting.QueueFullError, SettingsError) as error:
        slot.warning(escape(str(error)), icon=":material/hourglass_top:")
        st.stop()


def _analyse_one(analyzer: Analyzer, item: SourceImage, settings: AnalysisSettings) -> Analysis | ImageError:
    try:
        image = replace(read_image(item.data), name=item.name)
        # Without the heatmap: it is computed when it is looked at, see `explain`.
        [analysis] = analyzer.analyze_batch([image], replace(settings, spot=item.spot))
        return analysis
    except ImageError as error:
        return error


def _keep(item: SourceImage, result: Analysis | ImageError, key: ResultKey) -> None:
    outcomes, analyses = _store("outcomes"), _store("analyses")
    if isinstance(result, ImageError):
        outcomes[key] = result
        return
    outcomes[key] = Summary(analysis_row(result, Path(item.name).stem), thumbnail(result.image.pixels))
    analyses[key] = result
    while len(analyses) > 1 and sum(map(_size_bytes, analyses.values())) > MAX_ANALYSES_BYTES:
        analyses.pop(next(iter(analyses)))


def _size_bytes(analysis: Analysis) -> int:
    # A pixel's colour and mask: 4 bytes; the map is a smaller copy.
    pixels = 4 * analysis.lesion.lesion_mask.size
    return pixels + analysis.mask_map.nbytes + analysis.classification.features.nbytes


def explain(analysis: Analysis, code: str, method: str) -> np.ndarray:
    """(H, W) saliency of any class, kept for the session."""
    store = _store("saliency")
    key = (analysis.image.sha256, analysis.manifest.fingerprint, analysis.settings, code, method)
    if key not in store:
        with st.spinner("Computing the heatmap …"):
            store[key] = analyzer_of(analysis).explain(analysis, code, method).astype(np.float16)
        while len(store) > MAX_SALIENCY_MAPS:
            store.pop(next(iter(store)))
    return store[key].astype(np.float32)


def analyzer_of(analysis: Analysis) -> Analyzer:
    """The analyser that made a result, loaded again if the server had to drop it."""
    return _load_analyzer(bundle_key(analysis.manifest), str(analysis.manifest.folder))


def explain_structure(analysis: Analysis, name: str) -> np.ndarray:
    """(H, W) evidence of a dermoscopic structure; milliseconds, so it is not kept."""
    return analyzer_of(analysis).explain_structure(analysis, name)


def classify_with(analysis: Analysis, lesion_mask: np.ndarray) -> Classification:
    """The answer if another outline were the lesion's; waits for its turn at the networks."""
    analyzer, slot = analyzer_of(analysis), st.empty()
    with slot.container(), st.status("Classifying …", expanded=False) as status, _take_turn(status, slot):
        answer = analyzer.classify_with(analysis, lesion_mask)
    slot.empty()
    return answer


def with_scale(analysis: Analysis, pixel_spacing_mm: float | None) -> Analysis:
    """The same analysis at the user's scale; the file's own scale if that is None."""
    if pixel_spacing_mm is None:
        return analysis
    morphology = analysis.morphology
    if morphology is not None:
        morphology = replace(morphology, diameter_mm=morphology.diameter_px * pixel_spacing_mm)
    image = replace(analysis.image, pixel_spacing_mm=pixel_spacing_mm)
    return replace(analysis, image=image, morphology=morphology)


@st.cache_resource(max_entries=2, show_spinner=False)
def _load_analyzer(key: str, folder: str) -> Analyzer:
    bundle = loading.load_bundle(folder)
    if bundle_key(bundle.manifest) != key:
        raise BundleError("The weights were replaced while the page was open. Reload the page.")
    return Analyzer(bundle)


def _store(name: str) -> dict:
    return st.session_state.setdefault(name, {})
