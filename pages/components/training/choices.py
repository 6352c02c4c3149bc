"""Alternatives that were compared on the validation split when the bundle was exported."""

import streamlit as st

from core.systems.choices import CHOICES_NAME, Choices, Comparison, list_choices
from core.systems.evaluations import RUNS_DIR
from core.systems.systems import list_systems
from pages.components.shared.notices import escape

_TITLES = {
    "refinement": (
        "From probability map to mask",
        "“Plain” is a threshold of 0.5 alone; the others clean the mask in the same way and differ in the threshold.",
    ),
    "crop_margin": (
        "Skin around the lesion",
        "On each side of the lesion's crop, as a share of the lesion's longer side; one view.",
    ),
    "windows": (
        "What the classifier sees",
        "The whole image, the lesion with a margin, or both; in one view or in eight flips and turns.",
    ),
    "filters_one_view": (
        "Filters before the classifier",
        "Each alone, with one view instead of eight, on every second image. Those that raise macro AUC are on, unless "
        "the export names others. The segmenter's input is not filtered.",
    ),
    "prior": (
        "Class prior",
        "How much of the class prior is added to the logits, because training samples rare classes more often. In this "
        "bundle it is part of the biases; newer ones correct for class frequency in the decision alone.",
    ),
    "temperature": ("Temperature", "Scores before and after the logits are divided by it."),
}


def draw_choices(in_use: str | None) -> None:
    """The comparisons of the bundle `in_use`, those of others folded; nothing where none was recorded."""
    recorded = list_choices(RUNS_DIR)
    titles = {system.name: system.title for system in list_systems()}
    if recorded:
        st.subheader("Choices on the validation split", anchor=False)
    for choices in sorted(recorded, key=lambda choices: choices.bundle != in_use):
        if choices.bundle == in_use or len(recorded) == 1:
            _draw_comparisons(choices)
        else:
            with st.expander(f"For {escape(titles.get(choices.bundle, choices.bundle))}"):
                _draw_comparisons(choices)


def _draw_comparisons(choices: Choices) -> None:
    with st.grid(2, min_column_width=340, gap="medium"):
        for comparison in choices.comparisons:
            with st.container(gap="xsmall"):
                _draw_comparison(comparison, choices)
    images = f"{choices.n_images} images" if choices.n_images else "images"
    st.caption(
        f"On {images} of the validation split; from `training/runs/{escape(choices.bundle)}/{CHOICES_NAME}`. "
        "Bold: the bundle's choice. " + _describe_decisions(choices)
    )


def _draw_comparison(comparison: Comparison, choices: Choices) -> None:
    title, explanation = _TITLES.get(comparison.name, (_capitalise(_words(comparison.name)), ""))
    st.markdown(f"**{title}**" + (f"  \n:gray[{explanation}]" if explanation else ""))
    in_use = choices.option_in_use(comparison.name)
    table = comparison.table.drop(columns="n_images", errors="ignore")
    rows = {
        "": [_emphasise(_words(option), option == in_use) for option in table.index],
        **{
            _capitalise(_words(name)): [
                _emphasise(f"{value:.4f}" if value == value else "–", option == in_use)
                for option, value in table[name].items()
            ]
            for name in table
        },
    }
    st.table(rows, border="horizontal", hide_index=True, alt=f"{title}: scores of {len(table)} options.")


def _describe_decisions(choices: Choices) -> str:
    threshold = choices.decisions.get("suspicious_threshold") or {}
    temperature = choices.decisions.get("temperature")
    parts = []
    if temperature:
        parts.append(f"Temperature {temperature:.3f}.")
    if threshold:
        parts.append(f"Decision threshold {threshold['value']:.1%}: {threshold['origin']}.")
    return " ".join(parts)


def _emphasise(text: str, strong: bool) -> str:
    return f"**{text}**" if strong else text


def _words(name: str) -> str:
    """A name in the file as words; the field's terms keep their capitals.

    >>> _words("macro_roc_auc"), _words("whole+crop, eight_views")
    ('macro ROC AUC', 'whole + crop, eight views')
    """
    words = name.replace("_", " ").replace("+", " + ").replace("roc auc", "ROC AUC")
    return words.replace("jaccard", "Jaccard").replace("dice", "Dice")


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
