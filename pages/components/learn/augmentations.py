"""What each augmentation does to a drawn lesion, alone and all together."""

import numpy as np
import streamlit as st

from core.phantoms.lesions import SAMPLES, draw_sample
from core.systems.ablations import is_ablation
from core.systems.evaluations import RUNS_DIR, WORK_DIR
from core.systems.training_runs import read_runs
from training.data.augmentation import Augmentation
from training.data.augmentation_examples import Example, draw_examples, draw_samples, read_augmentation

SIZE_PX = 192
N_SAMPLES = 8
DEFAULTS = "The defaults"
_MEANINGS = {
    "flip": "Flip: a lesion looks the same mirrored.",
    "rotation_degrees": "Rotate: a lesion has no upright orientation.",
    "zoom": "Enlarge or shrink: lesions and distances vary.",
    "stretch": "Zoom the two axes apart.",
    "shift": "Move off centre; the edge is mirrored.",
    "shear": "Shear, as if seen from the side.",
    "brightness": "More or less light.",
    "contrast": "Around the image's own mean.",
    "saturation": "Stronger or paler colours.",
    "channel_gain": "White balance: each colour channel on its own.",
    "gamma": "Brighter or darker middle tones.",
    "vignette": "The round shadow of a dermatoscope's tube.",
    "blur": "Out of focus.",
    "overlay": "Drawn hair, dark corners, ruler, gel bubbles or ink: not signs of a disease.",
    "corruption": "Image corruption: noise, JPEG artefacts, low resolution, wrong exposure or colours.",
}


def draw_augmentations() -> None:
    """Pictures of each change at both ends of its range, then random samples as training sees them."""
    st.markdown(
        "Training never shows the network the same picture twice: each time it is changed at random, within "
        "ranges that leave the diagnosis as it is. The whole image is squeezed to the network's square first."
    )
    strengths = {DEFAULTS: Augmentation()} | {
        run.title: read_augmentation(run.config["augmentation"])
        for run in read_runs(RUNS_DIR, WORK_DIR)
        if run.config.get("augmentation") and not is_ablation(run.name)
    }
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        names = [sample.name for sample in SAMPLES]
        name = st.selectbox("Drawn lesion", names, index=1, key="augment_image", width=260)
        strength = strengths[st.selectbox("Ranges of", list(strengths), key="augment_run", width=260)]
        share = st.slider(
            "Share of the range", 10, 100, 60, step=10, format="%d%%", key="augment_share", width=220
        )
    image = _draw_image(name)
    with st.grid(3, min_column_width=300, gap="small"):
        for example in draw_examples(image, strength, share / 100, SIZE_PX):
            with st.container(border=True, gap="xsmall"):
                _draw_example(example)
    st.caption(
        "Drawn by Dermalens, not a patient. Ranges from `training/runs/<run>/config.json` or, for the defaults, "
        "from `training/data/augmentation.py`; the pictures come from the functions that training uses."
    )
    _draw_together(image, strength)


def _draw_example(example: Example) -> None:
    name = example.parameter.removesuffix("_degrees").replace("_", " ")
    st.markdown(f"**{name.capitalize()}**  \n:gray[{_MEANINGS.get(example.parameter, '')}]")
    with st.grid(2, min_column_width=110, gap="small"):
        for picture, label in ((example.low, example.low_label), (example.high, example.high_label)):
            alt = f"A drawn lesion, {name}: {label}."
            st.image(picture, caption=label, width="stretch", alt=alt)


def _draw_together(image: np.ndarray, strength: Augmentation) -> None:
    st.subheader("All together, as training sees it", anchor=False)
    seed = st.slider("Seed", 0, 99, 0, key="augment_seed", width=260)
    samples = draw_samples(image, strength, seed, N_SAMPLES, SIZE_PX)
    with st.grid(N_SAMPLES, min_column_width=132, gap="small"):
        for number, sample in enumerate(samples, start=1):
            st.image(sample, width="stretch", alt=f"Random sample {number} of {N_SAMPLES}, seed {seed}.")


@st.cache_data(show_spinner=False)
def _draw_image(name: str) -> np.ndarray:
    return draw_sample(name, size_px=(300, 400)).image
