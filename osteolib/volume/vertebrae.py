"""Vertebrae of a CT by a segmentation: which are there, where, and whether they can be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from osteolib.volume.grid import LabelMap, Volume, VolumeError, require_same_grid

LEVELS = (*(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 7)))
"""From the neck down, coded 1 to 18 in tpswav2025_ct, Section 2.3."""

METAL_HU, METAL_VOXELS = 2500, 5  # cortex reaches 2,000 HU; screws and cement saturate a scanner at 3,071
MIN_MM3 = 1000.0  # a whole vertebra has 20,000 and more
MAX_SPACING_MM = 5.0  # coarser slices show a vertebra four or five times


@dataclass(frozen=True)
class Vertebra:
    """One vertebra of a map of labels.

    Attributes
    ----------
    level, label
        A name of :data:`LEVELS`, and its number in the map.
    box
        Start and stop of its voxels along depth, height and width.
    centre_mm
        Mean of its voxels, in mm to the right, front and head.
    volume_mm3
        Of its voxels.
    problem
        Why it should not be measured, empty if it may be: ``cut`` by the edge of the scan, ``tiny``, or ``metal``.
    """

    level: str
    label: int
    box: tuple[slice, slice, slice]
    centre_mm: tuple[float, float, float]
    volume_mm3: float
    problem: str = ""


def find_vertebrae(
    volume: Volume, labels: LabelMap, numbers: Mapping[str, int], name: str = "the segmentation"
) -> list[Vertebra]:
    """Vertebrae that a map of labels shows, from the neck down.

    Parameters
    ----------
    numbers
        Number in the map by level; levels that it does not show are left out. Numbers of other things are not looked
        at.
    name
        Of the file of labels, for messages.

    Raises
    ------
    VolumeError
        Labels and CT lie on different grids; a level is not in :data:`LEVELS`; no vertebra is there; one that should
        lie below another lies above it (flipped, or wrong numbers); slices are too coarse.
    """
    from scipy.ndimage import find_objects

    if unknown := [level for level in numbers if level not in LEVELS]:
        raise VolumeError(f"{name}: level {', '.join(unknown)} is not one of T1 to T12 and L1 to L6; leave it out of "
                          "numbers")  # fmt: skip
    require_same_grid(volume, labels, name)
    if max(volume.spacing_mm) > MAX_SPACING_MM:
        raise VolumeError(f"{name}: voxels of {' x '.join(f'{mm:.3g}' for mm in volume.spacing_mm)} mm are too coarse "
                          f"for a vertebra; give a reconstruction of {MAX_SPACING_MM:g} mm or less")  # fmt: skip
    boxes = find_objects(labels.voxels)
    found = []
    for level in sorted(numbers, key=LEVELS.index):
        number = numbers[level]
        if number <= len(boxes) and boxes[number - 1] is not None:
            found.append(_vertebra(volume, labels, level, number, boxes[number - 1]))
    if not found:
        there = ", ".join(str(n) for n in np.unique(labels.voxels)[1:11])
        raise VolumeError(f"{name}: no vertebra in it; it has the labels {there}: give numbers by level for them")
    for upper, lower in pairwise(found):
        if lower.centre_mm[2] >= upper.centre_mm[2]:
            raise VolumeError(f"{name}: {lower.level} lies above {upper.level}: the scan is flipped head to foot, "
                              "or the numbers are another program's; correct the header or the numbers")  # fmt: skip
    return found


def _vertebra(volume: Volume, labels: LabelMap, level: str, number: int, box: tuple[slice, slice, slice]) -> Vertebra:
    inside = labels.voxels[box] == number
    start = [side.start for side in box]
    centre = labels.to_mm(np.argwhere(inside).mean(0) + start)
    mm3 = float(inside.sum() * np.prod(labels.spacing_mm))
    at_edge = any(side.start == 0 or side.stop == n for side, n in zip(box, labels.voxels.shape, strict=True))
    problem = "cut" if at_edge else "tiny" if mm3 < MIN_MM3 else ""
    if not problem and (volume.voxels[box][inside] >= METAL_HU).sum() >= METAL_VOXELS:
        problem = "metal"
    return Vertebra(level, number, box, tuple(float(mm) for mm in centre), mm3, problem)
