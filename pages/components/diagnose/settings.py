"""The switches of an analysis, as one panel."""

import streamlit as st

from core.images.preprocessing import PreprocessingSettings
from core.settings import AnalysisSettings, default_filters
from models.manifest import Manifest

# Field of `PreprocessingSettings`, name, explanation.
FILTERS = (
    ("hair_removal", "Hair removal", "Removes dark hairs from the classifier's input."),
    ("colour_constancy", "Colour constancy", "Evens out the tint of the light (shades of grey)."),
    ("edge_enhancement", "Edge enhancement", "Sharpens the luminance."),
)


def draw_model_choice(manifests: list[Manifest]) -> Manifest | None:
    """Choice of the bundle, where there are several; the first by default."""
    if len(manifests) < 2:
        return next(iter(manifests), None)
    labels = {manifest.name: manifest.description or manifest.name for manifest in manifests}
    st.markdown("**The model**")
    name = st.selectbox(
        "Model that answers",
        list(labels),
        format_func=labels.get,
        key="setting_model",
        label_visibility="collapsed",
        persist_state="session",
    )
    chosen = next(manifest for manifest in manifests if manifest.name == name)
    st.caption(describe_scores(chosen))
    return chosen


def describe_scores(manifest: Manifest) -> str:
    """What `training.measure.evaluate` found for a bundle on the test split, else on validation, in one sentence."""
    scores = manifest.classifier.record.get("scores", {})
    split = next((split for split in ("test", "validation") if split in scores), None)
    if split is None:
        return "Nothing has been measured about this model yet."
    found = {
        name: scores[split][key]["estimate"]
        for name, key in (("balanced accuracy", "balanced_accuracy"), ("accuracy", "accuracy"))
    }
    text = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
    return f"On the {split} split: {text}." + (
        " Not yet evaluated on the test split." if split != "test" else ""
    )


def draw_settings(manifest: Manifest | None) -> AnalysisSettings:
    """Filters and test-time augmentation; the bundle states what is on until the user switches it."""
    defaults = default_filters(manifest) if manifest else PreprocessingSettings()
    augmented_by_default = manifest.test_time_augmentation if manifest else True
    # Switches of their own for classic bundles: each kind begins with what it was measured with.
    kind = "" if augmented_by_default else "_of_classic"
    st.markdown("**Before the networks**")
    filters = {
        field: st.toggle(
            label, getattr(defaults, field), key=f"setting_{field}{kind}", help=text, persist_state="session"
        )
        for field, label, text in FILTERS
    }
    st.markdown("**The networks**")
    augmented = st.toggle(
        "Test-time augmentation",
        augmented_by_default,
        key=f"setting_augmentation{kind}",
        help="Averages eight flips and quarter-turns: more robust, and shows the spread. Slower.",
        persist_state="session",
    )
    return AnalysisSettings(PreprocessingSettings(**filters), augmented)


def draw_impression_switch() -> bool:
    """Whether the ranking waits for the reader's own impression."""
    st.markdown("**The reader**")
    return st.toggle(
        "Your impression first",
        key="impression_first",
        help="Hides the networks' answer until you have chosen a class yourself. A wrong machine answer "
        "misleads experts too (Tschandl et al. 2020).",
        persist_state="session",
    )
