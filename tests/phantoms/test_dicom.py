from hashlib import sha256

import numpy as np
import pydicom
import pytest

from osteolib.phantoms.dicom import write_dicom
from osteolib.radiograph import read_radiograph


@pytest.mark.parametrize(("side", "shape"), [("left", (31, 33)), ("right", (64, 64)), (None, (64, 96))])
def test_a_film_reads_back_with_spacing_view_and_side(tmp_path, side, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for body_part, view in (("KNEE", "AP"), ("HAND", "PA")):
        write_dicom(pixels, 0.75, tmp_path / "film.dcm", side, body_part, view)
        film = read_radiograph(tmp_path / "film.dcm")
        np.testing.assert_array_equal(film.pixels, pixels)
        assert (film.spacing_mm, film.view, film.side) == ((0.75, 0.75), view, side)


def test_the_file_names_nobody_and_is_the_same_each_time(tmp_path):
    pixels = np.zeros((8, 8), np.uint8)
    for name in ("a.dcm", "b.dcm"):
        write_dicom(pixels, 1.0, tmp_path / name)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    header = pydicom.dcmread(tmp_path / "a.dcm")
    assert (str(header.PatientName), header.PatientID, header.StudyDate) == ("", "", "")


@pytest.mark.parametrize("shape", [(31, 33), (30, 40)])
def test_sixteen_bits_come_back_as_they_were(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 2**16, shape, np.uint16)
    write_dicom(pixels, 0.11, tmp_path / "film.dcm", None, "PELVIS", "AP")
    film = read_radiograph(tmp_path / "film.dcm")
    assert film.pixels.dtype == np.uint16
    np.testing.assert_array_equal(film.pixels, pixels)
    assert pydicom.dcmread(tmp_path / "film.dcm").BitsStored == 16


def test_eight_bits_are_written_as_they_have_always_been(tmp_path):
    """Hash of a file of the first version, which knew 8 bits only."""
    write_dicom(np.arange(35, dtype=np.uint8).reshape(5, 7), 0.5, tmp_path / "film.dcm", "left")
    assert (
        sha256((tmp_path / "film.dcm").read_bytes()).hexdigest()
        == "caa61d8fda2d8f87364e66a5768f32281d6e70cd34b9a87179863d684c7710c1"
    )
