"""What each member of the classifier answers by itself, where it looks, and what its attention lets through.

Everything comes from the features that an analysis kept; no network runs again.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.diagnosis.classification import Classification, softmax
from core.diagnosis.explanation import compute_saliency, spread_maps
from models.runtimes.head_parts import Member


def member_probabilities(members: Sequence[Member], temperature: float) -> np.ndarray:
    """(M, K) probabilities of each member alone, the mean over its views at the bundle's temperature."""
    return np.stack([softmax(member.logits.astype(np.float64) / temperature).mean(0) for member in members])


def disagreement(probabilities: np.ndarray) -> float:
    """Largest total variation distance between two members: 0 if all agree, 1 if they share no class.

    Args:
        probabilities: (M, K), rows sum to 1.

    >>> round(disagreement(np.array([[0.75, 0.25], [0.5, 0.5]])), 2)
    0.25
    """
    distances = np.abs(probabilities[:, None] - probabilities[None]).sum(axis=-1) / 2
    return float(distances.max())


class _MemberHead:
    """A head's gradient through one member alone: that of the others' features is 0."""

    def __init__(self, head: Any, channels: slice):
        self._head, self._channels = head, channels

    def gradient(self, features: np.ndarray, class_index: int) -> np.ndarray:
        whole = self._head.gradient(features, class_index)
        part = np.zeros_like(whole)
        part[..., self._channels] = whole[..., self._channels]
        return part


def member_saliency(
    head: Any, classification: Classification, member: Member, code: str, shape: tuple[int, int]
) -> np.ndarray:
    """(H, W) float32 in [0, 1]: Grad-CAM of one member, see `core.diagnosis.explanation.compute_saliency`."""
    return compute_saliency(_MemberHead(head, member.channels), classification, code, shape)


def attention_map(
    member: Member, classification: Classification, shape: tuple[int, int]
) -> np.ndarray | None:
    """The weights of spatial attention on the image, (h, w) in [0, 1] as `spread_maps`; None without attention."""
    if member.spatial_weight is None:
        return None
    return spread_maps(member.spatial_weight, classification.boxes, shape)


def strongest_channels(member: Member, classification: Classification, count: int = 3) -> list[int]:
    """Channels of the member that reach its last layer most: attention weight times mean value, largest first."""
    values = np.maximum(classification.features[..., member.channels], 0).mean(axis=(1, 2))
    weight = 1.0 if member.channel_weight is None else member.channel_weight
    return [int(channel) for channel in np.argsort(-(weight * values).mean(axis=0), kind="stable")[:count]]


def channel_map(
    member: Member, classification: Classification, channel: int, shape: tuple[int, int]
) -> np.ndarray:
    """Where one channel of a member is active, (h, w) in [0, 1] as `spread_maps`, largest value 1."""
    values = np.maximum(classification.features[..., member.channels][..., channel], 0)
    found = spread_maps(values, classification.boxes, shape)
    return found / max(float(found.max()), np.finfo(np.float32).eps)
