import numpy as np
import pytest

from osteolib.segment.bones import bone_images
from osteolib.segment.windows import cut_square, film_box, hand_box, random_boxes

FILM = np.arange(1, 60 * 40 + 1).reshape(60, 40) % 251 + 1
FILM = FILM.astype(np.uint8)


def test_a_square_at_its_own_size_is_the_piece_of_the_film():
    np.testing.assert_array_equal(cut_square(FILM, (7, 5, 20), 20), FILM[7:27, 5:25])


@pytest.mark.parametrize("box", [(-5, -3, 20), (50, 30, 20), (-10, -10, 90), (100, 0, 10)])
def test_outside_the_film_there_is_nothing(box):
    top, left, side = box
    padded = np.zeros((300, 300), np.uint8)
    padded[100:160, 100:140] = FILM
    expected = padded[100 + top : 100 + top + side, 100 + left : 100 + left + side]
    np.testing.assert_array_equal(cut_square(FILM, box, side), expected)


def test_the_box_of_a_film_holds_every_pixel_once():
    whole = cut_square(FILM, film_box(FILM.shape), 60)
    assert film_box(FILM.shape) == (0, -10, 60)
    np.testing.assert_array_equal(whole[:, 10:50], FILM)
    assert not whole[:, :10].any() and not whole[:, 50:].any()


def test_of_one_bone_the_hand_is_the_square_that_the_bone_is_cut_out_of():
    labels = np.zeros((200, 150), np.uint8)
    labels[40:120, 60:75] = 4
    film = np.random.default_rng(0).random(labels.shape)
    assert hand_box(labels) == bone_images(film, labels, 32).boxes["M2"]
    assert hand_box(labels)[2] == 88  # 1.1 times its length


def test_a_film_without_a_bone_has_no_hand():
    with pytest.raises(ValueError, match="labels hold no bone"):
        hand_box(np.zeros((8, 8), np.uint8))


def test_random_boxes_lie_inside_the_film_have_their_sides_and_repeat_with_the_seed():
    sides = [5, 12, 40, 55]
    boxes = random_boxes(FILM, sides, np.random.default_rng(3))
    assert [side for _, _, side in boxes] == [5, 12, 40, 40]  # no wider than the film
    for top, left, side in boxes:
        assert 0 <= top <= 60 - side and 0 <= left <= 40 - side
    assert boxes == random_boxes(FILM, sides, np.random.default_rng(3))
    assert boxes != random_boxes(FILM, sides, np.random.default_rng(4))


def test_every_place_is_as_likely_as_another():
    boxes = random_boxes(FILM, [37] * 6000, np.random.default_rng(0))
    counts = np.zeros((24, 4))
    for top, left, _ in boxes:
        counts[top, left] += 1
    assert counts.min() > 0 and ((counts - 62.5) ** 2 / 62.5).sum() < 140  # chi-square, 95 degrees of freedom


def test_almost_empty_places_are_drawn_again_and_an_empty_film_is_named():
    film = np.zeros((60, 40), np.uint8)
    film[50:] = 9
    for top, left, side in random_boxes(film, [10] * 50, np.random.default_rng(0)):
        assert (film[top : top + side, left : left + side] > 0).mean() >= 0.1
    with pytest.raises(ValueError, match=r"film: 0\.0% of it is not zero, and none of 1,000 squares of 10 pixels"):
        random_boxes(np.zeros((60, 40), np.uint8), [10], np.random.default_rng(0))
