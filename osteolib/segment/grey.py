"""Grey levels of a bone that no exposure and no display window decide: their ranks inside the mask.

A film passes through exposure, a detector's curve and the window of a display. Each is a rising function of the grey
level, the same all over the film. Ranks inside the bone are the same before and after, whatever the function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

DARKEST = 40
"""What the lowest rank becomes: darker would look like what lies outside the bone."""


def ranked(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bone images with each grey level replaced by its rank among the bone's pixels, from 40 to 255; ties share one.

    Parameters
    ----------
    images
        Shape (n, height, width), uint8, zero outside the bone. Pixels of the bone that are zero count as outside.

    Returns
    -------
    As given. A bone of one grey level becomes 148, the middle.
    """
    out = np.zeros_like(images)
    for image, new in zip(images, out, strict=True):
        bone = image > 0
        share = (rankdata(image[bone]) - 0.5) / max(bone.sum(), 1)
        new[bone] = np.rint(DARKEST + (255 - DARKEST) * share)
    return out
