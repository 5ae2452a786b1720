"""A DICOM film stands upright with the patient's left at the image's right, whatever its elements say it lies like."""

import numpy as np
import pytest

from osteolib.cohorts.films import measure_film, to_units
from osteolib.radiograph import RadiographError, read_radiograph

TURNS = {  # directions of rows and columns, and how an upright film is stored so that they hold
    "L\\F": lambda f: f,
    "R\\F": lambda f: f[:, ::-1],
    "L\\H": lambda f: f[::-1],
    "R\\H": lambda f: f[::-1, ::-1],
    "F\\L": lambda f: f.T,
    "H\\L": lambda f: f[::-1].T,
    "F\\R": lambda f: f[:, ::-1].T,
    "H\\R": lambda f: f[::-1, ::-1].T,
}


@pytest.mark.parametrize("directions", TURNS)
@pytest.mark.parametrize("view", ["AP", "PA", None])
def test_a_film_from_the_front_or_the_back_is_hung_upright(write_dicom, legs, directions, view):
    stored = np.ascontiguousarray(TURNS[directions](legs))
    spacing = [0.1, 0.2] if stored.shape == legs.shape else [0.2, 0.1]
    path, _ = write_dicom(stored, PatientOrientation=directions.split("\\"), ViewPosition=view, PixelSpacing=spacing)
    film = read_radiograph(path)
    np.testing.assert_array_equal(film.pixels, legs)
    assert film.pixels.flags.c_contiguous and film.spacing_mm == (0.1, 0.2)
    assert bool(film.notes) == (directions != "L\\F")
    assert [knee["side"] for knee in measure_film(path, knees=True)] == ["right", "left"]


@pytest.mark.parametrize("rows", ["A", "P"])
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_film_from_the_side_is_turned_and_never_mirrored(write_dicom, legs, rows, turn):
    """Turned by 90 degrees counter-clockwise once, what went right goes up; twice, what went down goes up."""
    back = {"A": "P", "P": "A"}[rows]
    directions = [[rows, "F"], ["F", back], [back, "H"], ["H", rows]][turn]
    stored = np.ascontiguousarray(np.rot90(legs, turn))
    path, _ = write_dicom(stored, PatientOrientation=directions, ViewPosition="LL")
    np.testing.assert_array_equal(read_radiograph(path).pixels, legs)


@pytest.mark.parametrize("directions", [["L", "H"], ["R", "F"], ["L", "F"], ["R", "H"]])
def test_a_hand_is_taken_as_it_is_stored(write_dicom, legs, directions):
    """In the anatomical position fingers point to the feet, on a film of a hand up."""
    path, _ = write_dicom(legs, PatientOrientation=directions, ViewPosition="PA", BodyPartExamined="HAND")
    film = read_radiograph(path)
    np.testing.assert_array_equal(film.pixels, legs)
    assert film.notes == ()


@pytest.mark.parametrize(
    ("directions", "more", "why"),
    [
        (["LF", "FR"], {}, "LF/FR is tilted on the film"),
        (["L", "FR"], {}, "L/FR is tilted on the film"),
        (["LR", "LF"], {}, "LR/LF names no two directions"),
        (["L"], {}, "L names no two directions"),
        (["L", "R"], {}, "L/R names no two directions"),
        (["L", "Q"], {}, "L/Q names no two directions"),
        (["L", "A"], {}, "L/A: a view along the body"),
        (["A", "F"], {"ViewPosition": "AP"}, "A/F contradicts ViewPosition AP"),
        (["P", "F"], {"ViewPosition": "PA"}, "P/F contradicts ViewPosition PA"),
        (["L", "F"], {"ViewPosition": "LL"}, "L/F contradicts ViewPosition LL"),
        (["F", "L"], {"BodyPartExamined": "HAND"}, "F/L: it lies on its side"),
    ],
)
def test_what_cannot_be_honoured_is_refused(write_dicom, legs, directions, more, why):
    path, _ = write_dicom(legs, PatientOrientation=directions, **more)
    with pytest.raises(RadiographError, match=rf"film\.dcm: PatientOrientation {why}"):
        read_radiograph(path)


@pytest.mark.parametrize(("directions", "upright"), [(["LA", "F"], True), (["L", "FP"], True), (["RP", "FA"], False)])
def test_of_an_oblique_view_the_main_directions_count(write_dicom, legs, directions, upright):
    """The first letter names the main direction (PS3.3 C.7.6.1.1.1); a person turned aside still stands upright."""
    path, _ = write_dicom(legs if upright else legs[:, ::-1], PatientOrientation=directions, ViewPosition="LLO")
    np.testing.assert_array_equal(read_radiograph(path).pixels, legs)


@pytest.mark.parametrize("directions", ["", [], ["", ""]])
def test_an_empty_orientation_says_nothing(write_dicom, legs, directions):
    np.testing.assert_array_equal(read_radiograph(write_dicom(legs, PatientOrientation=directions)[0]).pixels, legs)


@pytest.mark.parametrize(
    ("said", "side"),
    [
        ({"Laterality": "R", "ImageLaterality": "R"}, "right"),
        ({"FrameLaterality": "L"}, "left"),
        ({"FrameLaterality": "B", "ImageLaterality": "B"}, None),
        ({"ImageLaterality": "U", "Laterality": "L"}, "left"),
    ],
)
def test_what_says_a_side(write_dicom, legs, said, side):
    assert read_radiograph(write_dicom(legs, **said)[0]).side == side


@pytest.mark.parametrize(
    "said",
    [
        {"Laterality": "R", "ImageLaterality": "L"},
        {"ImageLaterality": "R", "FrameLaterality": "L"},
        {"ImageLaterality": "B", "Laterality": "L"},
    ],
)
def test_sides_that_contradict_each_other(write_dicom, legs, said):
    with pytest.raises(RadiographError, match=r"film\.dcm: \w+ [RLB], \w+ [RLB] contradict each other; correct"):
        read_radiograph(write_dicom(legs, **said)[0])


def test_the_side_of_one_leg_comes_from_the_file(write_dicom, film, legs):
    import pandas as pd

    one, _ = write_dicom(film((0.5,)), name="one.dcm", ImageLaterality="L")
    assert [knee["side"] for knee in measure_film(one, knees=True)] == ["left"]
    both, _ = write_dicom(legs, name="both.dcm", ImageLaterality="L")
    with pytest.raises(ValueError, match=r"both\.dcm: two legs are seen, but its laterality says left"):
        measure_film(both, knees=True)
    table = pd.DataFrame({"image_id": ["one"], "path": [str(one)], "sha256": ["a"]})
    assert to_units(table, "knee").side.tolist() == ["left"]
    assert to_units(table.assign(side="left"), "knee").side.tolist() == ["left"]
    with pytest.raises(ValueError, match="laterality is not the side in the table: one; correct"):
        to_units(table.assign(side="right"), "knee")
