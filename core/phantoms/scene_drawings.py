"""Documents and simple scenes for `core.phantoms.scenes`, drawn with OpenCV: each (rng, (height, width)) -> (H, W, 3).

Values are grey levels from 0 to 255, uint8 or float; the caller adds a camera's noise and rounds.
"""

from itertools import pairwise

import cv2
import numpy as np

from core.phantoms.lesions import SKIN_TONES

Size = tuple[int, int]
_LETTERS = np.array(list("abcdefghijklmnoprstuvwyABDEGHLMPRST0123456789"))


# --- documents --------------------------------------------------------------------------------------
def draw_text(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """A page of printed lines under a heading."""
    page = _draw_paper(rng, size_px)
    height, width = size_px
    font_px = rng.uniform(0.03, 0.06) * height
    ink = rng.uniform(0, 90, 3)
    y, margin = 2.2 * font_px, rng.uniform(0.05, 0.12) * width
    _write(page, "".join(rng.choice(_LETTERS, 14)), margin, y, 1.7 * font_px, ink)
    while (y := y + 1.9 * font_px) < height - font_px:
        words = ["".join(rng.choice(_LETTERS, rng.integers(2, 10))) for _ in range(30)]
        length = int((width - 2 * margin) / (0.62 * font_px))
        _write(page, " ".join(words)[: int(length * rng.uniform(0.7, 1))], margin, y, font_px, ink)
    return _tilt(page, rng)


def draw_form(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """A ruled table with numbers in its cells."""
    page = _draw_paper(rng, size_px)
    height, width = size_px
    rows, columns = int(rng.integers(6, 14)), int(rng.integers(3, 7))
    ink = rng.uniform(0, 90, 3)
    x, y = np.linspace(0.06, 0.94, columns + 1) * width, np.linspace(0.06, 0.94, rows + 1) * height
    for at in y:
        cv2.line(page, _point(x[0], at), _point(x[-1], at), ink, 1, cv2.LINE_AA)
    for at in x:
        cv2.line(page, _point(at, y[0]), _point(at, y[-1]), ink, 1, cv2.LINE_AA)
    for left in x[:-1]:
        for bottom in y[1:]:
            number = f"{rng.integers(10_000)}"
            _write(page, number, left + 0.02 * width, bottom - 0.02 * height, 0.5 * (y[1] - y[0]), ink)
    return _tilt(page, rng)


def draw_chart(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """A bar chart on a white slide."""
    height, width = size_px
    slide = _canvas(size_px, rng.uniform(235, 255))
    edges = np.linspace(0.1, 0.95, int(rng.integers(4, 10)) + 1) * width
    for left, right in pairwise(edges):
        top = rng.uniform(0.1, 0.75) * height
        corners = _point(left, top), _point(right - 0.25 * (right - left), 0.88 * height)
        cv2.rectangle(slide, *corners, random_colour(rng), -1)
    cv2.line(slide, _point(0.08 * width, 0.88 * height), _point(0.97 * width, 0.88 * height), (40, 40, 40), 2)
    _write(slide, "".join(rng.choice(_LETTERS, 12)), 0.1 * width, 0.07 * height, 0.05 * height, (30, 30, 30))
    return slide


# --- simple scenes ----------------------------------------------------------------------------------
def draw_landscape(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """Sky, sun, hills and trees."""
    height, width = size_px
    y = np.linspace(0, 1, height)[:, None, None] * np.ones((1, width, 1))
    image = ((1 - y) * [110, 165, 235] + y * [225, 235, 250]).astype(np.uint8)
    sun = _point(rng.uniform(0, width), rng.uniform(0.05, 0.3) * height)
    cv2.circle(image, sun, round(0.07 * height), (255, 240, 170), -1)
    x = np.linspace(0, 1, width)
    for depth in range(3):
        waves = np.sin(rng.uniform(3, 9) * x + rng.uniform(0, 6)) + np.sin(rng.uniform(9, 20) * x)
        crest = height * (0.5 + 0.13 * depth + 0.05 * waves)
        below = np.arange(height)[:, None] > crest[None]
        image[below] = np.array([70, 135, 65]) * (1.1 - 0.25 * depth)
    for at in rng.uniform(0, width, int(rng.integers(2, 7))):
        size = rng.uniform(0.05, 0.12) * height
        foot = rng.uniform(0.7, 0.95) * height
        cv2.rectangle(
            image, _point(at - 0.15 * size, foot - size), _point(at + 0.15 * size, foot), (95, 65, 45), -1
        )
        cv2.circle(
            image, _point(at, foot - 1.6 * size), round(size), (45, rng.uniform(80, 140), 50), -1, cv2.LINE_AA
        )
    return image


def draw_building(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """A house front: rows of windows, a roof and a door before the sky."""
    height, width = size_px
    image = _canvas(size_px, random_colour(rng, 150, 245))
    left, right, top = rng.uniform(0.05, 0.25) * width, rng.uniform(0.75, 0.95) * width, 0.3 * height
    roof = np.array([_point(left, top), _point(right, top), _point((left + right) / 2, 0.06 * height)])
    cv2.fillPoly(image, [roof], random_colour(rng, 60, 160))
    cv2.rectangle(image, _point(left, top), _point(right, height), random_colour(rng, 90, 220), -1)
    glass, columns = random_colour(rng, 30, 120), int(rng.integers(3, 7))
    step = (right - left) / columns
    for row in np.arange(0.36, 0.8, 0.2) * height:
        for x in left + step * (np.arange(columns) + 0.25):
            cv2.rectangle(image, _point(x, row), _point(x + 0.5 * step, row + 0.12 * height), glass, -1)
    door = (left + right) / 2
    cv2.rectangle(
        image, _point(door, 0.82 * height), _point(door + 0.6 * step, height), random_colour(rng, 20, 100), -1
    )
    return image


def draw_still_life(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """Balls, boxes and cups on a table, each with a light side."""
    height, width = size_px
    image = _canvas(size_px, random_colour(rng, 120, 230))
    image[round(0.55 * height) :] = random_colour(rng, 70, 200)
    for _ in range(int(rng.integers(4, 9))):
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.45, 0.85) * height
        size, colour = rng.uniform(0.06, 0.16) * height, np.array(random_colour(rng))
        if rng.random() < 0.4:
            for share in np.linspace(1, 0.1, 12):  # a ball, lighter towards its highlight
                middle = _point(x - 0.35 * size * (1 - share), y - 0.35 * size * (1 - share))
                cv2.circle(image, middle, max(1, round(size * share)), colour * (1.5 - 0.7 * share), -1)
        else:
            cv2.rectangle(image, _point(x - size, y - 1.6 * size), _point(x + 0.4 * size, y), colour, -1)
            cv2.rectangle(
                image, _point(x + 0.4 * size, y - 1.6 * size), _point(x + size, y), 0.65 * colour, -1
            )
            if rng.random() < 0.5:
                cv2.ellipse(
                    image,
                    _point(x - 0.3 * size, y - 1.6 * size),
                    _point(0.7 * size, 0.25 * size),
                    0,
                    0,
                    360,
                    1.25 * colour,
                    -1,
                )
    return image


def draw_face(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """A drawn head with hair, eyes and mouth, in a skin tone."""
    height, width = size_px
    image = _canvas(size_px, random_colour(rng))
    tone = np.array(list(SKIN_TONES.values())[rng.integers(len(SKIN_TONES))], float)
    centre, half = np.array([width / 2, 0.55 * height]), rng.uniform(0.26, 0.4) * height

    def oval(dx: float, dy: float, a: float, b: float, colour, start=0, end=360, thickness=-1) -> None:
        middle = _point(*(centre + half * np.array([dx, dy])))
        cv2.ellipse(image, middle, _point(half * a, half * b), 0, start, end, colour, thickness, cv2.LINE_AA)

    oval(0, 1.6, 1.5, 0.8, random_colour(rng))
    oval(0, -0.15, 0.95, 1.15, rng.uniform(20, 140) * np.array([1, 0.75, 0.5]))
    oval(0, 0.05, 0.78, 1.0, tone)
    for side in (-0.32, 0.32):
        oval(side, -0.1, 0.15, 0.09, (245, 245, 245))
        oval(side, -0.1, 0.07, 0.08, random_colour(rng, 20, 120))
        oval(side, -0.33, 0.2, 0.05, 0.4 * tone)
    oval(0, 0.2, 0.1, 0.16, 0.85 * tone)
    oval(0, 0.5, 0.3, 0.14, (170, 70, 75), 0, 180)
    return image


# --- shared parts -----------------------------------------------------------------------------------
def _draw_paper(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """White to yellowish paper in uneven light."""
    light = 1 - 0.12 * draw_ramp(rng, size_px)
    return (light[..., None] * rng.uniform([225, 222, 200], 255)).astype(np.uint8)


def _tilt(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The page turned by a few degrees, as from a hand-held camera."""
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 3), 1.0)
    return cv2.warpAffine(page, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def draw_ramp(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """(H, W) float in [0, 1], rising in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: size_px[0], : size_px[1]] / min(size_px)
    values = x * np.cos(angle) + y * np.sin(angle)
    return (values - values.min()) / np.ptp(values)


def _canvas(size_px: Size, colour) -> np.ndarray:
    """(H, W, 3) uint8 of one colour; OpenCV draws smooth lines and text on uint8 only."""
    return np.full((*size_px, 3), colour).astype(np.uint8)


def random_colour(rng: np.random.Generator, low: float = 10, high: float = 245) -> tuple[float, ...]:
    """R, G and B, each between the limits."""
    return tuple(rng.uniform(low, high, 3))


def _write(image: np.ndarray, text: str, x: float, y: float, height_px: float, colour) -> None:
    scale = height_px / 30  # Hershey's capitals are about 21 px high at scale 1, with their descent 30
    cv2.putText(image, text, _point(x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, tuple(colour), 1, cv2.LINE_AA)


def _point(x: float, y: float) -> tuple[int, int]:
    return round(float(x)), round(float(y))
