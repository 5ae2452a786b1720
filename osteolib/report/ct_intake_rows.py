"""A scan spoiled in the ways that scans are spoiled, and what the reader says of each copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.volume import (
    LabelMap,
    Volume,
    VolumeError,
    body_core,
    cut_vertebra,
    find_vertebrae,
    read_labels,
    read_volume,
    to_cube,
    write_dicom_series,
    write_nifti,
)

METAL_SIDE = 4  # voxels of a block of metal


def _put(folder: Path, name: str, voxels: NDArray, affine: NDArray) -> Path:
    """A NIfTI of an array in the order of a :class:`Volume`."""
    image = nib.Nifti1Image(np.ascontiguousarray(voxels.T), affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    nib.save(image, folder / name)
    return folder / name


def _two_orientations(folder: Path, volume: Volume) -> Path:
    image = nib.Nifti1Image(volume.voxels.T.astype(np.int16), volume.affine)
    image.set_sform(volume.affine, 1)
    image.set_qform(np.diag([-1, 1, 1, 1]) @ volume.affine, 1)
    nib.save(image, folder / "ct.nii.gz")
    return folder / "ct.nii.gz"


def _series_without(folder: Path, volume: Volume, *gone: int) -> Path:
    write_dicom_series(volume, folder / "series")
    for number in gone:
        (folder / "series" / f"slice{number:04d}.dcm").unlink()
    return folder / "series"


def with_metal(volume: Volume, labels: LabelMap, number: int) -> Volume:
    """The scan with a saturated block (3,071 HU) in the body of one vertebra."""
    middle = np.rint(np.argwhere(body_core(labels.voxels == number)).mean(0)).astype(int) - METAL_SIDE // 2
    voxels = volume.voxels.copy()
    voxels[tuple(slice(at, at + METAL_SIDE) for at in middle)] = 3071
    return replace(volume, voxels=voxels)


def refusals(volume: Volume, labels: LabelMap, numbers: Mapping[str, int], folder: Path) -> pd.DataFrame:
    """What is wrong with each spoiled copy of a scan, and what is said of it: ``fault, answer, said``.

    ``answer`` is ``refused``, ``set aside`` for a vertebra that is found and marked, or ``read``, where nothing is said
    but perhaps in a note. ``folder`` takes the copies. ``numbers`` must show two vertebrae, one of them whole.
    """
    vertebra = next(v for v in find_vertebrae(volume, labels, numbers) if not v.problem)
    hu, where, affine = volume.voxels, labels.voxels, volume.affine
    lean = affine.copy()
    lean[1, 2] = np.tan(np.radians(15)) * affine[2, 2]
    tried: dict[str, Callable[[Path], object]] = {
        "rescale intercept lost": lambda at: read_volume(_put(at, "ct.nii.gz", (hu + 1024).astype(np.int16), affine)),
        "scaled to grey values": lambda at: read_volume(
            _put(at, "ct.nii.gz", ((hu + 200) / 1000).clip(0, 1).astype(np.float32), affine)
        ),
        "two orientations in one header": lambda at: read_volume(_two_orientations(at, volume)),
        "one slice missing": lambda at: read_volume(_series_without(at, volume, 20)),
        "a gap of unequal slices": lambda at: read_volume(_series_without(at, volume, *range(9, len(hu), 2))),
        "a gantry tilted by 15 degrees": lambda at: read_volume(_put(at, "ct.nii.gz", hu.astype(np.int16), lean)),
        "mask of another shape": lambda at: find_vertebrae(
            volume, read_labels(_put(at, "mask.nii.gz", where[:-5], affine)), numbers, "mask.nii.gz"
        ),
        "mask mirrored left to right": lambda at: find_vertebrae(
            volume, read_labels(_put(at, "mask.nii.gz", where, np.diag([-1, 1, 1, 1]) @ affine)), numbers, "mask.nii.gz"
        ),
        "empty mask": lambda at: read_labels(_put(at, "mask.nii.gz", where * 0, affine)),
        "mask resampled between voxels": lambda at: read_labels(
            _put(at, "mask.nii.gz", where.astype(np.float32) * 0.5, affine)
        ),
        "head and foot swapped": lambda at: find_vertebrae(
            replace(volume, voxels=hu[::-1]), replace(labels, voxels=where[::-1]), numbers, "mask.nii.gz"
        ),
        "a level outside the list": lambda at: find_vertebrae(volume, labels, {"S1": 26}, "mask.nii.gz"),
        "metal in the body": lambda at: find_vertebrae(
            with_metal(volume, labels, vertebra.label), labels, {vertebra.level: vertebra.label}
        ),
        "a patch without its vertebra": lambda at: to_cube(
            replace(patch, mask=np.zeros_like(patch.mask)), 32
        ),
    }  # fmt: skip
    patch = cut_vertebra(volume, labels, vertebra)
    rows = []
    for number, (fault, attempt) in enumerate(tried.items()):
        at = folder / str(number)
        at.mkdir(parents=True)
        try:
            rows.append((fault, *_in_words(attempt(at))))
        except VolumeError as error:
            rows.append((fault, "refused", str(error)))
    return pd.DataFrame(rows, columns=["fault", "answer", "said"])


def _in_words(answer: object) -> tuple[str, str]:
    """Of something that was not refused."""
    if isinstance(answer, list):
        marked = [f"{v.level}: {v.problem}" for v in answer if v.problem]
        return ("set aside" if marked else "read"), "; ".join(marked)
    return "read", "; ".join(answer.notes)


def stored_in_every_way(volume: Volume, folder: Path) -> tuple[int, int]:
    """How many NIfTI files of all 48 orientations there are, and how many of them are read as the volume itself."""
    from itertools import permutations, product

    write_nifti(volume, folder / "one.nii.gz")
    one = nib.load(folder / "one.nii.gz")
    here = nib.io_orientation(one.affine)
    ways = [axes for order in permutations(["RL", "AP", "SI"]) for axes in product(*order)]
    same = 0
    for axes in ways:
        turn = nib.orientations.ornt_transform(here, nib.orientations.axcodes2ornt(axes))
        nib.save(one.as_reoriented(turn), folder / "turned.nii")
        same += np.array_equal(read_volume(folder / "turned.nii").voxels, volume.voxels)
    return len(ways), same
