"""How a lesion probability map is binarised, cleaned and outlined."""

from dataclasses import dataclass
from typing import Literal, get_args

ThresholdMethod = Literal["adaptive", "otsu", "fixed"]


@dataclass(frozen=True)
class RefinementSettings:
    """How a probability map is binarised. Shares of the short side scale with the image.

    `method`: "adaptive" (Otsu + local term + hysteresis), "otsu" (Otsu + hysteresis) or "fixed" (one
    plain threshold). Cleaning is the same for all three, so a comparison measures the threshold alone.
    """

    method: ThresholdMethod = "adaptive"
    # The usual cut of a sigmoid output; the baseline the other methods are compared with.
    fixed_threshold: float = 0.5
    # Otsu and the local term may move the cut within this range. The lower end is a convention: further
    # down a network trained with BCE + Dice describes its own uncertainty, not the border. The upper end
    # and the weight below did best on the validation split, by little: training/runs/ham10000/
    # validation_choices.json compares the methods.
    threshold_min: float = 0.35
    threshold_max: float = 0.5
    # Weight of the neighbourhood mean against Otsu's global cut, and the neighbourhood's half width. The
    # mean lies near 0.5 on a sharp border, so the term acts only where the map is locally faint or dense.
    local_weight: float = 0.1
    local_radius_share: float = 0.10
    # A region needs one pixel this likely, i.e. that the network itself calls lesion.
    seed_probability: float = 0.5
    # Radii of the cleaning discs: 4 and 3 px at 450 rows, about the width of a hair, which closing bridges.
    # The narrowest of 500 HAM10000 reference masks has an inscribed radius of 13 px; on those masks,
    # softened to a 256x192 network's resolution, cleaning and smoothing keep a mean Jaccard of 0.994.
    closing_radius_share: float = 0.009
    opening_radius_share: float = 0.007
    # Smoothing of the outline: 2.7 px at 450 rows. The reference masks were drawn with smooth outlines.
    smoothing_sigma_share: float = 0.006
    # How much a region loses at the far corner against one in the middle; lesions are photographed
    # centred, but a convincing region off centre must still win over a speck in the middle.
    centrality_weight: float = 0.3
    # The smallest of 1,500 HAM10000 reference masks covers 0.6 % of its image; a sixth of that is a speck.
    min_area_share: float = 0.001
    # A second spot of at least this share of the lesion's area may be another lesion and is reported.
    other_spot_share: float = 0.1

    def __post_init__(self) -> None:
        if self.method not in get_args(ThresholdMethod):
            raise ValueError(f"`method` must be one of {get_args(ThresholdMethod)}; got {self.method!r}.")
        if not 0 < self.threshold_min <= self.threshold_max < 1:
            raise ValueError(
                "`threshold_min` and `threshold_max` must satisfy 0 < min <= max < 1; "
                f"got {self.threshold_min} and {self.threshold_max}."
            )
        for name in ("fixed_threshold", "seed_probability"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"`{name}` must lie in (0, 1); got {getattr(self, name)}.")
        for name in ("local_weight", "centrality_weight", "min_area_share", "other_spot_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must lie in [0, 1]; got {getattr(self, name)}.")


REFINEMENT_SETTINGS = RefinementSettings()
