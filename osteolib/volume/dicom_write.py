"""A volume as a folder of DICOM slices, for software that takes nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from osteolib.volume.grid import Volume

INTERCEPT = -1024


def write_dicom_series(volume: Volume, folder: str | Path) -> None:
    """Write one CT image a slice, from the foot up, as a scanner does: rows to the patient's left, columns to the back.

    Whole Hounsfield units. Without a person: identifiers are empty, UIDs a hash of the voxels.

    Raises
    ------
    ValueError
        The volume does not lie along the axes of the body.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    if np.abs(volume.affine[:3, :3] - np.diag(np.diag(volume.affine[:3, :3]))).max() > 1e-4:
        raise ValueError("the volume lies askew in its scanner: write it as NIfTI, which keeps its affine")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    series = generate_uid(entropy_srcs=[volume.voxels.tobytes().hex()])
    _, height, width = volume.spacing_mm
    last = np.array(volume.voxels.shape) - 1
    for number, pixels in enumerate(volume.voxels):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[series, str(number)])
        one = Dataset()
        one.file_meta = meta
        one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        one.SeriesInstanceUID, one.InstanceNumber = series, number + 1
        one.PatientName = one.PatientID = one.StudyDate = ""
        one.Modality, one.ImageType = "CT", ["DERIVED", "PRIMARY", "AXIAL"]
        first = volume.to_mm((number, last[1], last[2])) * (-1, -1, 1)  # DICOM counts to the left and the back
        one.ImagePositionPatient = [f"{mm:.4f}" for mm in first]
        one.ImageOrientationPatient, one.PixelSpacing = [1, 0, 0, 0, 1, 0], [f"{height:.6g}", f"{width:.6g}"]
        one.Rows, one.Columns = pixels.shape
        one.SamplesPerPixel, one.PhotometricInterpretation, one.PixelRepresentation = 1, "MONOCHROME2", 1
        one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
        one.RescaleSlope, one.RescaleIntercept, one.RescaleType = 1, INTERCEPT, "HU"
        stored = np.rint(pixels[::-1, ::-1] - INTERCEPT).clip(-32_768, 32_767)
        one.PixelData = stored.astype("<i2").tobytes()
        one["PixelData"].VR = "OW"
        one.save_as(folder / f"slice{number:04d}.dcm", enforce_file_format=True)
