"""The controlled check of skin tone: the same drawn lesions on six tones, and what changes in the answer."""

import streamlit as st

from core.images.drawing import write_label
from core.systems.skin_tones import TONES, ToneScore, draw_lesion_on, read_answers, summarise
from models.manifest import BundleError
from pages.components.evaluate import scores
from pages.components.shared import engine
from pages.components.shared.figures import to_data_url
from pages.components.shared.notices import draw_bundle_error

_SHOWN_LESION, _SHOWN_PX = 4, (120, 160)


def draw() -> None:
    """Pictures of one lesion on six tones, and a table of all."""
    st.subheader("Controlled check: the same drawn lesions on six skin tones", anchor=False)
    try:
        manifest = engine.read_current_manifest()
    except BundleError as error:
        draw_bundle_error(error)
        return
    answers = read_answers(manifest)
    if answers is None:
        st.caption("Not made for this bundle yet: `python -m training.measure.skin_tones` does.")
        return
    with st.grid(6, min_column_width=130, key="tone_pictures"):
        for tone, picture in zip(TONES, _draw_pictures(), strict=True):
            st.image(
                picture, width="stretch", caption=tone.capitalize(), alt=f"A drawn lesion on {tone} skin"
            )
    found = summarise(answers, manifest.suspicious_threshold)
    st.dataframe(
        [_row(one) for one in found],
        key="tone_table",
        hide_index=True,
        height="content",
        alt="Overlap, change of probability and changed answers by skin tone.",
    )
    st.caption(
        f"{found[0].n_lesions} drawn lesions, each on every tone, one view each: outline, colours and light are the same, only the skin "
        "differs. In brackets 95 % intervals over lesions. On darker skin the same lesion stands out less, as it does in "
        "life. Drawings are no patients: a change here is a warning, no change is no proof. Bundle: "
        f"{manifest.name}, version {manifest.version}."
    )


@st.cache_data(show_spinner=False)
def _draw_pictures() -> list[str]:
    return [
        to_data_url(write_label(draw_lesion_on(_SHOWN_LESION, tone, _SHOWN_PX).image, "drawn"))
        for tone in TONES
    ]


def _row(one: ToneScore) -> dict[str, str]:
    reference = one.tone == TONES[0]
    return {
        "Skin tone": one.tone.capitalize(),
        "Outline: mean Dice": scores.interval_text(one.dice, 3),
        "Change of the probability of malignancy": "reference"
        if reference
        else scores.interval_text(one.shift, 3),
        "Answer changed": "reference" if reference else scores.interval_text(one.changed),
    }
