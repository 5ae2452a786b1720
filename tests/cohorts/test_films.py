import hashlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteolib.cohorts.films import measure_film, measure_films, to_units


def listed(*paths) -> pd.DataFrame:
    return pd.DataFrame({
        "subject_id": [p.stem for p in paths], "image_id": [p.stem for p in paths], "path": [str(p) for p in paths],
        "sha256": [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths],
    })  # fmt: skip


def test_a_film_of_both_legs_is_two_knees_of_one_subject(world):
    """The patient's right leg is on the left of the film, as one looks at it."""
    films = listed(world.film("one.png", 0), world.film("both.png", 1, legs=2))
    knees = to_units(films, "knee").set_index("unit_id")
    assert sorted(knees.index) == ["both-left", "both-right", "one"]
    assert knees.subject_id.to_dict() == {"one": "one", "both-right": "both", "both-left": "both"}
    assert knees.n_legs.to_dict() == {"one": 1, "both-right": 2, "both-left": 2}
    assert knees.film_layout.to_dict() == {"one": "single", "both-right": "bilateral", "both-left": "bilateral"}
    right, left = knees.loc["both-right"], knees.loc["both-left"]
    assert right.x1 <= left.x0 + 1
    for knee, leg in ((right, (25, 95)), (left, (145, 215))):  # drawn there
        assert knee.x0 <= leg[0] < leg[1] <= knee.x1
        assert 0 <= knee.y0 < knee.y1 <= knee.height == 200


def test_a_film_as_unit_is_one_row_with_the_whole_film_as_box(world):
    films = listed(world.film("one.png", 0), world.film("both.png", 1, legs=2))
    units = to_units(films, "film")
    assert units.unit_id.tolist() == ["one", "both"]
    assert units[["x0", "y0", "x1", "y1"]].to_numpy().tolist() == [[0, 0, 160, 200], [0, 0, 240, 200]]
    assert units.film_layout.tolist() == ["single", "bilateral"]


def test_intensities_are_those_of_the_whole_film(world):
    """Oracle: numpy on the pixels as decoded by Pillow."""
    path = world.film("a.png", 3)
    pixels = np.asarray(Image.open(path)).astype(float)
    film = measure_film(path, knees=False)[0]
    assert (film["width"], film["height"]) == (160, 200)
    assert film["intensity_mean"] == pytest.approx(pixels.mean(), rel=1e-6)
    assert film["intensity_sd"] == pytest.approx(pixels.std(), rel=1e-6)
    percentiles = [film["intensity_p05"], film["intensity_p50"], film["intensity_p95"]]
    np.testing.assert_allclose(percentiles, np.percentile(pixels, [5, 50, 95]), rtol=1e-6)


def test_films_of_one_content_are_measured_once_and_then_found_in_the_store(world, monkeypatch):
    first, copy = world.film("a.png", 0), world.film("b.png", 0)
    films = listed(first, copy)
    assert films.sha256.nunique() == 1
    units = to_units(films, "film")
    assert units.unit_id.tolist() == ["a", "b"]

    monkeypatch.setattr("osteolib.cohorts.films.measure_film", lambda *_: pytest.fail("measured again"))
    again = measure_films({films.sha256[0]: copy}, knees=True)
    assert len(again) == 1


def test_an_unknown_unit_and_knees_of_another_bone_are_errors(world):
    films = listed(world.film("a.png", 0))
    with pytest.raises(ValueError, match="unit must be one of knee, film, got 'leg'"):
        to_units(films, "leg")
    with pytest.raises(ValueError, match="unit must be one of film, got 'knee'"):
        to_units(films, "knee", knees=False)
