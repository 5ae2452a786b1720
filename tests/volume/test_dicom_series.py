import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from osteolib.volume import Volume, VolumeError, read_dicom_series, read_volume, write_dicom_series


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"seed": 5},
        {"big_endian": True},
        {"signed": False},
        {"slope": 0.5, "intercept": -1000.0},
        {"signed": False, "big_endian": True, "slope": 1.0, "intercept": -1000.0},
    ],
)
def test_a_series_in_any_order_and_coding_is_the_one_volume(body, write_series, how):
    volume = read_volume(write_series(body, **how))
    np.testing.assert_array_equal(volume.voxels, body.voxels)
    np.testing.assert_allclose(volume.affine, body.affine, atol=1e-3)
    assert volume.stored == "LPS" and not volume.notes


def test_nothing_of_the_patient_is_in_the_result(body, write_series):
    volume = read_dicom_series(write_series(body))
    assert not any(secret in str(vars(volume)) + repr(volume) for secret in ("Secret", "12345", "2024"))


def test_other_files_and_localisers_are_passed_over(body, write_series):
    def scout(one, number):
        if number == 0:
            one.ImageType, one.Rows = ["ORIGINAL", "PRIMARY", "LOCALIZER"], 3

    folder = write_series(body, change=scout)
    (folder / "notes.txt").write_text("not a slice")
    np.testing.assert_array_equal(read_dicom_series(folder).voxels, body.voxels[1:])


def test_what_lies_outside_the_circle_of_the_scanner_is_air(body, write_series):
    def pad(one, number):
        one.PixelPaddingValue = int(body.voxels[number, -1, -1]) + 1024  # the first pixel of the slice

    volume = read_dicom_series(write_series(body, change=pad))
    assert (volume.voxels[:, -1, -1] == -1024).all()
    np.testing.assert_array_equal(volume.voxels[:, :-1], body.voxels[:, :-1])


def test_a_tilted_gantry_is_made_upright(write_series):
    """A ball through slices that lean by 20 degrees, placed straight above each other as such a table moves."""
    n, tilt = 44, np.radians(20)
    row, column, up = np.array([-1.0, 0, 0]), np.array([0, -np.cos(tilt), np.sin(tilt) * -1]), np.array([0, 0, 1.0])
    k, i, j = np.meshgrid(*[np.arange(n)] * 3, indexing="ij")
    start = np.array([(n - 1) / 2, 20.0, 30.0])
    mm = start + k[..., None] * up + i[..., None] * column + j[..., None] * row
    middle = mm[n // 2, n // 2, n // 2]
    slices = np.where(np.linalg.norm(mm - middle, axis=-1) < 10, 300.0, -100.0).astype(np.float32)

    def place(one, number):
        one.ImagePositionPatient = [round(float(v), 4) for v in (start + number * up) * (-1, -1, 1)]

    straight = Volume(slices[:, ::-1, ::-1], np.eye(4), "RAS")
    volume = read_dicom_series(write_series(straight, tilt=20, change=place))
    assert "tilted by 20.0 degrees" in volume.notes[0]
    bone = np.argwhere(volume.voxels > 100)
    np.testing.assert_allclose(volume.to_mm(bone).mean(0), middle, atol=0.3)
    mm3 = len(bone) * np.prod(volume.spacing_mm)
    assert mm3 == pytest.approx(4 / 3 * np.pi * 1000, rel=0.04)
    np.testing.assert_allclose(np.cov(volume.to_mm(bone).T), 20 * np.eye(3), atol=1)  # r^2 / 5, the same every way


def drop(*numbers):
    return lambda one, number: number not in numbers


def element(name, value, where=3):
    def change(one, number):
        if number == where:
            setattr(one, name, value)

    return change


def without(name):
    return lambda one, number: delattr(one, name)


def moved(one, number):
    x, y, z = one.ImagePositionPatient
    one.ImagePositionPatient = [x, y, z + (0 if number < 7 else 2.0 * (number - 6))]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (drop(5), r"^series: 1 slice\(s\) missing, the first next to IM\d\d\d; export the series again with every"),
        (drop(5, 6), r"^series: 2 slice\(s\) missing"),
        (moved, "^series: slices lie 3 to 5 mm apart; give a reconstruction with one distance"),
        (
            element("ImagePositionPatient", [11.0, -46.5, 412.0]),
            r"^series: IM\d+ and IM\d+ lie at one place; leave one",
        ),
        (element("ImagePositionPatient", [31.0, -46.5, 409.0]), "^series: slices are shifted against each other by 20"),
        (element("PixelSpacing", [1.5, 2.0]), r"^IM\d+: another pixel spacing than IM\d+; leave one series alone"),
        (element("ImageOrientationPatient", [0, 1, 0, 0, 0, -1]), r"^IM\d+: another direction than IM\d+"),
        (element("Rows", 6), r"^IM\d+: another size than IM\d+"),
        (element("SeriesInstanceUID", generate_uid()), "^series: slices of 2 series; leave one series alone"),
        (element("Modality", "MR"), r"^IM\d+: modality MR; leave the CT series alone"),
        (element("NumberOfFrames", 2), r"^IM\d+: not one grey slice a file"),
        (element("PixelData", b"\0\0"), r"^IM\d+: pixels cannot be decoded .* export it uncompressed"),
        (without("RescaleSlope"), r"^IM\d+: no rescale slope and intercept, .* export the original images"),
        (element("RescaleIntercept", None), r"^IM\d+: no rescale slope and intercept"),
        (
            lambda one, number: setattr(one, "RescaleIntercept", 0),
            "^series: 24% of its voxels .* without the rescale",
        ),
        (without("ImagePositionPatient"), r"^IM\d+: no usable ImagePositionPatient; export the original images"),
        (lambda one, number: number == 1, "^series: 1 CT slices; give the folder of one whole series"),
    ],
)
def test_a_broken_series_is_refused_for_the_right_reason(body, write_series, change, reason):
    with pytest.raises(VolumeError, match=reason):
        read_dicom_series(write_series(body, change=change))


def test_a_truncated_file_and_an_empty_folder(body, write_series, tmp_path):
    folder = write_series(body)
    (folder / "IM003").write_bytes((folder / "IM003").read_bytes()[:600])
    with pytest.raises(VolumeError, match=r"^IM003: "):
        read_dicom_series(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(VolumeError, match=r"^empty: 0 CT slices; give the folder of one whole series"):
        read_dicom_series(tmp_path / "empty")


def test_what_is_written_comes_back_and_names_nobody(body, tmp_path):
    write_dicom_series(body, tmp_path / "out")
    again = read_dicom_series(tmp_path / "out")
    np.testing.assert_array_equal(again.voxels, body.voxels)
    np.testing.assert_allclose(again.affine, body.affine, atol=1e-3)
    one = pydicom.dcmread(tmp_path / "out" / "slice0003.dcm")
    assert one.PatientName == "" and one.PatientID == "" and one.StudyDate == ""
    write_dicom_series(body, tmp_path / "twice")
    assert (tmp_path / "twice" / "slice0003.dcm").read_bytes() == (tmp_path / "out" / "slice0003.dcm").read_bytes()
    askew = body.affine.copy()
    askew[0, 1] = 0.2
    with pytest.raises(ValueError, match="lies askew in its scanner: write it as NIfTI"):
        write_dicom_series(Volume(body.voxels, askew, "RAS"), tmp_path / "askew")
