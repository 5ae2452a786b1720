"""Found hips held against the true masks: overlap of each class, what was found at all, where the square lies."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from torch import nn

from osteolib.phantoms.hip.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.segment.hip_instances import BITS
from osteolib.segment.hip_squares import half_of_film, hip_square
from osteolib.segment.mask_rcnn import HipFound, find_hips

KEPT = ("subject_id", "image_id", "unit_id", "side", "split_group", "obstructed", "obstacle", "t_score", "spacing_mm")


def overlap(a: ArrayLike, b: ArrayLike) -> float:
    """Intersection over union of two masks of one shape; NaN where both are empty."""
    a, b = np.asarray(a, bool), np.asarray(b, bool)
    if a.shape != b.shape:
        raise ValueError(f"two masks of one shape are needed, got {a.shape} and {b.shape}")
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else float("nan")


def judge(found: HipFound, truth: NDArray[np.uint8]) -> dict[str, float | bool | str]:
    """One hip against the bit flags (height, width) of its film.

    Returns
    -------
    ``score_<class>``; ``there_<class>``, whether the film has it; ``found_<class>``; ``iou_<class>``, 0 for one that
    was missed, NaN where the hip has none; ``off_px``, the largest shift of an edge of the square from the one by the
    true mask, NaN without a square; ``iou_square``; ``flagged`` (metal found); ``reason`` for the lack of a square.
    """
    half = half_of_film(truth.shape[1], found.side)
    row = {"flagged": found.obstructed, "reason": found.reason}
    for name, flag in BITS.items():
        own = np.zeros(truth.shape, bool)
        own[:, half] = (truth[:, half] & flag) > 0
        there = bool(own.any())
        seen = found.masks.get(name)
        row |= {
            f"score_{name}": found.scores[name],
            f"there_{name}": there,
            f"found_{name}": seen is not None,
            f"iou_{name}": (overlap(seen, own) if seen is not None else 0.0) if there else float("nan"),
        }
        if name == "femur":
            femur = own
    row |= {"off_px": float("nan"), "iou_square": float("nan")}
    if found.square and femur.any():
        true = hip_square(femur, found.side)
        row["off_px"] = float(np.abs(np.subtract(found.square, true)).max())
        row["iou_square"] = _boxes_overlap(found.square, true)
    return row


def _boxes_overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    wide, high = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) for k in (0, 1))
    both = max(wide, 0) * max(high, 0)
    return both / (sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)) - both)


def outline_room(mask: ArrayLike, spacing_mm: float, least: float) -> float:
    """By how many mm an outline may lie too far inside, everywhere, before its IoU falls below ``least``.

    To first order: (1 - least) times area by perimeter, which is half the radius of a disc and half the width of a
    long bar. NaN for an empty mask.
    """
    from skimage.measure import perimeter_crofton

    mask = np.asarray(mask, bool)
    if not mask.any():
        return float("nan")
    return float((1 - least) * mask.sum() * spacing_mm / perimeter_crofton(np.pad(mask, 1), 4))


def judged_hips(model: nn.Module, hips: pd.DataFrame, columns: int) -> pd.DataFrame:
    """:func:`judge` of every hip of a rendered phantom cohort's rows, one film after the other, in their order."""
    rows = {}
    for image, film in hips.groupby("image_id", sort=False):
        truth = read_masks(film["masks_path"].iloc[0], image)
        for found in find_hips(model, read_radiograph(film["path"].iloc[0]).pixels, columns):
            for at in film.index[film["side"] == found.side]:
                rows[at] = judge(found, truth)
    known = hips[[name for name in KEPT if name in hips]]
    return known.join(pd.DataFrame.from_dict(rows, orient="index"))
