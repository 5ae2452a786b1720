"""Films whose truth is known because they are drawn here."""

import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid


def draw_film(
    centres=(0.5,), shape=(600, 480), leg_width=0.24, background=8, tissue=70, bone=80, noise=4, seed=0
) -> np.ndarray:
    """Legs as a radiograph shows them: a thigh that tapers to the calf, femur, condyles, tibia and fibula.

    ``centres`` are fractions of the width, ``leg_width`` that of a calf. A round cross-section of soft tissue is
    brightest in its middle; bone adds to it. Returns uint8, bright bone.
    """
    height, width = shape
    t = np.linspace(0, 1, height)[:, None]  # 0 at the thigh, 1 at the calf
    x = np.arange(width)[None] / width
    film = np.full(shape, float(background))
    for centre in centres:
        out = np.sign(centre - 0.5) or 1.0  # the fibula lies on the outer side
        half = leg_width / 2 * (1.3 - 0.3 * t)
        film += tissue * np.sqrt(np.clip(1 - ((x - centre) / half) ** 2, 0, None))
        knee = np.exp(-(((t - 0.45) / 0.08) ** 2))
        film += bone * (np.abs(x - centre) < leg_width * (0.16 + 0.18 * knee))
        film += bone * ((np.abs(x - centre - out * leg_width * 0.3) < leg_width * 0.05) & (t > 0.55))
    film += np.random.default_rng(seed).normal(0, noise, shape)
    return np.clip(np.rint(film), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def film():
    return draw_film


@pytest.fixture(scope="session")
def legs():
    """Film of both legs of 12 bits; its left leg is the brighter one, so that it differs from its mirror image."""
    both = draw_film((0.28, 0.72), shape=(160, 200), noise=2).astype(np.uint16) * 16
    both[:, 100:] = both[:, 100:] * 3 // 4
    return both


@pytest.fixture
def write_dicom(tmp_path):
    """Write a film of 12 stored bits; further elements by keyword, None to leave one out."""

    def write(pixels, name="film.dcm", syntax=ExplicitVRLittleEndian, **elements):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = syntax
        encoding = {"is_implicit_VR": syntax.is_implicit_VR, "is_little_endian": syntax.is_little_endian}
        data = FileDataset(str(tmp_path / name), {}, file_meta=meta, preamble=b"\0" * 128, **encoding)
        defaults = {
            "SOPClassUID": meta.MediaStorageSOPClassUID, "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
            "PatientName": "Secret^Person", "PatientID": "007", "PatientBirthDate": "19500101", "Modality": "DX",
            "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "PixelRepresentation": 0,
            "Rows": pixels.shape[-2], "Columns": pixels.shape[-1], "BitsAllocated": 8 * pixels.itemsize,
            "BitsStored": 12 if pixels.itemsize == 2 else 8, "HighBit": 11 if pixels.itemsize == 2 else 7,
            "PixelData": pixels.tobytes() + b"\0" * (pixels.nbytes % 2),
        }  # fmt: skip
        for keyword, value in (defaults | elements).items():
            if value is not None:
                setattr(data, keyword, value)
        data.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name, data

    return write
