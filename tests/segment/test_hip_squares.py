import numpy as np
import pytest

from osteolib.segment.hip_squares import SIDE, cut_square, half_of_film, hip_square


def femur(height=200, width=300, shaft=200, slant=0.0):
    """A patient's right femur on the left half: head of radius 12 at (90, 40), neck, trochanter and a shaft 20 wide."""
    y, x = np.mgrid[:height, :width]
    head = (x - 90) ** 2 + (y - 40) ** 2 <= 12**2
    neck = (np.abs(y - 40 - 0.6 * (90 - x)) <= 9) & (x >= 55) & (x <= 90)
    across = x - 50 + slant * np.maximum(y - 100, 0)
    return head | neck | ((np.abs(across) <= 10) & (y >= 45) & (y <= shaft))


def test_the_square_is_computed_by_hand():
    """The femur reaches from column 40 to 102 and starts in row 28: 63 wide, so 72 of side, 3 rows above the head."""
    assert hip_square(femur(), "right") == (round((40 + 103 - 72) / 2), 25, round((40 + 103 - 72) / 2) + 72, 97)


def test_how_much_of_the_shaft_is_seen_does_not_move_it():
    whole = hip_square(femur(), "right")
    assert hip_square(femur(shaft=110), "right") == whole
    assert hip_square(femur(slant=0.4), "right") == whole  # it leaves to the side, far below


def test_the_left_hip_is_the_mirror_image():
    mask = femur()
    x0, y0, x1, y1 = hip_square(mask, "right")
    both = mask | mask[:, ::-1]
    left = hip_square(both, "left")
    assert hip_square(both, "right") == (x0, y0, x1, y1)
    assert left[1::2] == (y0, y1) and abs(left[0] - (300 - x1)) <= 1


def test_specks_are_not_looked_at_but_both_parts_of_a_cut_femur_are():
    mask = femur()
    specks = mask.copy()
    specks[2:5, 2:5] = True
    assert hip_square(specks, "right") == hip_square(mask, "right")
    cut = mask.copy()
    cut[:, 74:76] = False  # a screw through the neck
    assert hip_square(cut, "right") == hip_square(mask, "right")


def test_no_femur_is_an_error_that_names_the_side():
    with pytest.raises(ValueError, match="no femur in the left half of the film: the mask is empty there"):
        hip_square(femur(), "left")
    speck = np.zeros((200, 300), bool)
    speck[5, 5] = True
    with pytest.raises(ValueError, match="1 pixels at most"):
        hip_square(speck, "right")
    with pytest.raises(ValueError, match="side must be right or left"):
        half_of_film(300, "R")
    with pytest.raises(ValueError, match="shape"):
        hip_square(np.zeros((2, 3, 4)), "right")


def test_a_square_is_cut_and_filled_with_zeros_beyond_the_film():
    film = np.arange(100, dtype=np.uint8).reshape(10, 10) + 1
    np.testing.assert_array_equal(cut_square(film, (2, 3, 6, 7), 4), film[3:7, 2:6])
    beyond = cut_square(film, (-2, 8, 2, 12), 4)
    np.testing.assert_array_equal(beyond[:2, 2:], film[8:, :2])
    assert not beyond[2:].any() and not beyond[:, :2].any()
    halved = film.reshape(5, 2, 5, 2).mean((1, 3))  # means of four, .5 each, rounded up
    np.testing.assert_array_equal(cut_square(film, (0, 0, 10, 10), 5)[1:4, 1:4], (halved + 0.5)[1:4, 1:4])


def test_halving_a_square_keeps_the_mean_and_a_mask_stays_a_mask():
    mask = femur()
    box = hip_square(mask, "right")
    small = cut_square(mask, box, 36)
    assert small.dtype == bool and small.mean() == pytest.approx(
        mask[box[1] : box[3], box[0] : box[2]].mean(), abs=0.02
    )
    assert box[2] - box[0] == round(SIDE * 63)


@pytest.mark.parametrize(
    ("box", "message"),
    [((0, 0, 3, 4), "square"), ((4, 4, 4, 4), "square"), ((20, 0, 24, 4), "beyond"), ((-9, 0, -5, 4), "beyond")],
)
def test_an_impossible_square_is_named(box, message):
    with pytest.raises(ValueError, match=message):
        cut_square(np.zeros((10, 10), np.uint8), box, 4)
