"""A phantom film as DICOM DX, for software that takes nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_dicom(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    spacing_mm: float,
    path: str | Path,
    side: str | None = None,
    body_part: str = "KNEE",
    view: str = "AP",
) -> None:
    """Write a film as DICOM DX, without a person: identifiers are empty, UIDs a hash of the pixels.

    Parameters
    ----------
    pixels
        Shape (height, width); 8 or 16 bits are written as they are.
    side
        ``"right"``, ``"left"``, or None where both are shown.
    view
        View position: knees and hips are filmed from the front, ``"AP"``, hands from the back, ``"PA"``.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = (
        DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian,
    )  # fmt: skip
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[pixels.tobytes().hex()])
    film = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    film.SOPClassUID, film.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    film.Modality, film.BodyPartExamined, film.ViewPosition = "DX", body_part, view
    film.ImageLaterality = {"right": "R", "left": "L", None: "B"}[side]
    film.PatientName = film.PatientID = film.StudyDate = ""
    film.PresentationIntentType, film.ImageType = "FOR PRESENTATION", ["DERIVED", "PRIMARY"]
    film.ImagerPixelSpacing = [round(spacing_mm, 4)] * 2
    film.Rows, film.Columns = pixels.shape
    film.SamplesPerPixel, film.PhotometricInterpretation, film.PixelRepresentation = 1, "MONOCHROME2", 0
    bits = 8 * pixels.itemsize
    film.BitsAllocated, film.BitsStored, film.HighBit = bits, bits, bits - 1
    film.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    film.save_as(path, enforce_file_format=True)
