"""Known of a hip phantom beyond its pixels: masks, and the best that can be reached."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FEMUR, JOINT, SCREW, NECK, PELVIS = 1, 2, 4, 8, 16
"""Bits of a mask: femur; artificial joint (stem, head, cup); screws, nails, plates; DXA's femoral neck; pelvis."""


def read_masks(masks_path: str | Path, image_id: str) -> NDArray[np.uint8]:
    """Truth of one film, shape (height, width): the bits :data:`FEMUR` to :data:`PELVIS`.

    The two femurs lie in the two halves of the film.
    """
    with np.load(masks_path) as masks:
        return masks[image_id]
