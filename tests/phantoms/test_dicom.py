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
