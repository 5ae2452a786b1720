"""A CT volume in one orientation, and the map of labels that goes with it.

However a file is stored, in memory the first axis (depth) runs up to the head, the second (height) from the back to the
front and the third (width) from the patient's left to the right: nibabel's RAS, read from the last axis to the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHEAR = 0.01  # cosine between two axes of a grid from which it counts as sheared: 0.6 degrees
OBLIQUE_DEGREES = 5.0
SPACING_MM = (0.05, 10.0)  # beyond these it is another unit, or no volume
MAX_VOXELS = 1_200_000_000
"""Largest volume that is opened: 2,000 slices of 768 x 768 are one."""


class VolumeError(ValueError):
    """A file is not a volume that can be used; the message names it without its folders, and the remedy."""


@dataclass(frozen=True, eq=False, repr=False)
class _Grid:
    voxels: NDArray
    affine: NDArray[np.float64]
    stored: str
    notes: tuple[str, ...] = ()

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels along depth, height and width."""
        along = np.linalg.norm(self.affine[:3, :3], axis=0)
        return tuple(float(mm) for mm in along[::-1])

    def to_mm(self, index) -> NDArray[np.float64]:
        """Where voxels lie: (..., 3) indices of depth, height and width to mm to the right, front and head."""
        return np.asarray(index, float)[..., ::-1] @ self.affine[:3, :3].T + self.affine[:3, 3]

    def __repr__(self) -> str:
        shape, mm = " x ".join(map(str, self.voxels.shape)), " x ".join(f"{mm:.4g}" for mm in self.spacing_mm)
        return f"{type(self).__name__}({shape} {self.voxels.dtype}, {mm} mm, stored {self.stored})"


class Volume(_Grid):
    """One CT, without anything that names the patient.

    Attributes
    ----------
    voxels
        Shape (depth, height, width), float32, Hounsfield units.
    affine
        Shape (4, 4): (width, height, depth) indices and 1 to mm to the right, front and head (NIfTI's RAS+ world).
    stored
        Where the axes of the file run, as in ``"LPS"``.
    notes
        What was done to the voxels, or should be known of them.
    """


class LabelMap(_Grid):
    """A segmentation: as :class:`Volume`, with whole numbers (uint16) for voxels, 0 where there is nothing."""


def require_three_axes(array: NDArray, name: str) -> None:
    """Refuse (VolumeError) what has another number of axes, or an axis of one voxel."""
    if array.ndim != 3 or min(array.shape) < 2:
        shape = " x ".join(map(str, array.shape))
        raise VolumeError(
            f"{name}: {shape} is no volume; give one 3-D image of two slices or more, without a time axis"
        )


def to_grid(kind: type[_Grid], array: NDArray, affine: NDArray, name: str, notes: tuple[str, ...] = ()) -> _Grid:
    """Turn an array of any orientation, with the affine of its own axes to RAS+ mm, into the fixed one.

    A sheared grid (a gantry that was tilted) is resampled on an upright one, linearly; labels take the nearest voxel.

    Raises
    ------
    VolumeError
        No or an impossible spacing.
    """
    import nibabel as nib
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

    along = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise VolumeError(f"{name}: the affine does not span a volume; write the header again from the DICOM series")
    if along.min() < SPACING_MM[0] or along.max() > SPACING_MM[1]:
        raise VolumeError(f"{name}: a spacing of {' x '.join(f'{mm:.4g}' for mm in along)} mm is not that of a CT; "
                          "write the spacing in millimetres")  # fmt: skip
    orientation = io_orientation(affine)
    affine = affine @ inv_ornt_aff(orientation, array.shape)
    stored = "".join(nib.orientations.ornt2axcodes(orientation))
    array = apply_orientation(array, orientation)
    unit = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if (slant := np.abs(unit.T @ unit - np.eye(3)).max()) > SHEAR:
        array, affine = _upright(array, affine, labels=kind is LabelMap)
        notes += (f"the slices were tilted by {np.degrees(np.arcsin(min(slant, 1))):.1f} degrees: resampled upright",)
    elif (turn := np.degrees(np.arccos(np.clip(np.diag(unit).min(), -1, 1)))) > OBLIQUE_DEGREES:
        notes += (f"the slices lie {turn:.0f} degrees off the body's axes; they are kept as they were taken",)
    voxels = np.ascontiguousarray(array.T.astype(np.uint16 if kind is LabelMap else np.float32))
    voxels.flags.writeable = affine.flags.writeable = False
    return kind(voxels, affine, stored, notes)


def _upright(array: NDArray, affine: NDArray, labels: bool) -> tuple[NDArray, NDArray]:
    """The same picture on axes along the body, at the distances that the slices and their voxels really have."""
    from scipy.ndimage import affine_transform

    matrix = affine[:3, :3]
    spacing = np.abs(np.diag(matrix))  # how far one step leads along each axis of the body
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * (np.array(array.shape) - 1)
    mm = corners @ matrix.T + affine[:3, 3]
    low, high = mm.min(0), mm.max(0)
    upright = np.diag([*spacing, 1.0])
    upright[:3, 3] = low
    shape = tuple(np.floor((high - low) / spacing + 1e-6).astype(int) + 1)
    back = np.linalg.inv(affine) @ upright
    fill = 0 if labels else AIR
    array = array if labels else array.astype(np.float32)
    moved = affine_transform(array, back[:3, :3], back[:3, 3], shape, order=0 if labels else 1, cval=fill)
    return moved, upright


AIR = -1024.0
"""Hounsfield units that stand for what a scan does not show."""


def require_same_grid(volume: _Grid, other: _Grid, name: str) -> None:
    """Hold a map of labels (``name``) against the volume it belongs to.

    Raises
    ------
    VolumeError
        Another shape, or the same shape elsewhere: shifted, turned over, or of another spacing.
    """
    if volume.voxels.shape != other.voxels.shape:
        there, here = (" x ".join(map(str, one.voxels.shape)) for one in (other, volume))
        raise VolumeError(f"{name}: {there} voxels where the CT has {here}; "
                          "resample the labels onto the CT (nearest voxel), or segment this CT")  # fmt: skip
    corner = np.array(volume.voxels.shape) - 1
    corners = corner * [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]
    apart = np.abs(volume.to_mm(corners) - other.to_mm(corners)).max()
    if apart > 0.5 * min(volume.spacing_mm):
        raise VolumeError(f"{name}: its voxels lie up to {apart:.1f} mm from those of the CT (stored {other.stored} "
                          f"and {volume.stored}): shifted or flipped; write it with the affine of the CT")  # fmt: skip
