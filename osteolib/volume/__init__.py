"""CT volumes: read them from NIfTI or DICOM into one orientation, and cut vertebrae out of them."""

from osteolib.volume.dicom_series import read_dicom_series
from osteolib.volume.dicom_write import write_dicom_series
from osteolib.volume.grid import LabelMap, Volume, VolumeError, require_same_grid
from osteolib.volume.nifti import read_labels, read_nifti, write_nifti
from osteolib.volume.patches import Patch, body_core, cut_vertebra, to_cube, to_planes
from osteolib.volume.resample import resample
from osteolib.volume.vertebrae import LEVELS, Vertebra, find_vertebrae

__all__ = [
    "LEVELS",
    "LabelMap",
    "Patch",
    "Vertebra",
    "Volume",
    "VolumeError",
    "body_core",
    "cut_vertebra",
    "find_vertebrae",
    "read_dicom_series",
    "read_labels",
    "read_nifti",
    "read_volume",
    "require_same_grid",
    "resample",
    "to_cube",
    "to_planes",
    "write_dicom_series",
    "write_nifti",
]


def read_volume(path, **options) -> Volume:
    """A CT from a ``.nii`` or ``.nii.gz`` file (:func:`read_nifti`) or a folder of DICOM slices
    (:func:`read_dicom_series`)."""
    from pathlib import Path

    return (read_dicom_series if Path(path).is_dir() else read_nifti)(path, **options)
