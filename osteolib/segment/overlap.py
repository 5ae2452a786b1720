"""How well segmentations agree: overlap and surfaces of two label maps, distances between distributions of them.

A label map holds 0 for background and 1 to ``n_classes - 1``; a distribution is N maps with weights that sum to 1, as
in Eqs. 1 to 3 of lee2025_hand. Generalized energy distance: Kohl et al., arXiv:1806.05034.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def iou(a: ArrayLike, b: ArrayLike, n_classes: int = 8) -> NDArray[np.float64]:
    """Intersection over union of each foreground class between all pairs of maps.

    Parameters
    ----------
    a, b
        Shapes (N, height, width) and (M, height, width), integers below n_classes.

    Returns
    -------
    Shape (N, M, n_classes - 1); NaN where neither map has the class. Dice is :func:`dice` of it.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim != 3 or b.ndim != 3 or a.shape[1:] != b.shape[1:]:
        raise ValueError(f"label maps (N, height, width) and (M, height, width) are needed, got {a.shape}, {b.shape}")
    if max(a.max(), b.max()) >= n_classes:
        raise ValueError(f"the maps hold the class {max(a.max(), b.max())}, but n_classes is {n_classes}")
    flat_a, flat_b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    values = np.full((len(a), len(b), n_classes - 1), np.nan)
    for c in range(1, n_classes):
        in_a, in_b = (flat_a == c).astype(np.float32), (flat_b == c).astype(np.float32)
        both = (in_a @ in_b.T).astype(float)
        either = in_a.sum(1)[:, None] + in_b.sum(1) - both
        np.divide(both, either, out=values[..., c - 1], where=either > 0)
    return values


def dice(iou: ArrayLike) -> NDArray[np.float64]:
    """2 IoU / (1 + IoU)."""
    return 2 * np.asarray(iou) / (1 + np.asarray(iou))


def distance(a: ArrayLike, b: ArrayLike, n_classes: int = 8) -> NDArray[np.float64]:
    """d = 1 - mean IoU over the foreground classes, shape (N, M). A class that neither map has counts as agreement, 1,
    as in the soft cost (:func:`osteolib.segment.transport.pair_cost`); d of two empty maps is 0."""
    return 1 - np.nan_to_num(iou(a, b, n_classes), nan=1.0).mean(2)


def ged_squared(a: ArrayLike, weights_a: ArrayLike, b: ArrayLike, weights_b: ArrayLike, n_classes: int = 8) -> float:
    """Squared generalized energy distance 2 E d(a, b) - E d(a, a') - E d(b, b') between two distributions.

    The expectations run over all pairs, a map with itself included: exact for the discrete distributions of Eqs. 2 and
    3, never negative, 0 where they are equal. As an estimate for the continuous law behind N draws of the latent it is
    biased upwards, by E d(a, a') / N.
    """
    p, q = np.asarray(weights_a, float), np.asarray(weights_b, float)
    across, within_a, within_b = (distance(x, y, n_classes) for x, y in ((a, b), (a, a), (b, b)))
    return float(2 * p @ across @ q - p @ within_a @ p - q @ within_b @ q)


def matched_iou(a: ArrayLike, weights_a: ArrayLike, b: ArrayLike, weights_b: ArrayLike, n_classes: int = 8) -> float:
    """Hungarian-matched IoU: mean IoU under the best matching of the two distributions, in [0, 1].

    With equal weights that is the assignment of both sets repeated to their least common multiple; the transport plan
    is its generalisation to any weights.
    """
    from osteolib.segment.transport import transport_plan

    d = distance(a, b, n_classes)
    return float(1 - (transport_plan(d, weights_b, weights_a) * d).sum())


def surface_distance(a: ArrayLike, b: ArrayLike, spacing: tuple[float, float]) -> tuple[float, float]:
    """Distances between the outlines of two masks, both ways together: their mean and 95th percentile.

    Parameters
    ----------
    a, b
        Shape (height, width), bool. An outline are the pixels of a mask with a neighbour outside it or the image.
    spacing
        Rows and columns, mm per pixel; the answer is in mm.

    Returns
    -------
    NaN, NaN where a mask is empty.
    """
    from scipy.ndimage import binary_erosion, distance_transform_edt

    outlines = [mask & ~binary_erosion(mask) for mask in (np.asarray(a, bool), np.asarray(b, bool))]
    if not all(outline.any() for outline in outlines):
        return float("nan"), float("nan")
    to_a, to_b = (distance_transform_edt(~outline, sampling=spacing) for outline in outlines)
    far = np.concatenate([to_b[outlines[0]], to_a[outlines[1]]])
    return float(far.mean()), float(np.percentile(far, 95))


def pixel_calibration(
    probability: ArrayLike, annotations: ArrayLike, beta: ArrayLike, n_bins: int = 10
) -> tuple[float, pd.DataFrame]:
    """Is a pixel's class right as often as its probability says? Expected calibration error, and its bins.

    Only pixels count in which the prediction or an annotation sees bone: the empty background would swamp them.

    Parameters
    ----------
    probability
        Mixture probabilities of one image, shape (n_classes, height, width).
    annotations, beta
        Shapes (M, height, width) and (M,). A pixel is right by the weight of the annotators who say so.
    n_bins
        Equally wide in the probability of the most probable class.

    Returns
    -------
    Sum over bins of ``share * |confidence - right|``, and a table of ``confidence, right, n``, empty bins left out; 0
    and an empty table where nobody sees bone.
    """
    probability, annotations = np.asarray(probability, float), np.asarray(annotations)
    predicted = probability.argmax(0)
    seen = (predicted > 0) | (annotations > 0).any(0)
    right = np.tensordot(np.asarray(beta, float), annotations == predicted, 1)[seen]
    confidence = probability.max(0)[seen]
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    table = pd.DataFrame({"confidence": confidence, "right": right, "n": 1}).groupby(bins)
    table = table.agg({"confidence": "mean", "right": "mean", "n": "sum"})
    error = (table["n"] * (table["confidence"] - table["right"]).abs()).sum() / max(seen.sum(), 1)
    return float(error), table


def effective_modules(pi: ArrayLike) -> float:
    """Module usage exp(H) of the mean routing weights (n, K): from 1, all images go to one module, to K, equal use."""
    from scipy.stats import entropy

    return float(np.exp(entropy(np.asarray(pi, float).mean(0))))
