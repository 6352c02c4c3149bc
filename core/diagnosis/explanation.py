"""Class -> where the classifier looked: Grad-CAM, and Grad-CAM++ through tf-keras-vis. Structure -> where its probe saw it.

The forward pass already left its feature maps in the `Classification`; gradients run through the small
head alone, so any class costs a few milliseconds and no further pass through the backbone.

A heatmap shows which regions increased the score. It is neither a lesion outline nor a dermoscopic criterion.

Reference:
    Selvaraju et al. (2017), Grad-CAM, arXiv:1610.02391; Chattopadhay et al. (2018), Grad-CAM++,
    arXiv:1710.11063. We compute the map in every view of the test-time augmentation, turn it back and
    average over views and windows, which makes it finer than one 6 x 6 map and equivariant to the views.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from core.diagnosis.classification import Classification
from core.diagnosis.structures import StructureProbe, sigmoid
from core.images.preprocessing import OUTLINE_SIDE_PX, Box, limit_shape
from core.images.symmetry import merge_views
from core.lesion.segmentation import stretch_map

METHODS = ("gradcam", "gradcam++")
# The maps are taken at the head's first layer, i.e. at the backbone's last feature map; the name is that
# of models.efficientnet.FEATURES_LAYER, which cannot be imported without TensorFlow.
_TARGET_LAYER = "features"
FEATHER = 0.15  # convention: about one cell of a 6 x 6 feature map


def compute_view_maps(head: Any, features: np.ndarray, class_index: int, method: str) -> np.ndarray:
    """Class activation maps of a batch of feature maps.

    Args:
        head: see `models.loading.Head`.
        features: (N, h, w, C) float32.
        class_index: which logit to explain.
        method: of `METHODS`.

    Returns:
        (N, h, w) float32, non-negative and not normalised; 0 where the gradient is 0.

    Raises:
        ValueError: unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}; got {method!r}.")
    if method == "gradcam":
        weights = head.gradient(features, class_index).mean(axis=(1, 2), keepdims=True)
        maps = np.maximum((weights * features).sum(axis=-1), 0)
    else:
        maps = _gradcam_plus_plus(head.model, features, class_index)
    return np.nan_to_num(np.asarray(maps, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _gradcam_plus_plus(model: Any, features: np.ndarray, class_index: int) -> np.ndarray:
    """(N, h, w) of a Keras model that begins with a layer "features"; imports TensorFlow."""
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.utils.scores import CategoricalScore

    return GradcamPlusPlus(model, clone=False)(
        CategoricalScore([class_index] * len(features)),
        features,
        penultimate_layer=_TARGET_LAYER,
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )


def compute_saliency(
    head: Any,
    classification: Classification,
    code: str,
    shape: tuple[int, int],
    method: str = "gradcam",
) -> np.ndarray:
    """Saliency of one class over the whole image.

    Args:
        head: see `compute_view_maps`.
        classification: its features and windows are used.
        code: the class to explain.
        shape: (H, W) of the image.
        method: of `METHODS`.

    Returns:
        (H, W) float32 in [0, 1], largest value 1; all 0 if no region increased the score.

    Raises:
        ValueError: `code` is not a class of the bundle, or the method is unknown.
    """
    if code not in classification.classes:
        raise ValueError(f"`code` must be one of {', '.join(classification.classes)}; got {code!r}.")
    maps = compute_view_maps(head, classification.features, classification.classes.index(code), method)
    mean = spread_maps(maps, classification.boxes, shape)
    peak = float(mean.max())
    return stretch_map(mean / peak if peak > 0 else mean, shape)


def spread_maps(maps: np.ndarray, boxes: Sequence[Box], shape: tuple[int, int]) -> np.ndarray:
    """Maps of all views of all windows, turned back, put where they lie and averaged.

    Args:
        maps: (V, h, w), not negative, window after window as in `Classification.features`.
        boxes: the windows, in pixels of the image.
        shape: (H, W) of the image.

    Returns:
        The mean at `OUTLINE_SIDE_PX` at most, float32; 0 where no window lies.
    """
    windows = np.split(maps, len(boxes))
    shrink = min(1.0, OUTLINE_SIDE_PX / max(shape))
    small = round(shape[0] * shrink), round(shape[1] * shrink)
    scaled = [box.scaled(small[1] / shape[1], small[0] / shape[0]) for box in boxes]
    weights = [window_weight(box, small) for box in scaled]
    pasted = [paste_map(merge_views(views), box, small) for views, box in zip(windows, scaled, strict=True)]
    covered = np.maximum(sum(weights), np.finfo(np.float32).eps)
    return sum(weight * values for weight, values in zip(weights, pasted, strict=True)) / covered


def compute_evidence(
    probe: StructureProbe, classification: Classification, name: str, shape: tuple[int, int]
) -> np.ndarray:
    """Where in the image a structure's probe finds it: the class activation map of a linear model.

    The probe is linear and the features are averaged over the map, so its log-odds are the mean of those of the map's
    cells: each place gets the probability that the whole image would have if all of it looked like that place.

    Args:
        probe: of the bundle that answered.
        classification: its features of the first window are used, all views of it.
        name: of `probe.names`.
        shape: (H, W) of the image.

    Returns:
        (H, W) float32 in [0, 1], not scaled to its largest value; 0 outside the window.

    Raises:
        ValueError: the probe does not know that structure.

    Reference:
        Zhou et al. (2016), Learning deep features for discriminative localization, arXiv:1512.04150.
    """
    if name not in probe.names:
        raise ValueError(f"`name` must be one of {', '.join(probe.names)}; got {name!r}.")
    views = np.split(classification.features, len(classification.boxes))[0]
    logits = probe.logits(views)[..., probe.names.index(name)]
    small = limit_shape(shape, OUTLINE_SIDE_PX)
    box = classification.boxes[0].scaled(small[1] / shape[1], small[0] / shape[0])
    pasted = paste_map(sigmoid(merge_views(logits)), box, small)
    return stretch_map(np.minimum(pasted, 1), shape)


def window_weight(box: Box, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) float32: how much a window counts at each pixel.

    1 in its middle, falling to 0 at its edge over `FEATHER` of its side, 0 outside: where two windows
    overlap their mean has no step.
    """

    def ramp(low: float, high: float, length: int) -> np.ndarray:
        centres = np.arange(length) + 0.5
        inside = np.minimum(centres - low, high - centres) / (FEATHER * (high - low))
        return np.clip(inside, 0.0, 1.0).astype(np.float32)

    return np.outer(ramp(box.y0, box.y1, shape[0]), ramp(box.x0, box.x1, shape[1]))


def paste_map(square: np.ndarray, box: Box, shape: tuple[int, int]) -> np.ndarray:
    """Put a (h, w) map that covers `box` into an image of (H, W), 0 outside the box, float32 >= 0."""
    height, width = square.shape
    scale_x, scale_y = width / box.width_px, height / box.height_px
    image_to_square = np.array(
        [
            [scale_x, 0.0, (0.5 - box.x0) * scale_x - 0.5],
            [0.0, scale_y, (0.5 - box.y0) * scale_y - 0.5],
        ]
    )
    pasted = cv2.warpAffine(
        square.astype(np.float32),
        image_to_square,
        (shape[1], shape[0]),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    rows, columns = np.arange(shape[0]) + 0.5, np.arange(shape[1]) + 0.5
    inside = np.outer((rows >= box.y0) & (rows <= box.y1), (columns >= box.x0) & (columns <= box.x1))
    return np.where(inside, np.maximum(pasted, 0), 0).astype(np.float32)
