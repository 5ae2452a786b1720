"""Grey across the shaft of a long bone, from its mask: what a film shows of the cortex."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ACROSS = np.linspace(-1.4, 1.4, 141)
"""Where a profile is read, in half-widths of the shaft: its edges stand at -1 and 1."""


def profile_across(pixels: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean grey across a bone at mid-shaft, at :data:`ACROSS`.

    Parameters
    ----------
    pixels, mask
        Shape (height, width); the mask holds the whole bone. The profile crosses the middle of its principal axis, at a
        right angle, and is the mean over a twelfth of its length.
    """
    from skimage.measure import profile_line

    points = np.argwhere(mask)
    axis = np.linalg.eigh(np.cov(points.T))[1][:, 1]
    side, up = np.array([-axis[1], axis[0]]), (points - points.mean(0)) @ axis
    middle = points[np.abs(up - (up.min() + up.max()) / 2) < 2]
    reach = (middle - middle.mean(0)) @ side
    half, thick = (np.ptp(reach) + 1) / 2, max(3, int(np.ptp(up) / 12))
    centre = middle.mean(0) + side * (reach.max() + reach.min()) / 2
    ends = (centre + k * ACROSS[-1] * half * side for k in (-1, 1))
    line = profile_line(pixels, *ends, linewidth=thick, mode="nearest")
    return np.interp(ACROSS, np.linspace(ACROSS[0], ACROSS[-1], len(line)), line)


def relative(profiles: NDArray) -> NDArray[np.float64]:
    """Profiles (n, 141) scaled one by one: 0 beside the bone (beyond 1.3 half-widths), 1 at the brightest place."""
    beside = profiles[:, np.abs(ACROSS) > 1.3].mean(1, keepdims=True)
    return (profiles - beside) / (profiles.max(1, keepdims=True) - beside)
