"""NIfTI to a volume or a map of labels, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteolib.volume.grid import MAX_VOXELS, LabelMap, Volume, VolumeError, require_three_axes, to_grid
from osteolib.volume.hounsfield import check_hounsfield

MM = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}


def read_nifti(path: str | Path, *, offset_hu: float = 0.0) -> Volume:
    """Read a CT from one ``.nii`` or ``.nii.gz`` file of any orientation, byte order, type and scaling.

    Parameters
    ----------
    offset_hu
        Added to every voxel: -1024 for a file that was written without the rescale intercept of its DICOM series.

    Raises
    ------
    VolumeError
        Missing, damaged or no NIfTI; not 3-D; without an orientation, or with two that contradict each other; no
        Hounsfield units (:func:`osteolib.volume.hounsfield.check_hounsfield`).
    """
    array, affine, name = _read(Path(path))
    voxels = array.astype(np.float32) + np.float32(offset_hu)
    check_hounsfield(voxels, name)
    return to_grid(Volume, voxels, affine, name)


def read_labels(path: str | Path) -> LabelMap:
    """Read a segmentation; as :func:`read_nifti`, and every voxel must be a whole number from 0 on.

    Raises
    ------
    VolumeError
        As :func:`read_nifti`; a label is broken or negative; there is no label at all.
    """
    array, affine, name = _read(Path(path))
    if not np.isfinite(array).all() or (array != np.rint(array)).any() or array.min() < 0 or array.max() > 65_535:
        raise VolumeError(f"{name}: labels must be whole numbers from 0 on; resample a segmentation by its nearest "
                          "voxel, not between them")  # fmt: skip
    if not array.any():
        raise VolumeError(f"{name}: the mask is empty; segment the scan again, or leave it out")
    return to_grid(LabelMap, array, affine, name)


def write_nifti(volume: Volume | LabelMap, path: str | Path) -> None:
    """Write a volume, rounded to whole Hounsfield units (int16), or a map of labels (uint8 or uint16), as NIfTI.

    The file names nobody, and the same voxels give the same bytes before compression.
    """
    import nibabel as nib

    voxels = volume.voxels.T
    if isinstance(volume, LabelMap):
        voxels = voxels.astype(np.uint8 if voxels.max() < 256 else np.uint16)
    else:
        voxels = np.rint(voxels).clip(-32_768, 32_767).astype(np.int16)
    image = nib.Nifti1Image(voxels, volume.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(volume.affine, code="scanner")
    image.set_qform(volume.affine, code="scanner")
    nib.save(image, path)


def _read(path: Path) -> tuple[NDArray, NDArray[np.float64], str]:
    """The scaled array, the affine in mm, and the name for messages."""
    import nibabel as nib

    name = path.name
    if not path.is_file():
        raise VolumeError(f"{name}: there is no such file; check the path")
    try:
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Image):
            raise VolumeError(f"{name}: {type(image).__name__} is no NIfTI; convert the scan to .nii.gz")
        if np.prod(image.shape) > MAX_VOXELS:
            raise VolumeError(f"{name}: {np.prod(image.shape):,} voxels are more than {MAX_VOXELS:,}; crop it first")
        array = np.asanyarray(image.dataobj)
    except VolumeError:
        raise
    except Exception as error:  # nibabel, gzip and zlib raise many kinds on a damaged file
        raise VolumeError(
            f"{name}: no readable NIfTI ({type(error).__name__}); copy it again from its source"
        ) from None
    if array.dtype.kind not in "iuf":
        raise VolumeError(f"{name}: voxels of type {array.dtype} are no Hounsfield units; export the scan in greyscale")
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    require_three_axes(array, name)
    return array, _affine(image, name), name


def _affine(image, name: str) -> NDArray[np.float64]:
    """The orientation that the header states, in mm; refused where it states none, or two."""
    from nibabel.orientations import aff2axcodes

    with np.errstate(all="ignore"):
        stated = [affine for affine, code in (image.get_sform(coded=True), image.get_qform(coded=True)) if code]
    if not stated:
        raise VolumeError(f"{name}: the header states no orientation (sform and qform code 0), so that left, front and "
                          "head are a guess; convert the scan again from its DICOM series")  # fmt: skip
    axes = ["".join(str(code) for code in aff2axcodes(affine)) for affine in stated]
    if len(set(axes)) > 1:
        raise VolumeError(f"{name}: the header states two orientations, {axes[0]} (sform) and {axes[1]} (qform): one "
                          "of them is flipped; convert the scan again from its DICOM series")  # fmt: skip
    unit = image.header.get_xyzt_units()[0]
    affine = np.array(stated[0], np.float64)
    affine[:3] *= MM[unit]
    return affine
