"""Drawn lesions in the layout of HAM10000: pictures for every page of the app where there is no dataset.

Each picture stands in for an image of HAM10000 and looks, roughly, like its class: lagoons for `vasc`, several
colours for `mel`. It shows no disease and is nobody's skin; `MARK` in the folder says so to people and to pages.
"""

import shutil
import tempfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from PIL import Image

from core.phantoms.lesions import PhantomSpec, draw_phantom

MARK: Final = "DRAWN.txt"
IMAGES: Final = "HAM10000_images_part_1"
MASKS: Final = "HAM10000_segmentations_lesion_tschandl"
TABLE: Final = "HAM10000_metadata.csv"
_COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
_NOTE = (
    "Every picture and mask in this folder was drawn by Dermalens; none is a patient's. The names and facts are "
    "those of HAM10000 images that the pictures stand in for.\n"
)
# Darker skin would hide some of the lesions' colours; `core.phantoms.lesions.random_spec` draws that too.
_TONES = ("very light", "light", "pink", "medium", "tan")
_THREADS = 2


@dataclass(frozen=True)
class Look:
    """How a class is drawn: colours to choose from, and limits of what is random."""

    colours: tuple[tuple[str, ...], ...]
    textures: tuple[str, ...]
    irregularity: tuple[float, float]
    asymmetry: tuple[float, float]
    edge_px: tuple[float, float] = (3.0, 7.0)


_LOOKS: Final[dict[str, Look]] = {
    "akiec": Look((("red", "light brown"), ("red", "white")), ("structureless",), (0.3, 0.7), (0.2, 0.6)),
    "bcc": Look(
        (("red", "blue-grey"), ("red", "white", "blue-grey")), ("structureless",), (0.2, 0.6), (0.2, 0.6)
    ),
    "bkl": Look(
        (("light brown",), ("light brown", "dark brown")), ("globules", "structureless"), (0.2, 0.6), (0, 0.4)
    ),
    "df": Look((("light brown", "white"),), ("network", "structureless"), (0.0, 0.3), (0.0, 0.2), (6.0, 9.0)),
    "mel": Look(
        (("dark brown", "black", "blue-grey"), ("dark brown", "light brown", "black", "red")),
        ("network", "globules"),
        (0.6, 0.95),
        (0.5, 0.95),
        (2.0, 5.0),
    ),
    "nv": Look(
        (("light brown", "dark brown"), ("dark brown",)), ("network", "globules"), (0.05, 0.35), (0.0, 0.35)
    ),
    "vasc": Look((("red",), ("red", "blue-grey")), ("lacunae",), (0.05, 0.3), (0.0, 0.3)),
}


def spec_of_class(code: str, seed: int) -> PhantomSpec:
    """What to draw for a class of HAM10000; the same arguments give the same lesion.

    Raises:
        ValueError: not a class of HAM10000.
    """
    if code not in _LOOKS:
        raise ValueError(f"`code` must be one of {', '.join(_LOOKS)}; got {code!r}.")
    rng, look = np.random.default_rng(seed), _LOOKS[code]
    return PhantomSpec(
        skin_tone=str(rng.choice(_TONES)),
        lesion_radius_share=float(rng.uniform(0.18, 0.34)),
        irregularity=float(rng.uniform(*look.irregularity)),
        asymmetry=float(rng.uniform(*look.asymmetry)),
        colours=look.colours[rng.integers(len(look.colours))],
        texture=str(rng.choice(look.textures)),
        edge_px=float(rng.uniform(*look.edge_px)),
        artefacts=tuple(name for name in ("hair", "dark corners") if rng.random() < 0.12),
    )


def write_dataset(
    root: Path,
    rows: pd.DataFrame,
    size_px: tuple[int, int] = (225, 300),
    on_drawn: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Draw a dataset; the same rows give the same pictures.

    Args:
        root: its folder, which appears when everything is drawn; one that is there already is left as it is.
        rows: HAM10000's columns, one row an image; images of one lesion show it mirrored.
        size_px: (height, width) of each picture.
        on_drawn: called with how many are drawn, and of how many.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        for folder in (IMAGES, MASKS):
            (made / folder).mkdir()
        views = rows.groupby("lesion_id").cumcount()
        jobs = list(zip(rows["image_id"], rows["lesion_id"], rows["dx"], views, strict=True))
        with ThreadPoolExecutor(_THREADS) as pool:
            for done, _ in enumerate(pool.map(lambda job: _draw(made, *job, size_px), jobs), start=1):
                on_drawn(done, len(jobs))
        rows[list(_COLUMNS)].to_csv(made / TABLE, index=False)
        (made / MARK).write_text(_NOTE)
        made.chmod(0o755)
        if not root.exists():
            made.rename(root)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return root


def is_drawn(root: Path) -> bool:
    """Whether a dataset's pictures were drawn by `write_dataset`."""
    return (root / MARK).is_file()


def _draw(root: Path, image_id: str, lesion_id: str, code: str, view: int, size_px: tuple[int, int]) -> None:
    seed = zlib.crc32(lesion_id.encode())
    phantom = draw_phantom(seed, size_px=size_px, spec=spec_of_class(code, seed))
    image, mask = phantom.image, phantom.lesion_mask
    for axis in (0, 1):
        if view >> axis & 1:
            image, mask = np.flip(image, axis), np.flip(mask, axis)
    Image.fromarray(np.ascontiguousarray(image)).save(root / IMAGES / f"{image_id}.jpg", quality=92)
    Image.fromarray(mask.astype(np.uint8) * 255).save(root / MASKS / f"{image_id}_segmentation.png")
