import numpy as np
import pandas as pd
import pytest

from osteolib.report import annotation
from osteolib.segment.judged_masks import WORDS, listed
from osteolib.segment.prompts import Predictor, Rules, annotate_bones
from osteolib.segment.real_hands import AnnotatedHand

USES = "hand-phantom"

AXES = {"M2": np.array([[60.0, 190.0], [60.0, 70.0]]), "M3": np.array([[110.0, 190.0], [110.0, 70.0]])}


def bone(crop, prompt):
    """A mask with a waist inside the box."""
    left, top, right, bottom = map(int, prompt.box)
    mask = np.zeros(crop.shape, bool)
    mask[top:bottom, left + 10 : right - 10] = True
    mask[top + 50 : bottom - 50, : left + 16] = mask[top + 50 : bottom - 50, right - 16 :] = False
    return mask


@pytest.fixture
def hand():
    pixels = np.random.default_rng(0).integers(0, 255, (260, 200), dtype=np.uint8)
    records = annotate_bones(pixels, AXES, Predictor("drawn", "0" * 64, bone))
    assert [r["accepted"] for r in records] == [True, True]
    records[1] |= {"accepted": False, "reason": "area 0.9 of the squared axis"}
    return AnnotatedHand("a", pixels, records)


def test_the_prompt_s_box_stands_upright_in_the_middle(hand):
    fig = annotation.prompt_figure(hand, "M2")
    (box,) = fig.axes[1].patches
    assert box.get_x() + box.get_width() / 2 == pytest.approx(128)
    assert box.get_height() == pytest.approx(1.06 * 160)  # the axis has 256 / 1.6 pixels
    assert [axis.get_title(loc="left") for axis in fig.axes] == [
        "axes on the film",
        "M2 upright, prompt",
        "answer, accepted",
    ]
    np.testing.assert_array_equal(fig.axes[0].lines[1].get_xydata(), AXES["M3"])


def test_rules_stand_in_order_with_their_bounds():
    table = annotation.rules_table(Rules(covered=0.77))
    assert table["rule"].tolist() == list(WORDS)
    assert table.set_index("rule").loc["covered", "bound"].startswith("at least 77%")


def test_a_record_in_short_keeps_its_verdict_and_cuts_its_runs(hand):
    short = annotation.in_short(hand.records[1])
    assert short["reason"] == "area 0.9 of the squared axis"
    assert short["rle"]["runs"] == len(hand.records[1]["rle"]["counts"])
    assert len(short["rle"]["counts"]) == 7
    assert len(hand.records[1]["rle"]["counts"]) > 7  # the record itself stays whole


def test_films_show_bone_age_and_broken_rules(hand):
    fig = annotation.hands_figure([hand, hand], {"a": 11.26})
    assert fig.axes[0].get_title(loc="center") == "bone age 11.3\narea: M3"
    assert [t.get_text() for t in fig.legends[0].get_texts()] == ["accepted", "rejected"]
    table = annotation.accepted_table(listed([hand, hand]))
    assert table.loc["M3"].to_dict() == {"asked": 2, "accepted": 0, "area": 2}
    assert table.loc["all"].tolist() == [4, 2, 2]
    assert (
        annotation.review_figure(hand, hand.records[1]).axes[0].get_title(loc="center").startswith("M3: rules say area")
    )


def judged(n_hands: int) -> pd.DataFrame:
    rows = [
        (f"h{h}", bone, bone == "M1", 0.9 if bone == "M1" else 0.5 + 0.01 * h)
        for h in range(n_hands)
        for bone in ("M1", "M2")
    ]
    return pd.DataFrame(rows, columns=["image_id", "bone", "accepted", "dice"])


@pytest.mark.parametrize(("n_hands", "has_interval"), [(4, False), (6, True)])
def test_kept_and_rejected_masks_are_recorded_apart(run, n_hands, has_interval):
    annotation.show_dice(run, judged(n_hands), 200, 0)
    values = [row["value"] for row in run.rows]
    rejected = 0.5 + 0.01 * np.arange(n_hands).mean()
    assert values == pytest.approx([0.9, rejected, (0.9 + rejected) / 2])
    assert np.isfinite(run.rows[1]["ci_low"]) == has_interval
    assert (run.facts["kept_low"], run.facts["lost"], run.facts["good"]) == (0, 0, "0.90")


def test_masks_of_one_bone_stand_above_its_name():
    axis = annotation.dice_figure(judged(6)).axes[0]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["M1", "M2"]
    accepted, rejected = axis.lines
    assert np.abs(accepted.get_xdata()).max() < 0.2
    np.testing.assert_allclose(accepted.get_ydata(), 0.9)
    assert np.abs(rejected.get_xdata() - 1).max() < 0.2
