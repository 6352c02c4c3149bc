"""The seven-point checklist to practise: the reader ticks, the page adds up; the machine measures none of it."""

import numpy as np
import streamlit as st

from core.diagnosis.seven_points import CRITERIA, MAJOR, SUSPICIOUS_FROM, total
from core.lesion.morphology import measure_lesion
from core.lesion.morphology_table import abcd_rows
from core.phantoms.criteria import DRAWINGS, draw_criteria
from core.phantoms.lesions import Phantom
from pages.components.learn import subject

PRACTICE, OWN = "Practice picture", "Another image"
_EXAMPLE_SEED, _EXAMPLE_SIZE_PX = 31, (240, 320)
N_PICTURES = 99
_SOURCE = (
    "Argenziano et al. (1998), Arch Dermatol 134:1563, doi:10.1001/archderm.134.12.1563: three major criteria of 2 "
    f"points, four minor ones of 1 point; {SUSPICIOUS_FROM} points or more raise suspicion of melanoma. Made for "
    "melanocytic lesions, by readers who were trained in it."
)


def draw_checklist() -> None:
    """A picture, the seven boxes and their sum; ABCD of the same picture; an example of each criterion."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = st.segmented_control(
            "Picture", [PRACTICE, OWN], default=PRACTICE, required=True, key="checklist_kind"
        )
        if kind == PRACTICE:
            number = st.number_input("Number", 1, N_PICTURES, 1, key="checklist_number", width=140)
    left, right = st.columns([1.25, 1], gap="large")
    if kind == PRACTICE:
        codes, phantom = _practice_picture(int(number))
        with left:
            caption = "Drawn by Dermalens, not a patient's image."
            st.image(phantom.image, caption=caption, width="stretch", alt=f"Practice picture {number}.")
        with right:
            ticked = _draw_boxes(f"practice {number}")
            _draw_solution(int(number), codes, ticked)
        _draw_abcd(phantom)
    else:
        with left:
            item = subject.choose_image()
            if item is not None:
                subject.draw_image(item)
        with right:
            if item is not None:
                _draw_boxes(item.sha256)
    _draw_examples()
    st.caption(
        f"{_SOURCE} Dermalens draws these criteria and adds up what you tick. It detects none of them: its diagnoses come "
        "from networks that were never shown the checklist, and its measurements are those of ABCD."
    )


@st.cache_data(show_spinner=False, max_entries=20)
def _practice_picture(number: int) -> tuple[tuple[str, ...], Phantom]:
    """The criteria of a numbered picture, none to four, and the picture."""
    rng = np.random.default_rng((7, number))
    codes = tuple(str(code) for code in rng.choice(list(DRAWINGS), int(rng.integers(0, 5)), replace=False))
    return codes, draw_criteria(1000 + number, codes)


def _draw_boxes(picture: str) -> set[str]:
    """Seven boxes and the sum; what is ticked."""
    st.markdown("**What do you see?**")
    ticked = {
        criterion.code
        for criterion in CRITERIA
        if st.checkbox(
            f"{criterion.name} :gray[{criterion.points}]",
            key=f"seven_{picture}_{criterion.code}",
            help=criterion.text,
        )
    }
    points = total(ticked)
    enough = points >= SUSPICIOUS_FROM
    words = (
        "suspicious by the checklist"
        if enough
        else f"below {SUSPICIOUS_FROM}: not suspicious by the checklist"
    )
    icon = ":material/flag:" if enough else ":material/remove:"
    st.markdown(f"{icon} **{points} point{'' if points == 1 else 's'}**, {words}.")
    return ticked


def _draw_solution(number: int, codes: tuple[str, ...], ticked: set[str]) -> None:
    """What was drawn, on request, with what was missed and what was not there."""
    if not st.toggle("Show what was drawn", key=f"seven_solution_{number}"):
        return
    names = {criterion.code: criterion.name for criterion in CRITERIA}
    drawn = [names[code] for code in names if code in codes]
    missed = [names[code] for code in names if code in codes and code not in ticked]
    extra = [names[code] for code in names if code in ticked and code not in codes]
    lines = [f"Drawn: **{', '.join(drawn) or 'none of the seven'}**, {total(codes)} points."]
    lines += [f"Missed: {', '.join(missed)}."] if missed else []
    lines += [f"Not there: {', '.join(extra)}."] if extra else []
    st.markdown("  \n".join(lines if missed or extra else [*lines, "You saw all of it."]))


def _draw_abcd(phantom: Phantom) -> None:
    """What the app measures on the same picture, from the outline it was drawn with."""
    measured = measure_lesion(phantom.image, phantom.lesion_mask, None)
    if measured is None:
        return
    rows = abcd_rows(measured)
    with st.expander("ABCD of the same picture, as the app measures it", icon=":material/straighten:"):
        table = {"": [row.label for row in rows], "Measured": [row.value for row in rows]}
        st.table(
            table, border="horizontal", hide_index=True, alt="ABCD measurements of the practice picture."
        )
        st.caption(
            "From the outline that the picture was drawn with. ABCD describes shape and colours, the checklist "
            "structures: a lesion can be suspicious by one and not by the other."
        )


def _draw_examples() -> None:
    st.subheader("The seven criteria", anchor=False)
    with st.grid(4, min_column_width=150, gap="small"):
        for criterion in CRITERIA:
            with st.container(border=True, gap="xsmall"):
                st.image(_example(criterion.code), width="stretch", alt=f"Drawn example: {criterion.name}.")
                kind = "major, 2 points" if criterion.points == MAJOR else "minor, 1 point"
                st.markdown(f"**{criterion.name}** ({kind})  \n:gray[{criterion.text}]")


@st.cache_data(show_spinner=False)
def _example(code: str) -> np.ndarray:
    return draw_criteria(_EXAMPLE_SEED, [code], _EXAMPLE_SIZE_PX).image
