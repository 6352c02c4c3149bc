"""The model card: scores, groups, limits and known failures of the loaded bundle, from its records."""

import pandas as pd
import streamlit as st

from core import model_card
from core.model_card import DrawnFailure
from core.phantoms import draw_phantom
from models.manifest import Manifest, NetworkEntry
from pages.components.figures import thumbnail

FAILURES_SHOWN = 6


def draw_card(manifest: Manifest) -> None:
    """Every section that the bundle's records allow."""
    run = manifest.name
    left, right = st.columns([1, 1], gap="large")
    with left:
        draw_identity(manifest)
        draw_data()
    with right:
        draw_scores(run)
        draw_robustness(model_card.read_record(run, "robustness.json"))
    draw_failures(run)


def draw_identity(manifest: Manifest) -> None:
    """Which weights these are, and by which hash they are known."""
    st.subheader("The loaded bundle", anchor=False)
    st.markdown(
        f"{manifest.name}, version {manifest.version}  \n:gray[Fingerprint] `{manifest.fingerprint}`  \n"
        f":gray[Suspicious from] {manifest.suspicious_threshold:.1%}: {manifest.threshold_origin.rstrip('.')}."
    )
    _draw_network("Segmentation", manifest.segmenter)
    _draw_network("Classification", manifest.classifier)


def _draw_network(title: str, entry: NetworkEntry) -> None:
    st.markdown(
        f"**{title}:** `{entry.file}`, {entry.input_size_px} px input  \n:gray[SHA-256] `{entry.sha256}`"
    )


def draw_scores(run: str) -> None:
    """Headline scores of both splits with their intervals."""
    st.subheader("Scores", anchor=False)
    table = model_card.score_table(
        {split: model_card.read_record(run, f"{split}_scores.json") for split in ("test", "validation")}
    )
    if table.empty:
        st.caption(
            f"No scores are recorded for {run}. `python -m training.evaluate --split test` writes them."
        )
        return
    st.table(table, border="horizontal", hide_index=True)
    st.caption(
        "95 % intervals by bootstrap over lesions. The test split was looked at once for this bundle; every "
        f"choice was made on validation. From `training/runs/{run}/`, written by `python -m training.evaluate`."
    )


def draw_data() -> None:
    """Data, licence and split."""
    st.subheader("Data and split", anchor=False)
    st.markdown(
        "HAM10000: 10,015 dermoscopic images of 7,470 lesions from Vienna and Queensland, CC BY-NC 4.0. All "
        "images of a lesion are in one split. HAM10000 records age, sex and body site, **not skin tone**; its "
        "`akiec` holds actinic keratoses and squamous cell carcinomas in situ."
    )
    st.dataframe(_split_table(), hide_index=True, key="split_table", alt="Images and lesions in each split.")
    st.caption("From `training/splits/ham10000.csv`, written by `python -m training.make_split`.")


@st.cache_data
def _split_table() -> pd.DataFrame:
    return model_card.split_table()


def draw_robustness(record: dict) -> None:
    """What drawn artefacts on real nevi do, where it was measured."""
    artefacts = record.get("artefacts")
    if not artefacts:
        return
    st.subheader("Robustness", anchor=False)
    rows = [
        {
            "Drawn on nevi": row["artefact"],
            "False positives": f"{row['clean']:.1%} → {row['drawn']:.1%}",
            "Change (95 % interval)": _points(row["change"]),
        }
        for row in artefacts
    ]
    st.table(rows, border="horizontal", hide_index=True)
    st.caption("Validation images; `python -m training.robustness` wrote `robustness.json`.")


def _points(change: dict) -> str:
    estimate, low, high = (100 * change[key] for key in ("estimate", "low", "high"))
    return f"{estimate:+.1f} points ({low:+.1f} to {high:+.1f})"


def draw_failures(run: str) -> None:
    """Drawn pictures on which this bundle did badly."""
    failures = model_card.known_failures(model_card.read_record(run, "phantom_scores.json"))[:FAILURES_SHOWN]
    if not failures:
        return
    st.subheader("Known failures, on drawn examples", anchor=False)
    with st.container(horizontal=True, gap="small"):
        for failure in failures:
            with st.container(width=200, gap="xsmall"):
                picture = _draw(failure.seed, repr(failure.spec), failure)
                st.image(picture, width="stretch", alt=f"{failure.title}: {failure.text}")
                st.markdown(f"**{failure.title}**  \n:gray[{failure.text}]")
    st.caption(
        "Drawn by Dermalens, no patients. A phantom has no diagnosis: that hair or ink moves the answer is the "
        "failure. From `phantom_scores.json`, written by `python -m training.evaluate_phantoms`."
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _draw(seed: int, spec_key: str, _failure: DrawnFailure) -> str:
    return thumbnail(draw_phantom(seed, spec=_failure.spec).image, side_px=240)
