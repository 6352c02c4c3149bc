"""The model card: scores, groups, limits and known failures of the loaded bundle, from its records."""

import pandas as pd
import streamlit as st

from core.evaluation.calibration import INTERVAL_NOTE
from core.evaluation.scores import list_scores
from core.evaluation.slices import FEW_LESIONS, score_slices
from core.phantoms.lesions import draw_phantom
from core.systems import model_card
from core.systems.evaluations import Evaluation, list_evaluations
from core.systems.model_card import DrawnFailure
from models.manifest import Manifest, NetworkEntry
from pages.components.evaluate.scores import interval_text
from pages.components.evaluate.slices import FEW_MARK
from pages.components.shared.figures import thumbnail

FAILURES_SHOWN = 6


def draw_card(manifest: Manifest) -> None:
    """Every section that the bundle's records allow."""
    left, right = st.columns([1, 1], gap="large")
    with left:
        draw_identity(manifest)
        draw_data(manifest)
        draw_trust(model_card.read_record(manifest, "trust.json"))
        draw_robustness(model_card.read_record(manifest, "robustness.json"))
        draw_symmetries(model_card.read_record(manifest, "symmetries.json"))
    with right:
        draw_scores(manifest)
        draw_groups(manifest)
    draw_failures(manifest)


def draw_identity(manifest: Manifest) -> None:
    """The bundle's networks, weights and hashes."""
    st.subheader("The loaded bundle", anchor=False)
    st.markdown(
        f"{manifest.name}, version {manifest.version}  \n:gray[Fingerprint] `{manifest.fingerprint}`  \n"
        f":gray[Decision threshold] {manifest.suspicious_threshold:.1%}: {manifest.threshold_origin.rstrip('.')}."
    )
    _draw_network("Segmentation", manifest.segmenter)
    _draw_network("Classification", manifest.classifier)


def _draw_network(title: str, entry: NetworkEntry) -> None:
    st.markdown(
        f"**{title}:** `{entry.file}`, {entry.input_size_px} px input  \n:gray[SHA-256] `{entry.sha256}`"
    )


def draw_scores(manifest: Manifest) -> None:
    """Headline scores of both splits with their intervals."""
    st.subheader("Scores", anchor=False)
    run = manifest.name
    records = {
        split: model_card.read_record(manifest, f"{split}_scores.json") for split in ("test", "validation")
    }
    table = model_card.score_table(records)
    if table.empty:
        st.caption(f"No scores are recorded for {run}. `dermalens evaluate scores --split test` writes them.")
        return
    st.table(table, border="horizontal", hide_index=True)
    st.caption(
        f"95 % intervals by bootstrap over lesions. {INTERVAL_NOTE} The test split was evaluated once for this "
        f"bundle; every choice was made on the validation split. {_describe_validation(manifest)}From `training/runs/{run}/`, written by "
        "`dermalens evaluate scores`."
    )


def _describe_validation(manifest: Manifest) -> str:
    """A note on validation scores of a bundle that was trained on part of that split; "" for others."""
    if "validation" not in manifest.training_splits:
        return ""
    return (
        "Part of this bundle was trained on validation lesions; the validation scores are cross-validated: each image "
        "was analysed by networks that were not trained on it (`training/LOG.md`). "
    )


def draw_data(manifest: Manifest) -> None:
    """Data, licence and split."""
    st.subheader("Data and split", anchor=False)
    st.markdown(
        f"Trained on {', '.join(manifest.training_sets)}, all CC BY-NC 4.0. All images of a lesion are in one split, "
        "also where two datasets share it. The decision threshold, the windows and everything else that is chosen come "
        "from validation images of HAM10000 and, where the bundle was trained on it, MILK10k. HAM10000 records age, "
        "sex and body site, **not skin tone**, which MILK10k records; HAM10000's `akiec` holds actinic keratoses and "
        "squamous cell carcinomas in situ."
    )
    st.dataframe(_split_table(), hide_index=True, key="split_table", alt="Images and lesions in each split.")
    st.caption("From `training/splits/splits.csv`, written by `dermalens train split`.")


@st.cache_data
def _split_table() -> pd.DataFrame:
    return model_card.split_table()


def draw_groups(manifest: Manifest) -> None:
    """The headline score by age and sex on the test split; Evaluate has every other score and fact."""
    found = [e for e in list_evaluations() if e.run == manifest.name and e.split == "test"]
    if not found:
        return
    [evaluation] = found
    st.subheader("By patient group", anchor=False)
    path = evaluation.predictions_file
    key = str(path), path.stat().st_mtime_ns
    rows = _group_rows(key, manifest.suspicious_threshold, evaluation)
    st.table(rows, border="horizontal", hide_index=True)
    st.caption(
        f"Test split, from `{path.name}`. {FEW_MARK}: fewer than {FEW_LESIONS} lesions, too few for a "
        "conclusion. Every score by every fact is on the Evaluate page."
    )


@st.cache_data(show_spinner="Scoring the groups …", max_entries=4)
def _group_rows(key: tuple[str, int], threshold: float, _evaluation: Evaluation) -> list[dict[str, str]]:
    predictions = _evaluation.read_predictions()
    score = list_scores(predictions)["balanced_accuracy"]
    return [
        {
            "Group": f"{by}: {one.name}" + (f" {FEW_MARK}" if one.few else ""),
            "Lesions": f"{one.n_lesions:,}",
            score.name: interval_text(one.interval),
        }
        for by in ("age", "sex")
        for one in score_slices(predictions, by, score, threshold)[1:]  # the first is all images
    ]


def draw_trust(record: dict) -> None:
    """Coverage of the prediction sets, and detection of out-of-distribution images."""
    if not record:
        return
    st.subheader("How far to trust an answer", anchor=False)
    rows = [{"Measured": name, "Value": value} for name, value in model_card.trust_rows(record)]
    st.table(rows, border="horizontal", hide_index=True)
    st.caption("From `trust.json`, written by `dermalens train trust`.")


def draw_robustness(record: dict) -> None:
    """Robustness to image corruptions and to artefacts drawn on real nevi."""
    if not record:
        return
    st.subheader("Robustness", anchor=False)
    st.table(model_card.severity_rows(record), border="horizontal", hide_index=True)
    st.table(model_card.artefact_rows(record), border="horizontal", hide_index=True)
    learned = ", ".join(record.get("learned", []))
    st.caption(
        "Means over fourteen corruptions"
        + (f", of which training used {learned}" if learned else "")
        + "; artefacts drawn on nevi. Validation images, one view each. From `robustness.json`, written by `dermalens evaluate robustness`."
    )


def draw_symmetries(record: dict) -> None:
    """Whether rotated and mirrored images keep their prediction."""
    if not record:
        return
    st.table(model_card.symmetry_rows(record), border="horizontal", hide_index=True)
    st.caption(
        f"{record['split'].title()} images, each in its eight symmetries. From `symmetries.json`, written by "
        "`dermalens evaluate symmetries`."
    )


def draw_failures(manifest: Manifest) -> None:
    """Drawn images on which this bundle failed."""
    failures = model_card.known_failures(model_card.read_record(manifest, "phantom_scores.json"))[
        :FAILURES_SHOWN
    ]
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
        "Drawn by Dermalens, no patients. A phantom has no diagnosis: the failure is that hair or ink changes "
        "the result. From `phantom_scores.json`, written by `dermalens evaluate phantoms`."
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _draw(seed: int, spec_key: str, _failure: DrawnFailure) -> str:
    return thumbnail(draw_phantom(seed, spec=_failure.spec).image, side_px=240)
