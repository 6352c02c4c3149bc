"""Draw results on images: outlines, tints, heat maps; encode PNG files."""

from collections.abc import Sequence

import cv2
import numpy as np

from core.images.preprocessing import mask_picture

# Amber reads on every skin tone and to colour-blind eyes; RGB.
OUTLINE_COLOUR = (255, 176, 0)


FILL_COLOUR = (64, 156, 255)
THIN_COLOUR = np.float32((120, 220, 255))  # light blue beside the amber
FAINT = 0.4  # opacity of what was found and left out


def draw_overlay(
    image: np.ndarray,
    lesion_mask: np.ndarray,
    contour: np.ndarray,
    opacity: float = 0.0,
    other_spots: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Draw the lesion's outline on a copy of the image, and tint its inside.

    Args:
        image: (H, W, 3) uint8 RGB.
        lesion_mask: (H, W) bool.
        contour: (N, 2) of (x, y) in pixels; may be empty.
        opacity: of the tint, 0 to 1.
        other_spots: outlines like `contour` of spots that were left out; drawn faintly.
    """
    drawn = image.copy()
    if opacity > 0 and lesion_mask.any():
        tinted = image[lesion_mask] * (1 - opacity) + np.array(FILL_COLOUR) * opacity
        drawn[lesion_mask] = tinted.astype(np.uint8)
    if other_spots:
        faint = drawn.copy()
        for spot in other_spots:
            _draw_line(faint, spot, OUTLINE_COLOUR)
        drawn = cv2.addWeighted(drawn, 1 - FAINT, faint, FAINT, 0)
    if len(contour):
        _draw_line(drawn, contour, OUTLINE_COLOUR)
    return drawn


def draw_outlines(image: np.ndarray, masks: Sequence[tuple[np.ndarray, tuple[int, int, int]]]) -> np.ndarray:
    """Draw the outlines of masks on a copy of the image, each in its own colour.

    Args:
        image: (H, W, 3) uint8 RGB.
        masks: pairs of an (H, W) bool mask and an RGB colour; the last lies on top.
    """
    drawn = image.copy()
    for mask, colour in masks:
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            _draw_line(drawn, contour.reshape(-1, 2), colour)
    return drawn


def write_label(image: np.ndarray, text: str) -> np.ndarray:
    """A copy of (H, W, 3) uint8 RGB with a short text on a dark ground in its lower left corner."""
    drawn, scale = image.copy(), max(image.shape[:2]) / 420
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    top = drawn.shape[0] - height - 2 * below
    drawn[top:, : width + 2 * below] //= 3
    place = below, drawn.shape[0] - below
    cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)
    return drawn


def draw_thin_outlines(image: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
    """A copy of (H, W, 3) uint8 RGB with thin outlines of (h, w) bool masks in the same proportions."""
    drawn, scale = image.copy(), 2  # drawn at twice the size: a line that is thin even on a small picture
    height, width = (scale * side for side in image.shape[:2])
    lines = np.zeros((height, width), np.uint8)
    for mask in masks:
        factor = np.float32(width / mask.shape[1])
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        points = [np.round((contour + 0.5) * factor).astype(np.int32) for contour in contours]
        cv2.polylines(lines, points, True, 255, max(2, round(max(height, width) / 450)), cv2.LINE_AA)
    cover = cv2.resize(lines, image.shape[1::-1], interpolation=cv2.INTER_AREA)[..., None] / np.float32(255)
    return np.rint(drawn * (1 - cover) + THIN_COLOUR * cover).astype(np.uint8)


def _draw_line(drawn: np.ndarray, contour: np.ndarray, colour: tuple[int, int, int]) -> None:
    """A closed line with a dark rim, so that it shows on any skin; `contour` is (N, 2) of (x, y)."""
    width = max(1, round(max(drawn.shape[:2]) / 200))
    points = np.round(contour).astype(np.int32)[:, None, :]
    cv2.polylines(drawn, [points], True, (0, 0, 0), width + 2, cv2.LINE_AA)
    cv2.polylines(drawn, [points], True, colour, width, cv2.LINE_AA)


def blend_heatmap(image: np.ndarray, values: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Lay a (H, W) map in [0, 1] over (H, W, 3) uint8 RGB in a perceptually uniform colour scale."""
    levels = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return cv2.addWeighted(image, 1 - opacity, colours, opacity, 0)


def encode_png(array: np.ndarray) -> bytes:
    """PNG of (H, W, 3) uint8 RGB, (H, W) uint8, or (H, W) bool as 0/255."""
    if array.dtype == bool:
        array = mask_picture(array)
    if array.ndim == 3:
        array = cv2.cvtColor(array, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", array)[1].tobytes()
