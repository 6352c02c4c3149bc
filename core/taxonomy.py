"""The diagnoses Dermalens knows: the only place for codes, names, malignancy and colours.

A model bundle states its own class list as codes; everything else about a class is looked up here, so
a bundle trained on HAM10000 (seven classes), ISIC 2019 (eight, with `scc`) or benign against malignant
works unchanged.

Reference:
    Tschandl, Rosendahl, Kittler (2018), Sci Data 5:180161, doi:10.1038/sdata.2018.161.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Malignancy(StrEnum):
    """How a diagnosis is counted; everything that is not benign is "suspicious"."""

    MALIGNANT = "malignant"
    IN_SITU = "premalignant or in situ"
    BENIGN = "benign"


@dataclass(frozen=True)
class Diagnosis:
    """One class: dataset code, clinical name, a plain sentence, malignancy and chart colour."""

    code: str
    name: str
    plain: str
    malignancy: Malignancy
    colour: str

    @property
    def suspicious(self) -> bool:
        return self.malignancy is not Malignancy.BENIGN


# Colours: a colour-blind-safe set (after Okabe and Ito, 2008), warm for suspicious classes and cool or
# neutral for benign ones; readable on light and dark backgrounds. Never red against green.
_DIAGNOSES = (
    Diagnosis(
        "akiec",
        "Actinic keratosis / Bowen's disease",
        "Sun-damaged cells in the outermost skin that can become, or already are, an early squamous "
        "cell carcinoma confined to the epidermis. HAM10000 labels both as one class.",
        Malignancy.IN_SITU,
        "#E8A33D",
    ),
    Diagnosis(
        "bcc",
        "Basal cell carcinoma",
        "The most common skin cancer: grows slowly and destroys tissue locally, rarely spreads.",
        Malignancy.MALIGNANT,
        "#D2691E",
    ),
    Diagnosis(
        "bkl",
        "Benign keratosis",
        "Harmless thickening of the outer skin: seborrhoeic keratosis, solar lentigo or lichen-planus-"
        "like keratosis. Some look much like melanoma.",
        Malignancy.BENIGN,
        "#7A8CA3",
    ),
    Diagnosis(
        "df",
        "Dermatofibroma",
        "A harmless firm nodule of fibrous tissue, often after a small injury or an insect bite.",
        Malignancy.BENIGN,
        "#9B86C8",
    ),
    Diagnosis(
        "mel",
        "Melanoma",
        "A cancer of the pigment-forming cells; can spread early, so it is the one not to miss.",
        Malignancy.MALIGNANT,
        "#C2477F",
    ),
    Diagnosis(
        "nv",
        "Melanocytic nevus",
        "A common mole: a harmless collection of pigment cells.",
        Malignancy.BENIGN,
        "#3B82C4",
    ),
    Diagnosis(
        "scc",
        "Squamous cell carcinoma",
        "A skin cancer of the outer skin's cells that can grow into deeper tissue and spread.",
        Malignancy.MALIGNANT,
        "#A63D2F",
    ),
    Diagnosis(
        "vasc",
        "Vascular lesion",
        "Harmless blood-vessel growths: angioma, angiokeratoma, pyogenic granuloma or a bleed.",
        Malignancy.BENIGN,
        "#4FB3BF",
    ),
    Diagnosis("benign", "Benign", "Judged benign.", Malignancy.BENIGN, "#3B82C4"),
    Diagnosis("malignant", "Malignant", "Judged malignant.", Malignancy.MALIGNANT, "#C2477F"),
)

DIAGNOSES: dict[str, Diagnosis] = {diagnosis.code: diagnosis for diagnosis in _DIAGNOSES}
HAM10000_CLASSES: tuple[str, ...] = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
# One-hot columns of the ISIC challenges that are not the taxonomy's code in capitals.
ISIC_CODES = {"ak": "akiec", "unk": None}


def get_diagnosis(code: str) -> Diagnosis:
    """Look a diagnosis up by its dataset code.

    Raises:
        ValueError: `code` is not in the taxonomy.

    >>> get_diagnosis("mel").suspicious
    True
    """
    try:
        return DIAGNOSES[code]
    except KeyError:
        raise ValueError(
            f"`code` must be one of {', '.join(DIAGNOSES)}; got {code!r}. "
            "Add the diagnosis to core/taxonomy.py first."
        ) from None


def suspicious_flags(classes: Sequence[str]) -> np.ndarray:
    """(K,) bool: which of `classes` are malignant, premalignant or in situ.

    >>> suspicious_flags(("mel", "nv")).tolist()
    [True, False]
    """
    return np.array([get_diagnosis(code).suspicious for code in classes], dtype=bool)
