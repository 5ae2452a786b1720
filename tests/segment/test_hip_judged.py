import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import jaccard_score

from osteolib.phantoms.hip.truth import FEMUR, JOINT, SCREW
from osteolib.segment.hip_judged import judge, judged_hips, outline_room, overlap
from osteolib.segment.hip_squares import hip_square
from osteolib.segment.mask_rcnn import HipFound

SHAPE = (60, 80)


def box(x0, y0, x1, y1):
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_overlap_by_hand_and_as_scikit_learn_has_it():
    """Two squares of 10 x 10, one column apart: 90 shared pixels of 110."""
    assert overlap(box(0, 0, 10, 10), box(1, 0, 11, 10)) == pytest.approx(90 / 110)
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 30, 30)) < 0.4
    assert overlap(a, b) == pytest.approx(jaccard_score(a.ravel(), b.ravel()))
    assert np.isnan(overlap(box(0, 0, 0, 0), box(0, 0, 0, 0)))
    with pytest.raises(ValueError, match="one shape"):
        overlap(np.zeros((2, 2)), np.zeros((2, 3)))


def test_a_found_hip_is_judged_against_its_own_half_alone():
    truth = np.zeros(SHAPE, np.uint8)
    truth[box(10, 10, 30, 50)] |= FEMUR
    truth[box(12, 12, 16, 40)] |= SCREW
    truth[box(50, 10, 70, 50)] |= FEMUR | JOINT
    masks = {"femur": box(10, 12, 30, 52), "joint": box(0, 0, 3, 3)}
    found = HipFound("right", {"femur": 0.9, "joint": 0.6, "screw": 0.2}, masks, hip_square(masks["femur"], "right"))
    row = judge(found, truth)
    assert row["iou_femur"] == pytest.approx(38 / 42) and row["there_femur"] and row["found_femur"]
    assert row["iou_screw"] == 0 and row["there_screw"] and not row["found_screw"]
    assert np.isnan(row["iou_joint"]) and not row["there_joint"] and row["found_joint"]  # the joint is the other hip's
    assert row["flagged"] and row["off_px"] == 2
    side = 23  # 1.15 x 20; two rows lower, so (23 - 2) rows are shared
    assert row["iou_square"] == pytest.approx(21 / 25) and hip_square(masks["femur"], "right")[2] - row["off_px"] > side


def test_a_hip_without_a_square_keeps_its_reason():
    truth = np.zeros(SHAPE, np.uint8)
    truth[box(10, 10, 30, 50)] |= FEMUR
    row = judge(HipFound("right", dict.fromkeys(("femur", "joint", "screw"), 0.0), {}, None, "no femur"), truth)
    assert row["reason"] == "no femur" and row["iou_femur"] == 0 and np.isnan(row["off_px"]) and not row["flagged"]


def test_every_row_gets_its_own_hip_in_the_order_given(tmp_path, monkeypatch):
    """Two films, rows in any order: the left hip of the second film is the one that was missed."""
    from PIL import Image

    truth = np.zeros(SHAPE, np.uint8)
    truth[box(10, 10, 30, 50) | box(50, 10, 70, 50)] = FEMUR
    for name in "ab":
        Image.fromarray(truth * 180 + np.arange(truth.shape[1], dtype=np.uint8) % 16).save(tmp_path / f"{name}.png")
    np.savez(tmp_path / "masks.npz", a=truth, b=truth)
    hips = pd.DataFrame(
        [(f"{i}-{side}", i, side, str(tmp_path / f"{i}.png"), str(tmp_path / "masks.npz")) for side in ("left", "right")
         for i in "ab"], columns=["unit_id", "image_id", "side", "path", "masks_path"], index=[7, 3, 5, 9],
    )  # fmt: skip
    seen = []

    def find(model, pixels, columns):
        seen.append(pixels)
        halves = {"right": box(10, 10, 30, 50), "left": box(50, 10, 70, 50)}
        missed = len(seen) == 2
        return tuple(
            HipFound(side, {"femur": 0.9, "joint": 0.0, "screw": 0.0},
                     {} if missed and side == "left" else {"femur": mask}, None) for side, mask in halves.items()
        )  # fmt: skip

    monkeypatch.setattr("osteolib.segment.hip_judged.find_hips", find)
    table = judged_hips(None, hips, 32)
    assert len(seen) == 2 and table.index.tolist() == [7, 3, 5, 9]
    assert table["iou_femur"].tolist() == [1, 0, 1, 1]
    assert table["unit_id"].tolist() == hips["unit_id"].tolist()


def test_the_room_of_an_outline_is_that_of_a_disc():
    """A disc of radius r that shrinks by d everywhere keeps (1 - d / r)^2 of its area, about 1 - 2 d / r."""
    y, x = np.mgrid[:400, :400]
    disc = np.hypot(x - 200, y - 200) < 150
    assert outline_room(disc, 0.5, 0.97) == pytest.approx(0.03 * 75 / 2, rel=0.03)
    bar = np.zeros((100, 400), bool)
    bar[45:55, 20:380] = True
    assert outline_room(bar, 1.0, 0.95) == pytest.approx(0.05 * 3600 / 740, rel=0.1)
    assert np.isnan(outline_room(np.zeros((5, 5), bool), 1.0, 0.9))
