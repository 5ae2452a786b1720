"""Ranks inside a bone: hand-computed, and the same after every rising curve."""

import numpy as np

from osteolib.segment.grey import ranked


def test_hand_computed_case():
    """Five pixels of bone: 10, 20, 20, 30, 40. Mid-ranks 0.1, 0.4, 0.4, 0.7, 0.9 of 215 steps above 40."""
    image = np.array([[[0, 10, 20], [20, 30, 40]]], np.uint8)
    expected = np.rint(40 + 215 * np.array([0.1, 0.4, 0.4, 0.7, 0.9]))
    assert ranked(image)[0][image[0] > 0].tolist() == expected.tolist() and ranked(image)[0, 0, 0] == 0


def test_no_rising_curve_changes_ranks():
    rng = np.random.default_rng(0)
    bones = rng.integers(1, 100, (3, 20, 20)).astype(np.uint8) * (rng.random((3, 20, 20)) < 0.7)
    curve = np.r_[0, np.sort(rng.choice(np.arange(1, 256), 100, replace=False))].astype(np.uint8)
    assert (ranked(curve[bones]) == ranked(bones)).all()
    assert (ranked(bones) > 0).tolist() == (bones > 0).tolist()


def test_a_bone_of_one_grey_level_and_an_empty_image():
    images = np.stack([np.full((4, 4), 7, np.uint8), np.zeros((4, 4), np.uint8)])
    assert np.unique(ranked(images)[0]).tolist() == [148] and not ranked(images)[1].any()
