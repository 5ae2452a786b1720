import numpy as np
import pandas as pd
import pytest

from osteolib.phantoms.hip.truth import FEMUR, JOINT, SCREW
from osteolib.report import hip_outlines as figures
from osteolib.report import hip_segmentation_page as page
from osteolib.report.hip_paper import published_hip
from osteolib.segment.hip_squares import hip_square
from osteolib.segment.mask_rcnn import HipFound, MaskRecipe
from osteolib.stats import bootstrap_statistic

USES = "hip-phantom"
SHAPE = (60, 80)
PAPER = published_hip()


def box(x0, y0, x1, y1):
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


TRUTH = np.zeros(SHAPE, np.uint8)
TRUTH[box(10, 10, 30, 50) | box(50, 10, 70, 50)] = FEMUR
TRUTH[box(14, 12, 17, 40)] |= SCREW
FILM = (TRUTH > 0).astype(np.uint8) * 150


def found(side, obstacle=None, missed=False):
    masks = {} if missed else {"femur": box(10, 10, 30, 50) if side == "right" else box(50, 10, 70, 50)}
    masks |= {obstacle: box(14, 12, 17, 40)} if obstacle else {}
    square = None if missed else hip_square(masks["femur"], side)
    scores = {name: 0.9 if name in masks else 0.1 for name in ("femur", "joint", "screw")}
    return HipFound(side, scores, masks, square, "no femur found" if missed else "")


@pytest.fixture
def judged():
    """Twenty people, forty hips: every tenth has screws, every tenth a joint, one joint is missed, one hip is free and
    flagged."""
    n = 40
    obstacle = np.where(np.arange(n) % 10 == 3, "screw", np.where(np.arange(n) % 10 == 6, "joint", "none"))
    person = np.repeat(np.arange(20), 2)
    frame = pd.DataFrame({
        "subject_id": [f"p{k}" for k in person], "split_group": [f"p{k}" for k in person], "obstacle": obstacle,
        "obstructed": obstacle != "none", "t_score": np.linspace(-4, 0, n), "spacing_mm": 0.5,
        "iou_femur": np.linspace(0.9, 0.99, n), "iou_square": 0.95, "off_px": np.arange(n) % 8 + 1.0,
        "score_femur": 0.9, "there_femur": True, "found_femur": True,
    })  # fmt: skip
    for name in ("joint", "screw"):
        there = obstacle == name
        seen = there & (np.arange(n) != 6)
        frame[f"there_{name}"], frame[f"found_{name}"] = there, seen
        frame[f"iou_{name}"] = np.where(there, np.where(seen, 0.8, 0.0), np.nan)
        frame[f"score_{name}"] = np.where(seen, 0.9, 0.1)
    frame.loc[0, ["found_joint", "score_joint"]] = True, 0.7
    return frame.assign(flagged=lambda f: f["found_joint"] | f["found_screw"])


def test_the_required_values_are_those_of_the_paper():
    assert page.required(PAPER) == {"femur": 0.97, "joint": 0.97, "screw": 0.95}


def test_means_and_shares_are_by_hand_and_intervals_draw_people(judged):
    compared = page.compare_overlap(judged, page.required(PAPER), 200, 0)
    assert compared.estimate("artificial joint", "mean IoU")[0] == pytest.approx(3 * 0.8 / 4)
    assert compared.estimate("artificial joint", "share found")[0] == 0.75
    assert compared.estimate("femur", "share over the required IoU")[0] == (judged["iou_femur"] > 0.97).mean()
    ci = bootstrap_statistic(np.mean, judged["iou_femur"], groups=judged["split_group"], n_boot=200, seed=0).ci
    assert compared.estimate("femur", "mean IoU")[1:] == pytest.approx(ci)


def test_the_method_check_is_19_of_20_with_half_an_iou(judged, run):
    page.show_overlap(run, judged, PAPER, 200, 0)
    checks = {row["published_id"]: (row["value"], row["n"]) for row in run.rows if row["metric"] == "method_check"}
    assert checks == {"chen2024_hip.seg.femur": (1, 40), "chen2024_hip.seg.joint": (0, 4),
                      "chen2024_hip.seg.nail": (1, 4)}  # fmt: skip
    assert run.facts["reach"].endswith("% of femurs reach") and (run.folder / "iou.png").is_file()
    page.show_overlap(run, judged.assign(iou_femur=0.5), PAPER, 200, 0)
    assert run.facts["reach"] == "No femur reaches"


def test_a_cohort_without_a_joint_has_no_check_of_joints(judged, run):
    none = judged.assign(iou_joint=np.nan, there_joint=False)
    page.show_overlap(run, none, PAPER, 200, 0)
    assert "chen2024_hip.seg.joint" not in {row["published_id"] for row in run.rows}


