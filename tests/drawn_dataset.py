"""A dataset of drawn lesions in the layout of HAM10000, under ids that the split file and predictions know."""

from pathlib import Path

import numpy as np
from PIL import Image

from core.datasets.ham10000 import METADATA_COLUMNS
from core.phantoms.lesions import draw_phantom

# A nevus and two images of one melanoma of the test split; two images of one melanoma of the train split.
ROWS = (
    ("HAM_0000550", "ISIC_0024306", "nv", "follow_up", "45", "male", "trunk"),
    ("HAM_0003350", "ISIC_0024310", "mel", "histo", "60", "male", "chest"),
    ("HAM_0007538", "ISIC_0024315", "mel", "histo", "55", "male", "trunk"),
    ("HAM_0003350", "ISIC_0027300", "mel", "histo", "", "female", "chest"),
    ("HAM_0007538", "ISIC_0031941", "mel", "histo", "55", "male", "trunk"),
)
MASKS = "HAM10000_segmentations_lesion_tschandl"


def write_dataset(root: Path) -> Path:
    """Draw it; every image has its exact mask."""
    images = root / "HAM10000_images_part_1"
    images.mkdir(parents=True)
    (root / MASKS).mkdir()
    for seed, (_, image_id, *_) in enumerate(ROWS):
        phantom = draw_phantom(seed, size_px=(90, 120))
        Image.fromarray(phantom.image).save(images / f"{image_id}.jpg", quality=95)
        mask = Image.fromarray(phantom.lesion_mask.astype(np.uint8) * 255)
        mask.save(root / MASKS / f"{image_id}_segmentation.png")
    lines = [",".join(METADATA_COLUMNS), *(",".join(row) for row in ROWS)]
    (root / "HAM10000_metadata.csv").write_text("\n".join(lines) + "\n")
    return root
