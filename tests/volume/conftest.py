from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

from osteolib.volume.grid import Volume

AFFINE = np.array([[1.0, 0, 0, -20], [0, 1.5, 0, 30], [0, 0, 3.0, 400], [0, 0, 0, 1]])


@pytest.fixture
def body() -> Volume:
    """No two of whose 14 x 12 x 10 voxels (to the head, front and right) are alike: -1000 and up to 679 HU."""
    voxels = (np.arange(14 * 12 * 10) - 1000).reshape(14, 12, 10).astype(np.float32)
    return Volume(voxels, AFFINE.copy(), "RAS")


@pytest.fixture
def write_series(tmp_path):
    """Write (depth, height, width) voxels, to the head, front and right, as axial CT slices of a lying patient."""

    def write(volume: Volume, name: str = "series", *, tilt: float = 0.0, big_endian: bool = False, signed: bool = True,
              slope: float = 1.0, intercept: float = -1024.0, change=None, seed: int = 0) -> Path:  # fmt: skip
        folder = tmp_path / name
        folder.mkdir()
        _, height, width = volume.spacing_mm
        n = len(volume.voxels)
        places = np.random.default_rng(seed).permutation(n)
        series = generate_uid()
        for number in range(n):
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
            meta.TransferSyntaxUID = ExplicitVRBigEndian if big_endian else ExplicitVRLittleEndian
            one = Dataset()
            one.file_meta = meta
            one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            one.PatientName, one.PatientID, one.StudyDate = "Secret^Name", "12345", "20240101"
            one.SeriesInstanceUID, one.Modality, one.ImageType = series, "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
            one.Rows, one.Columns = volume.voxels.shape[1:]
            # a row runs to the patient's left, a column to the back: the slice is turned in both, and LPS is -R, -A, S
            first = volume.to_mm([number, volume.voxels.shape[1] - 1, volume.voxels.shape[2] - 1])
            turned = np.array([0, np.cos(np.radians(tilt)), -np.sin(np.radians(tilt))])
            one.ImagePositionPatient = [round(float(v), 4) for v in first * (-1, -1, 1)]
            one.ImageOrientationPatient = [1, 0, 0, *(round(float(v), 6) for v in turned)]
            one.PixelSpacing = [height, width]
            one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
            one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, int(signed)
            one.RescaleSlope, one.RescaleIntercept = slope, intercept
            stored = np.rint((volume.voxels[number, ::-1, ::-1] - intercept) / slope)
            kind = ("i2" if signed else "u2") if not big_endian else (">i2" if signed else ">u2")
            one.PixelData = stored.astype(kind).tobytes()
            one["PixelData"].VR = "OW"
            if change is not None and change(one, number) is False:
                continue
            one.save_as(folder / f"IM{places[number]:03d}", enforce_file_format=True)
        return folder

    return write
