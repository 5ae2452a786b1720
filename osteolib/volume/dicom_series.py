"""A folder of DICOM slices to one volume.

Of each file only the elements listed here are read, so that no name, number or date of a patient enters the program.
The series' UID is compared between files and then forgotten.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osteolib.volume.grid import AIR, MAX_VOXELS, Volume, VolumeError, require_three_axes, to_grid
from osteolib.volume.hounsfield import check_hounsfield

if TYPE_CHECKING:
    from pydicom import Dataset

_ELEMENTS = [
    "Modality", "SeriesInstanceUID", "ImageType", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PixelPaddingValue", "RescaleSlope", "RescaleIntercept", "PixelData",
]  # fmt: skip
MOVED_MM = 0.05  # by which positions, written with few decimals, may differ from a straight line


def read_dicom_series(folder: str | Path) -> Volume:
    """Read one axial (or other) CT series, its slices in any order and under any names, compressed or not.

    Files that are no DICOM are passed over, and so are localisers. A tilted gantry is made upright. A series that lacks
    its first or last slices cannot be told from a shorter one.

    Raises
    ------
    VolumeError
        No slice, or one: another modality, several series, slices that differ in size, spacing or direction; a slice
        missing or twice; slices at mixed distances; no rescale; pixels that cannot be decoded; no Hounsfield units.
        The message names the file or the folder, without what lies above it.
    """
    folder = Path(folder)
    slices = _slices(folder)
    first_name, first = next(iter(slices.items()))
    for what, of in (("size", _size), ("pixel spacing", _spacing), ("direction", _direction)):
        for name, one in slices.items():
            if not np.allclose(of(one, name), of(first, first_name), atol=1e-3):
                raise VolumeError(f"{name}: another {what} than {first_name}; leave one series alone in the folder")
    across, down = _direction(first, first_name).reshape(2, 3)
    names = list(slices)
    positions = np.array([_floats(slices[name], "ImagePositionPatient", 3, name) for name in names])
    order = np.argsort(positions @ np.cross(across, down), kind="stable")
    names, positions = [names[k] for k in order], positions[order]
    _check_distances(positions @ np.cross(across, down), names, folder.name)
    step = (positions[-1] - positions[0]) / (len(names) - 1)
    off = np.abs(positions - positions[0] - np.outer(np.arange(len(names)), step)).max()
    if off > MOVED_MM + 0.02 * np.linalg.norm(step):
        raise VolumeError(
            f"{folder.name}: slices are shifted against each other by {off:.1f} mm; export the series anew"
        )
    rows, columns = _size(first, first_name)
    if rows * columns * len(names) > MAX_VOXELS:
        raise VolumeError(
            f"{folder.name}: more than {MAX_VOXELS:,} voxels; leave only the spine's slices in the folder"
        )
    array = np.stack([_hounsfield(slices[name], name).T for name in names], axis=2)
    require_three_axes(array, folder.name)
    between_rows, between_columns = _spacing(first, first_name)
    affine = np.eye(4)
    affine[:3] = np.column_stack([across * between_columns, down * between_rows, step, positions[0]])
    affine[:2] *= -1  # DICOM counts to the left and the back, NIfTI to the right and the front
    check_hounsfield(array, folder.name)
    return to_grid(Volume, array, affine, folder.name)


def _slices(folder: Path) -> dict[str, Dataset]:
    """Slices by file name: CT, of one series, no localisers."""
    import pydicom

    found, series, passed = {}, set(), 0
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        with path.open("rb") as file:
            if file.read(132)[128:] != b"DICM" or path.name == "DICOMDIR":
                continue
        try:
            one = pydicom.dcmread(path, specific_tags=_ELEMENTS)
            if (modality := one.get("Modality")) != "CT":
                raise VolumeError(
                    f"{path.name}: modality {modality or 'none'}; leave the CT series alone in the folder"
                )
            if "LOCALIZER" in (one.get("ImageType") or []):
                passed += 1
                continue
            if int(one.get("NumberOfFrames") or 1) > 1 or one.get("PhotometricInterpretation") != "MONOCHROME2":
                raise VolumeError(
                    f"{path.name}: not one grey slice a file; export the series as single-frame CT images"
                )
        except VolumeError:
            raise
        except Exception as error:  # pydicom raises many kinds, and parses an element only when it is asked for
            raise VolumeError(f"{path.name}: damaged DICOM ({type(error).__name__}); export it again") from None
        series.add(str(one.get("SeriesInstanceUID", "")))
        found[path.name] = one
    if len(found) < 2:
        besides = f" besides {passed} localiser(s)" if passed else ""
        raise VolumeError(f"{folder.name}: {len(found)} CT slices{besides}; give the folder of one whole series")
    if len(series) > 1:
        raise VolumeError(f"{folder.name}: slices of {len(series)} series; leave one series alone in the folder")
    return found


def _check_distances(along: NDArray[np.float64], names: list[str], folder: str) -> None:
    """Equal steps along the normal of the slices; along is ascending."""
    steps = np.diff(along)
    usual = float(np.median(steps))
    if (twice := np.flatnonzero(steps < MOVED_MM)).size:
        a, b = names[twice[0]], names[twice[0] + 1]
        raise VolumeError(f"{folder}: {a} and {b} lie at one place; leave one reconstruction alone in the folder")
    uneven = np.flatnonzero(np.abs(steps - usual) > MOVED_MM + 0.02 * usual)
    if not uneven.size:
        return
    whole = steps[uneven] / usual
    few = uneven.size <= max(1, len(steps) // 10)
    if few and (np.abs(whole - np.rint(whole)) < 0.1).all() and (whole > 1.5).all():
        lost, where = int(np.rint(whole).sum()) - uneven.size, names[uneven[0]]
        raise VolumeError(f"{folder}: {lost} slice(s) missing, the first next to {where}; export the series again with "
                          "every slice")  # fmt: skip
    raise VolumeError(f"{folder}: slices lie {steps.min():.4g} to {steps.max():.4g} mm apart; give a reconstruction "
                      "with one distance")  # fmt: skip


def _hounsfield(one: Dataset, name: str) -> NDArray[np.float32]:
    """Pixels (rows, columns) in HU; what lies outside the scanner's circle is air."""
    slope, intercept = one.get("RescaleSlope"), one.get("RescaleIntercept")
    if slope is None or intercept is None or not float(slope):
        raise VolumeError(f"{name}: no rescale slope and intercept, so that its values are no Hounsfield units; export "
                          "the original images")  # fmt: skip
    try:
        stored = one.pixel_array
    except Exception as error:  # too few bytes, or a compression without a decoder
        about = f"{type(error).__name__}, {one.file_meta.TransferSyntaxUID.name}"
        raise VolumeError(f"{name}: pixels cannot be decoded ({about}); export it uncompressed") from None
    values = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    padding = one.get("PixelPaddingValue")
    return values if padding is None else np.where(stored == padding, np.float32(AIR), values)


def _floats(one: Dataset, element: str, n: int, name: str) -> NDArray[np.float64]:
    values = np.atleast_1d(np.asarray(one.get(element) or [], float))
    if values.size != n or not np.isfinite(values).all():
        raise VolumeError(f"{name}: no usable {element}; export the original images, not screenshots or reformats")
    return values


def _size(one: Dataset, name: str) -> NDArray[np.int64]:
    return np.array([int(one.get("Rows") or 0), int(one.get("Columns") or 0)])


def _spacing(one: Dataset, name: str) -> NDArray[np.float64]:
    return _floats(one, "PixelSpacing", 2, name)


def _direction(one: Dataset, name: str) -> NDArray[np.float64]:
    return _floats(one, "ImageOrientationPatient", 6, name)
