"""A patch around a vertebra: cut from its scan, in cubic voxels, and as a network sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osteolib.volume.grid import AIR, LabelMap, Volume, VolumeError, require_same_grid
from osteolib.volume.resample import resample
from osteolib.volume.vertebrae import Vertebra


@dataclass(frozen=True, eq=False)
class Patch:
    """A vertebra and what lies around it.

    Attributes
    ----------
    voxels
        Shape (depth, height, width), float32, HU; depth runs to the head, height to the front, width to the right.
    mask
        The same shape, bool: the vertebra itself.
    regions
        The same shape, uint16: parts of a vertebra by their number in the file they come from; all 0 without one.
    spacing_mm
        Of its cubic voxels.
    """

    level: str
    voxels: NDArray[np.float32]
    mask: NDArray[np.bool_]
    regions: NDArray[np.uint16]
    spacing_mm: float


def cut_vertebra(
    volume: Volume, labels: LabelMap, vertebra: Vertebra, *, margin_mm: float = 6.0, spacing_mm: float | None = None,
    regions: LabelMap | None = None,
) -> Patch:  # fmt: skip
    """The box of a vertebra and ``margin_mm`` around it, as far as the scan goes, in cubic voxels.

    Parameters
    ----------
    spacing_mm
        Of the patch; by default the finest of the scan.
    regions
        Parts of vertebrae (cortex, body ...) on the grid of the scan; those of this vertebra alone are kept.

    Raises
    ------
    VolumeError
        The regions lie on another grid, or none of them lies in the vertebra.
    """
    reach = [int(np.ceil(margin_mm / mm)) for mm in volume.spacing_mm]
    around = tuple(
        slice(max(side.start - more, 0), min(side.stop + more, n))
        for side, more, n in zip(vertebra.box, reach, volume.voxels.shape, strict=True)
    )
    own = labels.voxels[around] == vertebra.label
    parts = np.zeros(own.shape, np.uint16)
    if regions is not None:
        require_same_grid(volume, regions, "the map of regions")
        parts = np.where(own, regions.voxels[around], 0).astype(np.uint16)
        if not parts.any():
            raise VolumeError(f"the map of regions: none lies in {vertebra.level} (label {vertebra.label}); give that "
                              "of the same scan")  # fmt: skip
    spacing_mm = spacing_mm or min(volume.spacing_mm)
    grids = (replace(volume, voxels=volume.voxels[around]), replace(labels, voxels=own.astype(np.uint16)),
             replace(labels, voxels=parts))  # fmt: skip
    voxels, mask, kept = (resample(grid, spacing_mm).voxels for grid in grids)
    return Patch(vertebra.level, voxels, mask.astype(bool), kept, float(spacing_mm))


def body_core(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The inside of the vertebral body, far from every surface; shape as ``mask``.

    The body is the bulkiest part of a vertebra, so the voxels deepest in the mask lie in it: those at 0.6 of the
    largest depth or more, which leaves the cortex and its partial volume outside. Empty for an empty mask.
    """
    from scipy.ndimage import binary_fill_holes, distance_transform_edt, find_objects, label

    core = np.zeros(mask.shape, bool)
    if not mask.any():
        return core
    box = find_objects(mask.astype(np.uint8))[0]
    depth = distance_transform_edt(np.pad(binary_fill_holes(mask[box]), 1))[1:-1, 1:-1, 1:-1]
    pieces, _ = label(depth >= 0.6 * depth.max())
    core[box] = pieces == pieces[np.unravel_index(depth.argmax(), depth.shape)]
    return core


def to_cube(patch: Patch, size: int) -> Patch:
    """The patch in a cube of ``size`` voxels a side around the middle of the vertebral body, by :func:`body_core`.

    What reaches beyond is cropped, and where the patch ends the cube is filled with air.

    Raises
    ------
    VolumeError
        The patch has no vertebra in it.
    """
    where = np.argwhere(body_core(patch.mask))
    if not len(where):
        raise VolumeError(f"{patch.level}: the mask of the patch is empty; cut it with the map that shows the vertebra")
    start = np.rint(where.mean(0) + 0.5 - size / 2).astype(int)

    def cube(array: NDArray, fill: float) -> NDArray:
        out = np.full((size,) * 3, fill, array.dtype)
        spans = [(max(s, 0), min(s + size, n)) for s, n in zip(start, array.shape, strict=True)]
        there = tuple(slice(a - s, b - s) for (a, b), s in zip(spans, start, strict=True))
        out[there] = array[tuple(slice(a, b) for a, b in spans)]
        return out

    return replace(patch, voxels=cube(patch.voxels, AIR), mask=cube(patch.mask, False), regions=cube(patch.regions, 0))


def to_planes(cube: NDArray, window_hu: tuple[float, float] = (-200.0, 800.0)) -> NDArray[np.float32]:
    """Three slices through the middle of cubes (..., size, size, size) as channels: (..., 3, size, size), float32.

    Axial (seen from above, front up), coronal and sagittal (head up), scaled so that the window runs from 0 to 1.
    """
    middle = cube.shape[-1] // 2
    axial, coronal, sagittal = cube[..., middle, :, :], cube[..., :, middle, :], cube[..., :, :, middle]
    low, high = window_hu
    planes = np.stack([axial[..., ::-1, :], coronal[..., ::-1, :], sagittal[..., ::-1, :]], axis=-3)
    return ((planes.astype(np.float32) - low) / (high - low)).clip(0, 1)
