"""The diagnoses Dermalens knows: the only place for codes, names, malignancy and colours.

A model bundle states its own class list as codes; everything else about a class is looked up here, so
a bundle trained on HAM10000 (seven classes), ISIC 2019 (eight, with `scc`) or benign against malignant
works unchanged.

Reference:
    Tschandl, Rosendahl, Kittler (2018), Sci Data 5:180161, doi:10.1038/sdata.2018.161.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Malignancy(StrEnum):
    """How a diagnosis is counted; "suspicious" in names means malignant, premalignant or in situ."""

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
BINARY_CLASSES: tuple[str, ...] = ("benign", "malignant")  # premalignant and in situ count as malignant
# How data sets spell the codes out, in lower case and without punctuation, beside the names above.
_SPELLINGS = {
    "akiec": "ak, actinic keratosis, solar keratosis, solar or actinic keratosis, bowens disease, bowen disease, "
    "squamous cell carcinoma in situ, squamous cell carcinoma in situ bowens disease, scc in situ, "
    "intraepithelial carcinoma, intraepidermal carcinoma, actinic keratosis intraepidermal carcinoma",
    "bcc": "basalioma, basal cell carcinomas",
    "bkl": "benign keratosis like lesion, benign keratosis like lesions, pigmented benign keratosis, "
    "seborrheic keratosis, seborrhoeic keratosis, solar lentigo, ink spot lentigo, lichenoid keratosis, "
    "lichen planus like keratosis, benign keratinocytic lesion, clear cell acanthoma",
    "df": "dermatofibromas, histiocytoma, fibrous histiocytoma",
    "mel": "malignant melanoma, melanoma in situ, melanoma invasive, invasive melanoma, melanoma metastasis, "
    "nodular melanoma, superficial spreading melanoma, lentigo maligna, lentigo maligna melanoma, "
    "acral lentiginous melanoma, amelanotic melanoma",
    "nv": "nevus, nevi, melanocytic nevi, mole, benign nevus, blue nevus, dysplastic nevus, atypical nevus, "
    "spitz nevus, reed nevus, clark nevus, congenital nevus, compound nevus, junctional nevus, dermal nevus, "
    "intradermal nevus, combined nevus, acral nevus, recurrent nevus, common nevus",
    "scc": "sccka, keratoacanthoma, squamous cell carcinoma invasive, invasive squamous cell carcinoma, "
    "squamous cell carcinoma keratoacanthoma",
    "vasc": "vascular, vascular lesions, vascular lesions and hemorrhage, angioma, cherry angioma, hemangioma, "
    "haemangioma, angiokeratoma, pyogenic granuloma",
}
# "Nevus, Spitz" is a melanocytic nevus; these are nevi of other cells.
_OTHER_NEVI = ("sebaceous", "epidermal", "verrucous", "flammeus", "comedonicus", "anemicus", "araneus")
_NO_LABEL = ("", "unk", "unknown", "not known", "not given", "nan", "none", "na", "n a", "null", "undefined")


def _plain(label: str) -> str:
    """Lower case, American spelling, words alone."""
    words = re.sub(r"[\W_]+", " ", re.sub(r"['\u2019]", "", str(label).lower())).strip()
    return words.replace("naev", "nev").removesuffix(" nos")


_CODE_OF = {_plain(word): code for code, text in _SPELLINGS.items() for word in text.split(", ")}
_CODE_OF |= {_plain(name): d.code for d in _DIAGNOSES for name in (d.name, d.code)}


def read_code(label: str) -> str:
    """The code that a label stands for, however it is written.

    Returns:
        A code of `DIAGNOSES`; "" where the label says that nothing is known; else the label itself in
        lower case, so that it can be reported.

    >>> read_code(" MEL "), read_code("Nevus, NOS, Compound"), read_code("AK"), read_code("UNK"), read_code("Wart")
    ('mel', 'nv', 'akiec', '', 'wart')
    """
    words = _plain(label)
    if words in _CODE_OF or words in _NO_LABEL:
        return _CODE_OF.get(words, "")
    if words.startswith("nevus ") and not any(word in words for word in _OTHER_NEVI):
        return "nv"
    return " ".join(str(label).lower().split())


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


def codes_among(codes: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Each code as one of a bundle's `classes`: itself, or "benign" or "malignant" where those are the classes; else "".

    >>> codes_among(["mel", "scc", ""], ("mel", "nv")), codes_among(["akiec", "nv", ""], BINARY_CLASSES)
    (['mel', '', ''], ['malignant', 'benign', ''])
    """
    if tuple(classes) != BINARY_CLASSES:
        return [code if code in classes else "" for code in codes]
    return [BINARY_CLASSES[DIAGNOSES[code].suspicious] if code in DIAGNOSES else "" for code in codes]
