"""Bones without a segmentation: a capsule around each axis that keypoints give, as a label map for ``bone_images``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.segment.prompts import HALF_WIDTH, Axis

BEYOND = 0.05  # of the axis's length, past each end: keypoints lie in the head, not at its edge; assumption


def capsules(axes: Mapping[str, Axis], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Label map with one capsule per axis: what is closer to it than ``HALF_WIDTH`` of its length, with round ends.

    In units of the axis all capsules of a bone are alike, whatever the hand: their outline says nothing about it. Where
    two meet, a pixel goes to the axis that is nearer in units of the half width.

    Parameters
    ----------
    axes
        From :func:`osteolib.segment.prompts.axes_from_keypoints`; a bone without axis gets no capsule.
    shape
        (height, width) of the film.

    Returns
    -------
    Shape ``shape``, 0 and 1 to 7 in the order of BONES. A capsule that leaves the film is cut off by its edge.

    Raises
    ------
    ValueError
        An axis is not finite or has no length.
    """
    labels, nearest = np.zeros(shape, np.uint8), np.ones(shape)
    for name, (base, head) in axes.items():
        length = np.linalg.norm(head - base)
        if not length > 0:  # nor NaN
            raise ValueError(f"{name}: its axis has no length; leave out a bone whose keypoints are not known")
        radius, up = HALF_WIDTH[name] * length, (head - base) / length
        ends = np.array([base, head]) + np.outer([1, -1], up) * (radius - BEYOND * length)
        low, high = np.floor(ends.min(0) - radius), np.ceil(ends.max(0) + radius) + 1
        (left, top), (right, bottom) = (np.clip(corner, 0, shape[::-1]).astype(int) for corner in (low, high))
        window = np.s_[top:bottom, left:right]
        points = np.stack(np.meshgrid(np.arange(left, right), np.arange(top, bottom)), 2)
        along = ((points - ends[0]) @ up).clip(0, np.linalg.norm(ends[1] - ends[0]))
        distance = np.linalg.norm(points - ends[0] - along[..., None] * up, axis=2) / radius
        closer = distance < nearest[window]
        labels[window][closer], nearest[window][closer] = BONES.index(name) + 1, distance[closer]
    return labels
