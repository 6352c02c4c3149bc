"""Colour profiles made of primaries and a tone curve, and pictures in their colours, for the tests."""

import struct

import numpy as np

SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
PROPHOTO = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def to_xyz_d50(primaries: tuple, white: tuple = D65) -> np.ndarray:
    """(3, 3) linear RGB -> XYZ under D50, by Bradford's adaptation."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    source, target = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in (white, D50))
    matrix = columns * np.linalg.solve(columns, source)
    gains = (_BRADFORD @ target) / (_BRADFORD @ source)
    return np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD @ matrix


def linear(levels: np.ndarray) -> np.ndarray:
    """SRGB levels, 0 to 255, as linear light in [0, 1]."""
    share = levels / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def in_colours_of(pixels: np.ndarray, primaries: tuple, gamma: float, white: tuple = D65) -> np.ndarray:
    """(H, W, 3) uint8 sRGB as the same colours in another space; gamma 0 stands for sRGB's curve."""
    matrix = np.linalg.inv(to_xyz_d50(primaries, white)) @ to_xyz_d50(SRGB)
    light = np.clip(linear(pixels) @ matrix.T, 0, 1)
    srgb_curve = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * (light ** (1 / gamma) if gamma else srgb_curve)).astype(np.uint8)


def make_profile(primaries: tuple, gamma: float, white: tuple = D65) -> bytes:
    """An ICC 4 display profile for RGB."""
    matrix = to_xyz_d50(primaries, white)
    tags = {b"wtpt": _xyz(np.array([0.9642, 1, 0.8249]))}
    tags |= {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma))
    return _pack(tags, b"RGB ")


def make_grey_profile(gamma: float) -> bytes:
    return _pack({b"wtpt": _xyz(np.array([0.9642, 1, 0.8249])), b"kTRC": _curve(gamma)}, b"GRAY")


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *np.rint(values * 65536).astype(int))


def _curve(gamma: float) -> bytes:
    numbers = [gamma] if gamma else [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]
    kind = 0 if gamma else 3
    return b"para\0\0\0\0" + struct.pack(f">HH{len(numbers)}i", kind, 0, *(round(n * 65536) for n in numbers))


def _pack(tags: dict[bytes, bytes], space: bytes) -> bytes:
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    illuminant = struct.pack(">3i", 63190, 65536, 54061)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"none", 0x04200000, b"mntr", space, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + illuminant
    return header.ljust(128, b"\0") + table + body
