"""Each augmentation on its own, at both ends of its range, and all together: to look at, not to train.

The images come from the functions that training uses; only the random draws are fixed.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from core.images.preprocessing import Box
from training.data.augmentation import Augmentation, augment_window

NOTHING = Augmentation(
    flip=False,
    rotation_degrees=0.0,
    zoom=(1.0, 1.0),
    **dict.fromkeys(("stretch", "shift", "shear", "brightness", "contrast", "saturation"), 0.0),
    **dict.fromkeys(("channel_gain", "gamma", "vignette", "blur", "overlay", "corruption"), 0.0),
)
PARAMETERS = tuple(field.name for field in fields(Augmentation))
# Given by how often it happens, not by how much.
BY_CHANCE = ("flip", "vignette", "blur", "overlay", "corruption")


class FixedDraws:
    """Stands in for a numpy Generator: every draw lies at one place of its range.

    Args:
        place: -1 is a range's lower end, 0 its middle, +1 its upper end. Of several numbers drawn at once
            every other one lies opposite, so that colour channels move apart and shifts go sideways.
    """

    def __init__(self, place: float):
        self.place = place

    def uniform(self, low: float, high: float, size: int | None = None) -> Any:
        sign = 1.0 if size is None else np.where(np.arange(size) % 2, -1.0, 1.0)
        return (low + high) / 2 + sign * self.place * (high - low) / 2

    def random(self) -> float:
        """An event of any probability occurs at places above 0."""
        return 0.0 if self.place > 0 else 1.0


@dataclass(frozen=True)
class Example:
    """What one augmentation does.

    Attributes:
        parameter: a field of `Augmentation`.
        low, high: (S, S, 3) uint8 RGB at both places of its range; without and with it where it happens by
            chance.
        low_label, high_label: how much, as text.
    """

    parameter: str
    low: np.ndarray
    high: np.ndarray
    low_label: str
    high_label: str


def read_augmentation(settings: dict[str, Any]) -> Augmentation:
    """The augmentation of a run's config.json; fields that it does not name keep their defaults."""
    known = {name: value for name, value in settings.items() if name in PARAMETERS}
    if "zoom" in known:
        known["zoom"] = tuple(known["zoom"])
    return Augmentation(**known)


def draw_examples(image: np.ndarray, strength: Augmentation, share: float, size_px: int) -> list[Example]:
    """Each parameter alone, at `share` (0 to 1) of its range to either side of nothing."""
    return [_draw_example(image, name, strength, share, size_px) for name in PARAMETERS]


def draw_samples(
    image: np.ndarray, strength: Augmentation, seed: int, n_samples: int, size_px: int
) -> list[np.ndarray]:
    """`n_samples` squares of the whole image as training sees them, (S, S, 3) uint8."""
    return [augment(image, strength, np.random.default_rng((seed, n)), size_px) for n in range(n_samples)]


def augment(image: np.ndarray, strength: Augmentation, rng: Any, size_px: int) -> np.ndarray:
    """(S, S, 3) uint8: the whole image through geometry and appearance, as in training.data.batches."""
    return augment_window(image, Box.whole(image), size_px, strength, rng)[0]


def _draw_example(
    image: np.ndarray, name: str, strength: Augmentation, share: float, size_px: int
) -> Example:
    value = getattr(strength, name)
    certain = {"flip": True}.get(name, 1.0) if name in BY_CHANCE else value
    alone = replace(NOTHING, **{name: certain})
    low, high = (augment(image, alone, FixedDraws(place), size_px) for place in (-share, share))
    return Example(name, low, high, *(_label(name, value, place) for place in (-share, share)))


def _label(name: str, value: Any, place: float) -> str:
    """How much a parameter changes at a place of its range; see `Augmentation` for the units."""
    if name in BY_CHANCE:
        chance = 0.5 * value if name == "flip" else value
        return f"{chance:.0%} of the time" if place > 0 else "as it is"
    if name == "zoom":
        return f"× {np.exp(FixedDraws(place).uniform(*np.log(value))):.2f}"
    amount = place * value
    if name == "gamma":
        return f"exponent {np.exp(amount):.2f}"
    if name == "stretch":
        return f"width : height {np.exp(amount):.2f}"
    if name == "channel_gain":
        return f"red, blue {_signed(amount)}, green {_signed(-amount)}"
    if name == "rotation_degrees":
        return f"{amount:+.0f}°".replace("-", "−")
    return _signed(amount)


def _signed(share: float) -> str:
    return f"{share:+.1%}".replace("-", "−")
