import numpy as np
import pytest

from osteolib.segment.real_overlap import overlap_with_accepted

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")  # docstrings of POT, where it is compiled


def maps(*strips):
    """A label map 10 pixels wide, one row a strip of (number, from, to)."""
    out = np.zeros((len(strips), 10), np.uint8)
    for row, (number, low, high) in zip(out, strips, strict=True):
        row[low:high] = number
    return out


def test_dice_of_metacarpals_by_hand_and_only_where_a_mask_was_accepted():
    """M2 is 4: 4 of 6 and 6 pixels shared. M3 (5) accepted and not seen. M4 (6) seen and not accepted."""
    accepted = maps((4, 0, 6), (5, 0, 4), (0, 0, 0))
    seen = maps((4, 2, 8), (1, 0, 4), (6, 0, 3))
    empty = maps((0, 0, 0), (0, 0, 0), (0, 0, 0))
    gap = overlap_with_accepted([seen, seen], [accepted, empty])
    assert gap.dice[0] == pytest.approx([0, 8 / 12, 0, 0, 0])
    assert gap.there.tolist() == [[False, True, True, False, False], [False] * 5]
    assert gap.by_hand == pytest.approx([4 / 12])  # the second hand has no accepted mask
    any_bone, right = gap.inside()
    assert (any_bone, right) == pytest.approx((4 / 10, 4 / 10))  # an ulna (1) is no metacarpal


def test_a_wrong_metacarpal_counts_as_one_but_not_as_right():
    gap = overlap_with_accepted([maps((5, 0, 6))], [maps((4, 0, 6))])
    assert gap.inside() == (1.0, 0.0) and gap.by_hand.tolist() == [0.0]