def test_the_papers_numbers_stand_beside_ours(judged):
    compared = page.compare_overlap(judged, page.required(PAPER), 200, 0)
    table = page.paper_table(judged, judged, compared, PAPER).set_index("")
    assert table.loc["hips to learn from: screws", ["paper", "ours"]].tolist() == ["163", 4]
    assert table.loc["hips left out", "paper"] == "490 of 3460 (14.2%)"
    assert table.loc["hips left out", "ours"] == "8 of 40 (20.0%)"
    assert table.loc["IoU: screws", "paper"] == "over 0.95 required" and set(table["kind"]) == {"phantom"}


def test_exclusion_counts_what_is_missed_and_what_is_lost(judged, run):
    page.show_exclusion(run, judged, 200, 0)
    assert (run.facts["missed"], run.facts["wrong"], run.facts["n_flagged"]) == (1, 1, 8)
    assert run.facts["sensitivity"].startswith("0.88") and run.facts["specificity"].startswith("0.97")
    table = pd.read_csv(run.folder / "exclusion.csv").set_index("truth")
    assert table["hips"].to_dict() == {"none": 32, "screw": 4, "joint": 4}
    assert table.loc["joint", "flagged"] == "75%"
    assert run.facts["t_out"] == pytest.approx(judged["t_score"][judged["flagged"]].mean())


def test_the_room_of_each_class_is_the_median_over_hips_that_have_it(tmp_path, run):
    np.savez(tmp_path / "masks.npz", a=TRUTH)
    hips = pd.DataFrame({"image_id": "a", "masks_path": str(tmp_path / "masks.npz"), "side": ["right", "left"],
                         "x0": [0, 40], "y0": 0, "x1": [40, 80], "y1": 60, "spacing_mm": 0.5, "width": 80})  # fmt: skip
    page.show_room(run, hips, page.required(PAPER), 32)
    # 20 x 40 pixels of half a millimetre: area by perimeter is 800 / 120 pixels; the corners are cut in Crofton's way
    assert run.facts["room_femur"] == pytest.approx(0.03 * 800 / 120 * 0.5, rel=0.1)
    assert run.facts["harder"] == "the narrower margin"
    table = pd.read_csv(run.folder / "room.csv").set_index("class")
    assert np.isnan(table.loc["artificial joint", "may be off by, mm"])


def test_squares_are_told_in_millimetres_and_their_lack_is_told(judged, run):
    films = [(FILM, TRUTH, (found("right", "screw"), found("left")))]
    page.show_squares(run, films, judged)
    free = judged[~judged["obstructed"]]
    assert run.facts["off_mm"] == free["off_px"].median() * 0.5 and run.facts["n_squares"] == 32
    page.show_squares(run, films, judged.assign(off_px=np.nan))


def test_figures_name_what_was_found():
    films = [(FILM, TRUTH, (found("right", "screw"), found("left", missed=True)))]
    fig = figures.films_found(films, ["title"])
    assert fig.axes[0].get_title() == "title" or fig.axes[0].get_title(loc="left") == "title"
    assert len(fig.axes[0].patches) == 1  # a square for the hip that was found
    assert page._words(films[0][2]) == "right: femur, screws\nleft: nothing"
    cut = figures.squares(films, 32, 3)
    assert [axis.get_title(loc="left") for axis in cut.axes] == ["right, left out"]


def test_the_example_films_are_one_of_each_kind():
    hips = pd.DataFrame({"image_id": list("aabbccdd"), "obstacle": ["screw", "screw", "none", "none", "none", "joint",
                                                                   "none", "none"]})  # fmt: skip
    assert page.examples(hips)["image_id"].tolist() == list("bbcc")


def test_the_loss_is_told_and_drawn(judged, run, tmp_path):
    terms = {name: [1.0, 0.5] for name in ("classifier", "box_reg", "mask", "objectness", "rpn_box_reg")}
    pd.DataFrame({"epoch": [0, 1], "loss": [3.0, 1.5], **terms}).to_parquet(tmp_path / "history.parquet")
    hips = judged.assign(width=640)
    page.show_training(run, tmp_path, MaskRecipe(columns=128, epochs=2), hips[:20], hips[20:])
    assert run.facts["visits"] == 192 and run.facts["network_mm"] == pytest.approx(0.5 * 640 / 2 / 128)
    assert run.facts["people_train"] == 10 and run.facts["fall"] == "3.00 to 1.50"
    page.show_loss(run, tmp_path)
    assert (run.folder / "loss.png").is_file() and JOINT == 2
