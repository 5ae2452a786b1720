"""Toy femurs of a head, a neck and a shaft on both sides of a film; what is no hip is drawn by hand."""

from dataclasses import replace

import numpy as np
import pytest

from osteolib.segment.hip_squares import hip_square
from osteolib.segment.hip_usual import KEPT, NEAREST, NUMBERS, fit_usual, hip_numbers
from osteolib.segment.mask_rcnn import HipFound

HEIGHT, WIDTH = 240, 320


def femur(radius=24.0, up=80.0, across=110.0, scale=1.0):
    """A right hip's femur on the left half, its head of this radius in pixels around (across, up)."""
    rows, columns = np.mgrid[:HEIGHT, : WIDTH // 2]
    x, y = (across - columns) / scale, (rows - up) / scale
    head = np.hypot(x, y) < radius / scale
    neck = (np.abs(y + 20 - 0.75 * (x + 20)) < 16) & (x > -5) & (x < 55)
    shaft = (np.abs(x - 48) < 18) & (y > -5)
    return head | neck | shaft


def found(half, side, score=0.95):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[:, : WIDTH // 2] = half
    mask = mask if side == "right" else mask[:, ::-1]
    return HipFound(side, {"femur": score, "joint": 0.0, "screw": 0.0}, {"femur": mask}, hip_square(mask, side))


def film(rng, **other):
    """Two hips of a person, alike but for chance."""
    shared = rng.normal(0, [1.5, 5, 5])
    hips = []
    for side in ("right", "left"):
        radius, up, across = np.array([24, 80, 110]) + shared + rng.normal(0, [0.7, 2, 2])
        hips.append(found(femur(radius, up, across), side, float(rng.uniform(0.8, 0.99))))
    return (HEIGHT, WIDTH), hips


@pytest.fixture(scope="module")
def films():
    rng = np.random.default_rng(0)
    return [film(rng) for _ in range(80)]


@pytest.fixture(scope="module")
def usual(films):
    return fit_usual(films)


def test_the_numbers_of_a_hip_by_hand():
    """A square block of 40 pixels, 60 from the middle of the film: circles in it reach its edge."""
    half = np.zeros((HEIGHT, WIDTH // 2), bool)
    half[50:240, 60:100] = True
    one = found(half, "right", 0.9)
    said = dict(zip(NUMBERS, hip_numbers(one, (HEIGHT, WIDTH)), strict=True))
    x0, y0, x1, y1 = one.square
    assert said["score"] == pytest.approx(np.log(9)) and said["size"] == pytest.approx(np.log((x1 - x0) / 160))
    assert said["from the middle"] == pytest.approx((160 - x1) / 160)
    assert said["height"] == pytest.approx((y0 + y1) / 2 / 240)
    assert said["filled"] == pytest.approx(40 * (y1 - 50) / (x1 - x0) ** 2, abs=0.03)
    assert said["head"] == pytest.approx(20 / (x1 - x0) - 1 / 16, abs=0.02)  # a centre 1/16 out of the middle at least
    assert said["upright"] == 0


def test_a_left_hip_has_the_numbers_of_its_mirror_image():
    right, left = (hip_numbers(found(femur(), side), (HEIGHT, WIDTH)) for side in ("right", "left"))
    np.testing.assert_allclose(left, right, atol=0.02)


def test_the_circle_in_the_upper_inner_corner_is_the_head():
    """Of a head of 24 pixels' radius whose centre was drawn; the neck widens what fits a little."""
    one = found(femur(), "right")
    x0, y0, x1, _ = one.square
    said = dict(zip(NUMBERS, hip_numbers(one, (HEIGHT, WIDTH)), strict=True))
    assert said["head"] * (x1 - x0) == pytest.approx(24, abs=2.5)
    assert x0 + said["head across"] * (x1 - x0) == pytest.approx(110, abs=4)
    assert y0 + said["head down"] * (x1 - x0) == pytest.approx(80, abs=4)


def test_distances_are_those_of_nearest_neighbours(usual, films):
    from sklearn.neighbors import NearestNeighbors

    row = hip_numbers(films[3][1][0], films[3][0]) / usual.spread
    near, _ = NearestNeighbors(n_neighbors=NEAREST).fit(usual.known).kneighbors(row[None])
    assert usual.distance(row * usual.spread)[0] == pytest.approx(near.mean())


def test_the_line_is_drawn_without_the_film_of_a_hip(films):
    """With every film twice each hip has its own copy, and the line comes nearer than with each once."""
    once, twice = fit_usual(films), fit_usual([*films, *films])
    assert twice.line < once.line
    same = fit_usual([(shape, [*hips, *hips]) for shape, hips in films])  # the copy lies on the same film
    assert same.line > twice.line


def test_hips_like_those_of_the_training_are_let_by_at_the_rate_that_the_line_says(usual, films):
    rng = np.random.default_rng(1)
    new = [why for shape, hips in (film(rng) for _ in range(60)) for why in usual.strange(hips, shape).values()]
    assert np.mean([why == "" for why in new]) == pytest.approx(KEPT, abs=0.06)


def test_a_shaft_a_small_bone_and_a_doubtful_hip_are_refused_and_told_why(usual):
    shape, bar = (HEIGHT, WIDTH), np.zeros((HEIGHT, WIDTH // 2), bool)
    bar[5:, 95:158] = True
    for half in (bar, femur(10, 30, 70, 0.4)):
        said = usual.strange([found(half, "right"), found(half, "left")], shape)
        assert all(why.startswith("unlike hips known, ") for why in said.values())
    doubtful = usual.strange([found(femur(), "right", 0.03), found(femur(), "left")], shape)
    assert doubtful["right"].endswith("(most unusual is 'score')") and doubtful["left"] == ""


def test_a_hip_without_a_square_has_no_numbers(usual):
    none = replace(found(femur(), "left"), square=None, reason="no femur")
    assert usual.strange([found(femur(), "right"), none], (HEIGHT, WIDTH)) == {"right": "", "left": ""}
    with pytest.raises(ValueError, match="the left hip has no square to be looked at: no femur"):
        hip_numbers(none, (HEIGHT, WIDTH))


def test_a_few_films_say_nothing_of_what_is_usual(films):
    with pytest.raises(ValueError, match="28 hips were found on the films, 30 are needed"):
        fit_usual(films[:14])
