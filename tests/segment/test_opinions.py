import numpy as np
import pytest

from osteolib.segment.opinions import (
    KnownHands,
    entropy_bits,
    likeness,
    opinion,
    outline_distance,
    pooled_calibration,
    scores_by_hand,
    truth_as_drawn,
)
from osteolib.segment.overlap import ged_squared
from osteolib.segment.training import Drawn

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")  # docstrings of POT, where it is compiled


def square(low, high, size=32):
    mask = np.zeros((size, size), np.uint8)
    mask[low:high, low:high] = 1
    return mask


LARGE, SMALL = square(4, 24), square(8, 20)
OTHER = np.where(square(26, 31) == 1, 2, 0).astype(np.uint8)


def hands(labels, beta, true=LARGE):
    grey, spacing = np.zeros((1, 32, 32), np.float32), np.array([0.5])
    return KnownHands(grey, np.stack(labels)[None], np.array(beta), [true], spacing, true[None])


def drawn(masks, alpha, pi):
    certain = np.stack([masks[0] == c for c in range(8)]).astype(np.float32)
    return Drawn(np.stack(masks)[None], np.array([alpha]), np.array([pi]), certain[None])


def test_the_true_mask_is_perfect_against_the_truth_and_misses_what_the_annotators_add():
    known = hands([LARGE, SMALL], [0.75, 0.25])
    row = scores_by_hand(truth_as_drawn(known), known).iloc[0]
    overlap = 12**2 / 20**2  # SMALL lies inside LARGE
    assert row["IoU, truth"] == row["Dice, truth"] == 1
    assert row["outline, mm"] == 0
    assert row["IoU, annotators"] == pytest.approx(0.75 + 0.25 * overlap)
    assert row["Dice, annotators"] == pytest.approx(0.75 + 0.25 * 2 * overlap / (1 + overlap))
    assert row["GED²"] == pytest.approx(ged_squared(LARGE[None], [1.0], np.stack([LARGE, SMALL]), [0.75, 0.25]))
    assert row["ECE"] == pytest.approx(0.25 * (20**2 - 12**2) / 20**2)  # sure of pixels that a quarter leaves out


def test_outlines_two_pixels_apart_are_a_millimetre_apart():
    grown = square(2, 26)
    assert outline_distance(grown, LARGE, 0.5) == pytest.approx(1.0, abs=0.05)  # corners are a little farther
    assert np.isnan(outline_distance(OTHER, LARGE, 0.5))  # no class in common


def test_a_module_belongs_to_the_annotator_it_draws_like_if_it_is_used():
    labels = np.stack([LARGE, SMALL])[None]
    like = likeness(drawn([LARGE, SMALL], [0.9, 0.1], [0.9, 0.1]), labels)
    assert like.near[0].argmax(1).tolist() == like.owner.tolist() == [0, 1]
    assert like.near[0, 0, 0] == 1 and like.mass[0].tolist() == [0.9, 0.1]
    assert like.recovered == [0, 1] and like.misplaced([0.6, 0.4]) == pytest.approx(0.3)
    assert likeness(drawn([LARGE, SMALL], [0.96, 0.04], [0.96, 0.04]), labels).recovered == [0]


def test_samples_of_a_module_are_averaged_and_their_mass_adds_up():
    labels = np.stack([LARGE, SMALL])[None]
    like = likeness(drawn([LARGE, SMALL, SMALL, SMALL], [0.3, 0.3, 0.2, 0.2], [0.6, 0.4]), labels)
    other = 1 - (1 - 12**2 / 20**2) / 7  # six classes that nobody drew count as agreement
    assert like.near[0] == pytest.approx(np.array([[(1 + other) / 2] * 2, [other, 1]]))
    assert like.mass[0] == pytest.approx([0.3, 0.7])


def test_bins_of_all_hands_together_weigh_pixels_not_hands():
    sure, unsure = (
        np.stack([np.full(shape, 1 - p), np.full(shape, p)]) for p, shape in ((0.95, (2, 2)), (0.92, (6, 2)))
    )
    ones = [np.ones((1, 2, 2), int), np.zeros((1, 6, 2), int)]
    pooled = pooled_calibration([sure, unsure], ones, [1.0]).loc[9]
    assert pooled["confidence"] == pytest.approx((4 * 0.95 + 12 * 0.92) / 16)
    assert pooled["right"] == pytest.approx(4 / 16)


def test_doubt_is_a_bit_between_two_equal_opinions_and_none_where_all_agree():
    shares = opinion(np.stack([LARGE, SMALL]), [0.5, 0.5])
    doubt = entropy_bits(shares)
    assert doubt[5, 5] == pytest.approx(1) and doubt[10, 10] == doubt[0, 0] == 0
