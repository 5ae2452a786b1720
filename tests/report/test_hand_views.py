import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.phantoms.hand.shapes import BONES
from osteolib.report import hand_views
from osteolib.segment.bones import bone_images
from osteolib.views.rejection import shares_without_content

USES = "hand-phantom"


def hand() -> np.ndarray:
    labels = np.zeros((240, 240), np.uint8)
    for k in range(len(BONES)):
        labels[40:200, 10 + 32 * k : 26 + 32 * k] = k + 1
    return labels


def test_each_square_stands_where_the_bone_was_cut():
    cut = bone_images(np.random.default_rng(0).uniform(0.2, 0.8, (240, 240)), hand(), 64)  # an even bone is none
    fig = hand_views.bones_figure(np.zeros((240, 240)), cut)
    squares = [(p.get_y(), p.get_x(), p.get_width()) for p in fig.axes[0].patches]
    assert squares == [tuple(box) for box in cut.boxes.values()]
    assert sorted(axis.get_title(loc="left") for axis in fig.axes if axis.get_title(loc="left")) == sorted(BONES)


def test_views_without_content_have_a_red_frame():
    views = [np.zeros((2, 8, 8))] * 3
    contents = [np.array([0.5, 0.05]), np.array([0.1, 0.3]), np.array([0.0, 0.3])]
    fig = hand_views.views_figure({"conventional": (views, contents)}, ["M1", "M2"])
    red = [axis.spines["left"].get_edgecolor()[:2] == (1.0, 0.0) for axis in fig.axes]
    assert red == [False, False, True, True, False, False]  # line by line
    assert [axis.get_ylabel() for axis in fig.axes[::3]] == ["M1", "M2"]


def test_shares_are_shown_in_percent_and_bones_in_order():
    segments = pd.DataFrame({"hand": [0] * 7 + [1] * 7, "bone": [*reversed(BONES)] * 2})
    contents = {size: np.tile([0.0, 0.05, 0.5, 0.5], (14, 1)) for size in (224, 96)}
    table = hand_views.empty_table(shares_without_content(contents, segments, 100, 0))
    assert table.index.tolist() == [*((name, 2) for name in BONES), ("all", 14)]
    assert list(table) == ["global, empty, %", "global, under 10 %, %", "local, empty, %", "local, under 10 %, %"]
    assert table.iloc[0].tolist() == ["25.0 (no spread)", "50.0 (no spread)"] * 2


def test_histograms_hold_the_shares_of_their_bone():
    contents = {(size, kind): np.full((7, 4), 0.52) for size in (224, 96) for kind in ("conventional", "extended")}
    contents[96, "conventional"][BONES.index("M2")] = 0
    fig = hand_views.content_figure(contents, pd.Series(BONES))
    assert [axis.get_title(loc="left") for axis in fig.axes[: len(BONES)]] == list(BONES)
    local_m2 = fig.axes[len(BONES) + BONES.index("M2")]
    tops = local_m2.patches[0].get_xy()
    assert tops[:, 1].max() == pytest.approx(1)
    assert tops[tops[:, 1] > 0.9][:, 0].max() == pytest.approx(0.05)  # all in the first bin
    assert [t.get_text() for t in fig.legends[0].get_texts()] == ["conventional", "extended"]


def test_curves_of_the_law_end_at_one_and_carry_their_p():
    values = np.random.default_rng(0).random((20, 2))
    fig = hand_views.law_figure(values, values, ["content", "height"], [0.5, 1.0])
    assert [axis.get_title(loc="left") for axis in fig.axes] == ["KS p = 0.50", "KS p = 1.00"]
    assert all(line.get_ydata()[-1] == 1 for axis in fig.axes for line in axis.lines)


def test_recipes_stand_in_lines():
    fig = hand_views.presets_figure({"early": np.zeros((3, 8, 8)), "late": np.zeros((3, 8, 8))})
    assert [axis.get_ylabel() for axis in fig.axes] == ["early", "", "", "late", "", ""]


def test_counts_become_rows_and_facts(run):
    segments = pd.DataFrame({"hand": [0] * 7 + [1] * 7, "bone": [*BONES] * 2})
    content = np.tile([0.0, 0.0, 0.05, 0.5], (14, 1))
    content[[1, 8]] = 0.5
    hand_views.show_counts(run, shares_without_content({224: content, 96: content}, segments, 100, 0), content)
    assert [row["value"] for row in run.rows] == pytest.approx([3 / 7, 9 / 14] * 2)
    assert (run.facts["local_low"], run.facts["global_empty"]) == pytest.approx((9 / 14, 3 / 7))
    assert (run.facts["best"], run.facts["best_share"], run.facts["worst_share"]) == ("radius", 0, 0.5)
    assert run.facts["both_empty"] == pytest.approx(6 / 7 * 2 / 12)  # of four views two: one pair of six


def test_the_distance_of_two_laws_by_hand(run):
    loop = np.column_stack([np.arange(10.0)] * 4 + [np.full(10, 2.0)])
    sampler = loop[:, :4].copy()
    sampler[:, 2] += 3  # three tenths lie below all of the others
    hand_views.show_law(run, loop, sampler)
    assert run.rows[0]["value"] == run.facts["largest_d"] == pytest.approx(0.3)
    assert (run.facts["mean_tries"], run.facts["n_draws"]) == (2, 10)


def test_tables_of_recipes_and_local_views_by_hand():
    recipes = hand_views.recipes_table({("late", 96): np.array([[0, 0.05, 0.5, 0.5]]), ("early", 96): np.ones((1, 4))})
    assert recipes.to_numpy().tolist() == [["early", 96, 0, 0], ["late", 96, 25, 50]]
    views = hand_views.local_views_table((4, 5))
    assert views["terms of the loss"].tolist() == [10, 12]
    assert views["pixels an image"].tolist() == [137_216, 146_432]


def test_missing_bones_and_the_fullest_image_by_hand(run):
    labels = hand()
    labels[labels == 7] = 0
    cut = bone_images(np.random.default_rng(0).uniform(0.2, 0.8, (240, 240)), labels, 64)
    hand_views.record_bones(run, [cut], pd.Series(["ulna", "ulna", "M1"]), np.array([0.1, 0.2, 0.3]))
    assert (run.facts["n_bones"], run.facts["n_missing"]) == (3, 1)
    assert run.facts["reasons"].startswith("1 absent")
    assert (run.facts["least_bone"], run.facts["least"]) == ("ulna", pytest.approx(0.15))
    assert (run.facts["most_bone"], run.facts["filled"]) == ("M1", 0.2)


def test_the_change_between_recipes_is_in_percentage_points(run):
    bones = torch.zeros(5, 1, 64, 64)
    bones[:, :, 8:56, 24:40] = 0.5
    early, late = np.full((5, 4), 0.5), np.full((5, 4), 0.5)
    late[:, 0] = 0.05
    contents = {(name, 96): c for name, c in (("lee2023", early), ("lee2025", late))}
    hand_views.show_recipes(run, bones, bones[:1], contents, pd.Series(range(5)), 100, 0)
    assert [run.facts[f"change{end}"] for end in ("", "_low", "_high")] == [25, 25, 25]
    assert (run.facts["white"], run.facts["n_lit"]) == (0, 8)  # two of five bones, four views each
    assert pd.read_csv(run.folder / "recipes.csv")["under 10 %, %"].tolist() == [0, 25]
