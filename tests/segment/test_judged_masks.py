import numpy as np
import pytest

from osteolib.phantoms.hand.shapes import BONES
from osteolib.segment.judged_masks import OFF, WORDS, dice_with_truth, kept_by, listed
from osteolib.segment.prompts import Rules, encode_rle, verdict
from osteolib.segment.real_hands import AnnotatedHand

AXIS = np.array([[60.0, 150.0], [60.0, 50.0]])


def waisted(width: int, missing: int = 0) -> np.ndarray:
    """A bone of 100 rows along the axis, narrower in its middle; some of its upper rows may be missing."""
    mask = np.zeros((200, 120), bool)
    mask[50 + missing : 150, 60 - width : 60 + width] = True
    mask[85:115, : 60 - width // 2] = mask[85:115, 60 + width // 2 :] = False
    return mask


def hand(name: str, **masks: np.ndarray) -> AnnotatedHand:
    records = []
    for bone, mask in masks.items():
        reason = verdict(bone, masks, AXIS, Rules())
        records.append({"bone": bone, "rle": encode_rle(mask), "accepted": not reason, "reason": reason,
                        "prompt": {"axis": AXIS.tolist()}})  # fmt: skip
    return AnnotatedHand(name, np.zeros((200, 120), np.uint8), records)


def test_each_rule_has_a_word_that_its_reason_holds():
    blob, halves = np.zeros((200, 120), bool), waisted(12)
    blob[80:120, 45:75] = True
    halves[120:124] = False
    found = listed([hand("a", M2=waisted(12)), hand("b", M2=np.zeros((200, 120), bool)), hand("c", M2=blob),
                    hand("d", M2=waisted(12, 40)), hand("e", M2=waisted(12) | (waisted(12).sum(1) > 0)[:, None] * (
                        np.abs(np.arange(120) - 60) < 12)), hand("f", M2=waisted(12), M3=waisted(12))])  # fmt: skip
    assert found["rule"].tolist() == ["", "area", "elongation", "covered", "waist", "shared", "shared"]
    assert found["accepted"].tolist() == [True, *[False] * 6]
    assert found["image_id"].tolist() == list("abcdeff")


def test_dice_by_hand(tmp_path):
    truth = np.zeros((200, 120), np.uint8)
    truth[50:150, 48:72] = BONES.index("M2") + 1
    np.savez(tmp_path / "masks.npz", a=truth)
    mask = np.zeros((200, 120), bool)
    mask[100:200, 48:72] = True  # half of it
    assert dice_with_truth([hand("a", M2=mask)], [tmp_path / "masks.npz"]) == [pytest.approx(0.5)]


def test_a_rule_that_is_off_turns_nothing_down_and_the_others_stand():
    hands = [hand("a", M2=waisted(12)), hand("b", M2=waisted(12, 40)), hand("c", M2=waisted(12), M3=waisted(12))]
    assert set(OFF) == {"none", *WORDS}
    keeps = {name: kept_by(Rules(**off), hands).tolist() for name, off in OFF.items()}
    assert keeps["none"] == listed(hands)["accepted"].tolist() == [True, False, False, False]
    assert keeps["covered"] == [True, True, False, False]
    assert keeps["shared"] == [True, False, True, True]
