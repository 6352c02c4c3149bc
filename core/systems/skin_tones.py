"""A controlled check of skin tone: the same drawn lesions on six tones, so that nothing but the skin differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.evaluation.bootstrap import Interval, draw_lesions
from core.phantoms.lesions import Phantom, PhantomSpec, draw_phantom
from core.systems.evaluations import RUNS_DIR
from models.manifest import Manifest

# From light to dark, keys of `core.phantoms.lesions.SKIN_TONES`.
TONES = ("very light", "light", "medium", "tan", "brown", "dark brown")
N_LESIONS = 12
FILE_NAME = "skin_tones.csv"
COLUMNS = ("lesion", "tone", "dice", "malignancy", "prediction")
_SEED = 20270101
_COLOURS = (("black", "dark brown"), ("dark brown", "black"), ("black", "dark brown", "blue-grey"))
_TEXTURES = ("network", "globules", "structureless")


@dataclass(frozen=True)
class ToneScore:
    """What changes on one tone.

    Attributes:
        tone: of `TONES`.
        dice: mean overlap of the found with the exact outline.
        shift: mean change of the probability of malignancy against the same lesions on the lightest tone.
        changed: share of lesions that are on the other side of the decision threshold than on the lightest tone.
        n_lesions: how many.
    """

    tone: str
    dice: Interval
    shift: Interval
    changed: Interval
    n_lesions: int


def draw_lesion_on(lesion: int, tone: str, size_px: tuple[int, int] = (450, 600)) -> Phantom:
    """Lesion number `lesion` of the check on a tone; outline, colours and light are the same on every tone."""
    spec = PhantomSpec(
        skin_tone=tone,
        lesion_radius_share=0.2 + 0.02 * (lesion % 7),
        irregularity=0.1 + 0.2 * (lesion % 5),
        asymmetry=0.1 + 0.25 * (lesion % 4),
        colours=_COLOURS[lesion % len(_COLOURS)],
        texture=_TEXTURES[lesion // 3 % len(_TEXTURES)],
    )
    return draw_phantom(_SEED + lesion, size_px=size_px, spec=spec)


def read_answers(manifest: Manifest, runs_dir: Path = RUNS_DIR) -> pd.DataFrame | None:
    """`COLUMNS`, one row a lesion and tone, as `training.measure.skin_tones` wrote them; None where these weights were not asked."""
    path = runs_dir / manifest.name / FILE_NAME
    if not path.is_file() or not path.read_text().startswith(f"# weights {manifest.fingerprint}\n"):
        return None
    return pd.read_csv(path, comment="#")


def summarise(answers: pd.DataFrame, threshold: float, n_resamples: int = 1000) -> list[ToneScore]:
    """The scores of each tone, in the order of `TONES`, with 95 % intervals over lesions.

    Args:
        answers: `COLUMNS`; every lesion on every tone.
        threshold: decision threshold on the probability of malignancy.
        n_resamples: bootstrap draws.
    """
    wide = answers.pivot(index="lesion", columns="tone", values=["dice", "malignancy"])
    malignancy = wide["malignancy"][list(TONES)]
    base = malignancy[TONES[0]].to_numpy(float)
    resamples = draw_lesions(wide.index.to_numpy(), n_resamples)

    def mean(values: Sequence[float] | np.ndarray) -> Interval:
        return resamples.interval(resamples.means(np.asarray(values, float)))

    scores = []
    for tone in TONES:
        own = malignancy[tone].to_numpy(float)
        changed = (own >= threshold) != (base >= threshold)
        scores.append(
            ToneScore(
                tone, mean(wide["dice"][tone].to_numpy(float)), mean(own - base), mean(changed), len(wide)
            )
        )
    return scores
