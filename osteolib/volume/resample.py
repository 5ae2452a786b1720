"""Another spacing for a volume: the same extent, in voxels that are cubes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteolib.volume.grid import LabelMap, Volume


def resample(grid: Volume | LabelMap, spacing_mm: float) -> Volume | LabelMap:
    """The same picture at ``spacing_mm`` along every axis, from edge to edge of the old voxels.

    Linear between voxels, after a Gaussian where the new ones are larger, so that they stand for what they cover; of
    labels the nearest. A grid that has the spacing already comes back as it is.

    Raises
    ------
    ValueError
        The spacing is not positive.
    """
    if not spacing_mm > 0:
        raise ValueError(f"spacing_mm must be above 0: {spacing_mm}")
    factor = spacing_mm / np.array(grid.spacing_mm)
    if np.abs(factor - 1).max() < 1e-3:
        return grid
    labels = isinstance(grid, LabelMap)
    voxels = grid.voxels if labels else smooth_for(grid.voxels, factor)
    shape = np.maximum(np.rint(np.array(voxels.shape) / factor), 1).astype(int)
    for axis in range(3):
        at = (np.arange(shape[axis]) + 0.5) * factor[axis] - 0.5
        voxels = _along(voxels, at.clip(0, voxels.shape[axis] - 1), axis, labels)
    affine = grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] * factor[::-1]
    affine[:3, 3] += grid.affine[:3, :3] @ (0.5 * factor[::-1] - 0.5)
    voxels, notes = np.ascontiguousarray(voxels), (*grid.notes, f"resampled to {spacing_mm:g} mm")
    voxels.flags.writeable = affine.flags.writeable = False
    return type(grid)(voxels, affine, grid.stored, notes)


def smooth_for(voxels: NDArray[np.float32], factor: NDArray[np.float64]) -> NDArray[np.float32]:
    """Blurred by as much as voxels ``factor`` times as large blur more than the old ones."""
    from scipy.ndimage import gaussian_filter1d

    for axis, ratio in enumerate(factor):
        if ratio > 1.001:  # a box of width w has the variance w^2 / 12
            voxels = gaussian_filter1d(voxels, np.sqrt((ratio**2 - 1) / 12), axis=axis, mode="nearest")
    return voxels


def _along(voxels: NDArray, at: NDArray[np.float64], axis: int, labels: bool) -> NDArray:
    if labels:
        return np.take(voxels, np.rint(at).astype(int), axis)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, voxels.shape[axis] - 1)
    share = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    return np.take(voxels, low, axis) * (1 - share) + np.take(voxels, high, axis) * share
