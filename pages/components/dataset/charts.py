"""Charts: what the images that match the filters are."""

import textwrap

import numpy as np
import pandas as pd
import streamlit as st

from core.datasets.catalogue import AGE_BAND_YEARS, NOT_GIVEN, SIZE_BANDS, diagnosis_name
from core.datasets.facets import cross_count
from core.taxonomy import DIAGNOSES
from pages.components.dataset.context import Context
from pages.components.dataset.figures import build_bars, build_cells, draw_chart
from pages.components.shared import dataset_folder as dataset

# Calm colours that are no class's; sex is no warning.
_SEX_COLOURS = {"female": "#9B86C8", "male": "#5C8FB0"}
_GREY = "#8C9AA8"


def draw_charts(context: Context, found: np.ndarray) -> None:
    """All charts of the rows that match (`found`: (N,) bool)."""
    frame = context.frame[found]
    if frame.empty:
        st.info("No image matches all filters. Remove one, or clear all.", icon=":material/filter_alt_off:")
        return
    st.caption("They follow the filters. Click a bar or a cell to see its images.")
    left, right = st.columns(2, gap="large")
    with left:
        _draw_classes(context, frame)
        _draw_ages(context, frame)
        _draw_sizes(context, frame)
        _draw_lesions(context, frame)
    with right:
        sited = frame[frame["localization"] != NOT_GIVEN]
        _draw_sites(context, sited)
        _draw_sexes(context, sited)
    if not context.has_pictures:
        dataset.draw_missing("the facts of the training images count here too, and a click shows pictures")


def _options(context: Context, facet: str, frame: pd.DataFrame, column: str) -> list[str]:
    """The facet's options, in its order, that the rows have."""
    present = set(frame[column].astype(str))
    return [option for option in context.explorer.indices[facet].options if option in present]


def _draw_classes(context: Context, frame: pd.DataFrame) -> None:
    st.subheader("Diagnoses", anchor=False)
    codes = _options(context, "class", frame, "dx")
    counts = frame["dx"].value_counts().reindex(codes).to_list()
    colours = [DIAGNOSES[code].colour if code in DIAGNOSES else _GREY for code in codes]
    names = [diagnosis_name(code) for code in codes]
    figure = build_bars([("", counts, colours)], _wrap(names), lambda _, i: ["class", codes[i]], "images")
    alt = "; ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=True))
    draw_chart(figure, "chart_classes", f"Images by diagnosis: {alt}.")


def _draw_ages(context: Context, frame: pd.DataFrame) -> None:
    known = frame[frame["age_band"].notna()]
    st.subheader("Age by diagnosis", anchor=False)
    if known.empty:
        st.caption("The age is not known for any of these images.")
        return
    codes = _options(context, "class", known, "dx")
    bands = sorted(known["age_band"].unique())
    names = [f"{low:.0f}–{low + AGE_BAND_YEARS - 1:.0f}" for low in bands]
    counts = cross_count(known, "dx", codes, "age_band", bands)
    figure = build_cells(
        counts,
        _wrap([diagnosis_name(code) for code in codes]),
        names,
        lambda i, j: ["class", codes[i], "age", f"{bands[j]:.0f}-{bands[j] + AGE_BAND_YEARS - 1:.0f}"],
    )
    medians = known.groupby("dx")["age"].median().reindex(codes)
    alt = "; ".join(f"{diagnosis_name(code)} {age:.0f}" for code, age in medians.items())
    draw_chart(figure, "chart_ages", f"Images by diagnosis and age. Median ages: {alt}.")
    st.caption(f"{len(known):,} images whose age in years is given; the tint is the share of the diagnosis.")


def _draw_sites(context: Context, frame: pd.DataFrame) -> None:
    st.subheader("Body site by diagnosis", anchor=False)
    if frame.empty:
        st.caption("The body site is not known for any of these images.")
        return
    sites = _by_count(frame["localization"])
    codes = _options(context, "class", frame, "dx")
    figure = build_cells(
        cross_count(frame, "localization", sites, "dx", codes),
        sites,
        codes,
        lambda i, j: ["class", codes[j], "site", sites[i]],
    )
    alt = f"Images by body site and diagnosis; the most frequent site is {sites[0]}."
    draw_chart(figure, "chart_sites", alt)
    st.caption(f"{len(frame):,} images whose site is given; the tint is the share of the site.")


def _draw_sexes(context: Context, frame: pd.DataFrame) -> None:
    if frame.empty:
        return
    st.subheader("Body site by sex", anchor=False)
    sites, sexes = _by_count(frame["localization"]), _options(context, "sex", frame, "sex")
    counts = cross_count(frame, "localization", sites, "sex", sexes)
    figure = build_bars(
        [(sex, counts[sex].to_list(), _SEX_COLOURS.get(sex, _GREY)) for sex in sexes],
        sites,
        lambda k, i: ["sex", sexes[k], "site", sites[i]],
        "images",
    )
    totals = ", ".join(f"{sex} {counts[sex].sum():,}" for sex in sexes)
    draw_chart(figure, "chart_sexes", f"Images by body site and sex: {totals}.")


def _draw_lesions(context: Context, frame: pd.DataFrame) -> None:
    st.subheader("Images per lesion", anchor=False)
    sizes = frame.drop_duplicates("lesion_id")["images_of_lesion"].value_counts().sort_index()
    numbers = [str(number) for number in sizes.index]
    labels = [f"{number} image{'s' if number != '1' else ''}" for number in numbers]
    figure = build_bars(
        [("", sizes.to_list(), _GREY)], labels, lambda _, i: ["images", numbers[i]], "lesions"
    )
    alt = "; ".join(f"{label} {count:,}" for label, count in zip(labels, sizes, strict=True))
    draw_chart(figure, "chart_lesions", f"Lesions by number of images: {alt}.")


def _draw_sizes(context: Context, frame: pd.DataFrame) -> None:
    known = frame[frame["size_band"] != NOT_GIVEN]
    st.subheader("Lesion size by diagnosis", anchor=False)
    if known.empty:
        st.caption(
            "The lesion is measured for the images of the validation and the test split; none is here."
        )
        return
    codes = _options(context, "class", known, "dx")
    bands = [band for band in SIZE_BANDS if (known["size_band"] == band).any()]
    figure = build_cells(
        cross_count(known, "dx", codes, "size_band", bands),
        _wrap([diagnosis_name(code) for code in codes]),
        [band.replace("under ", "< ").replace("over ", "> ") for band in bands],
        lambda i, j: ["class", codes[i], "size", bands[j]],
    )
    median = known["lesion_area_fraction"].median()
    alt = f"Images by diagnosis and share of the image that is lesion; the median is {median:.0%}."
    draw_chart(figure, "chart_sizes", alt)
    st.caption(
        f"Share of the image that is lesion, as the model outlines it in the {len(known):,} of these images "
        "that it was scored on (validation and test). Images differ in magnification: this is no size in mm."
    )


def _by_count(column: pd.Series) -> list[str]:
    """Values, the most frequent first, what is unknown last."""
    names = column.value_counts().index.to_list()
    return sorted(names, key=lambda name: name == "unknown")


def _wrap(names: list[str]) -> list[str]:
    return ["<br>".join(textwrap.wrap(name, 19)) for name in names]
