from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.radiograph import RadiographError, count_legs, split_knees

PLANTED = {0: (), 1: (0.5,), 2: (0.25, 0.75), 3: (0.17, 0.5, 0.83)}


@pytest.mark.parametrize(("n", "centres"), PLANTED.items())
def test_planted_legs_are_counted_and_each_lies_in_its_own_box(film, n, centres):
    pixels = film(centres)
    legs = count_legs(pixels)
    assert legs.n == n == len(legs.boxes)
    middles = [c * pixels.shape[1] for c in centres]
    assert all(x0 < middle < x1 for middle, (x0, _, x1, _) in zip(middles, legs.boxes, strict=True))
    expected = [(a + b) / 2 for a, b in pairwise(middles)]
    assert legs.splits == pytest.approx(expected, abs=0.02 * pixels.shape[1])


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("shape", [(300, 900), (500, 500), (900, 300)])
def test_the_shape_of_the_frame_says_nothing(film, n, shape):
    assert count_legs(film(PLANTED[n], shape, leg_width=0.2)).n == n


@settings(deadline=None, max_examples=25)
@given(centre=st.floats(0.2, 0.8), width=st.floats(0.15, 0.35), background=st.integers(0, 60), seed=st.integers(0, 99))
def test_a_single_leg_is_one_wherever_it_stands(film, centre, width, background, seed):
    assert count_legs(film((centre,), leg_width=width, background=background, seed=seed)).n == 1


def test_mirroring_keeps_the_count_and_mirrors_the_split(film):
    pixels = film((0.3, 0.72))
    (split,), (mirrored,) = count_legs(pixels).splits, count_legs(pixels[:, ::-1]).splits
    assert split == pytest.approx(pixels.shape[1] - mirrored, abs=0.01 * pixels.shape[1])


def test_depth_in_bits_does_not_matter(film):
    pixels = film(PLANTED[2])
    assert count_legs(pixels.astype(np.uint16) * 16) == count_legs(pixels)


def black_frame(pixels):
    return np.pad(pixels, ((90, 60), (150, 40)))


def collimator(pixels):
    pixels[:70] = np.maximum(pixels[:70], np.linspace(250, 120, pixels.shape[1]).astype(np.uint8))
    pixels[:, -6:] = 255
    return pixels


def markers_and_coin(pixels):
    height, width = pixels.shape
    y, x = np.ogrid[:height, :width]
    pixels[(y - 520) ** 2 + (x - width // 2) ** 2 < 15**2] = 250
    pixels[100:135, width // 2 - 12 : width // 2 + 12] = 205
    pixels[100:135, 5:30] = 205
    return pixels


def grey_gap(pixels):
    return np.maximum(pixels, 60)


def another_hand(pixels):
    pixels[:110, : pixels.shape[1] // 6] = 200
    return pixels


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("spoil", [black_frame, collimator, markers_and_coin, grey_gap, another_hand])
def test_what_is_no_leg_is_not_counted(film, n, spoil):
    centres = (0.25,) if n == 1 and spoil is markers_and_coin else PLANTED[n]  # a coin where a second leg would stand
    assert count_legs(spoil(film(centres))).n == n


def test_thighs_that_touch_and_legs_cut_by_the_border_are_two(film):
    assert count_legs(film((0.33, 0.67), leg_width=0.28)).n == 2  # thighs 0.36 wide, 0.34 apart
    assert count_legs(film((0.07, 0.93), leg_width=0.26)).n == 2


def test_each_half_of_a_split_film_shows_one_leg(film):
    pixels = black_frame(film(PLANTED[2]))
    halves = split_knees(pixels)
    assert [side for side, _ in halves] == ["right", "left"]
    for _, (x0, y0, x1, y1) in halves:
        assert count_legs(pixels[y0:y1, x0:x1]).n == 1
    (_, first), (_, second) = halves
    assert first[2] == second[0]  # they meet at the valley and share no pixel


def test_sides_follow_the_convention_unless_the_film_is_mirrored(film):
    assert [side for side, _ in split_knees(film(PLANTED[2]), mirrored=True)] == ["left", "right"]
    assert [side for side, _ in split_knees(film(PLANTED[1]))] == [None]


def test_no_leg_and_three_legs_are_named(film):
    nothing = np.zeros((300, 300), np.uint8)
    static = np.random.default_rng(0).integers(0, 256, (300, 300)).astype(np.uint8)
    for pixels in (nothing, static, film(())):
        with pytest.raises(RadiographError, match="no leg found"):
            split_knees(pixels)
    with pytest.raises(RadiographError, match="3 legs found: crop"):
        split_knees(film(PLANTED[3]))
