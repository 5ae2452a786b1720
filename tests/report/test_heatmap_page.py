from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.explain.heatmaps import roi_scores
from osteolib.report import heatmap_page
from osteolib.screen.phantom_control import PhantomControl
from osteolib.stats import bootstrap_statistic

RNG = np.random.default_rng(0)
MASK = RNG.random((12, 6, 5)) < 0.4
KNEES = pd.DataFrame({"part": ["test, A"] * 8 + ["external, B"] * 4, "split_group": np.arange(12) // 2,
                      "label": ["normal", "osteopenia", "osteoporosis"] * 4,
                      "screen": np.linspace(0, 1, 12)})  # fmt: skip


@pytest.fixture(scope="module")
def scored():
    """A map that is even everywhere, and one that is empty for the first knee."""
    some = np.random.default_rng(1).random(MASK.shape)
    some[0] = 0
    found = heatmap_page.localisation({"even": np.ones(MASK.shape), "some": some}, {"bone": MASK}, KNEES, n_boot=100)
    return some, found


def test_knees_are_chosen_by_score_and_class():
    rows, titles = heatmap_page.pick(KNEES, 2)
    assert rows.tolist() == [9, 0, 10, 1, 11, 2]  # of each class the highest and the lowest
    assert titles[0] == "normal\n0.82"
    rows, _ = heatmap_page.pick(KNEES, 4, seed=3)
    assert all(KNEES.loc[rows[i : i + 4], "label"].nunique() == 1 for i in (0, 4, 8))


def test_means_over_people_are_those_of_the_scores_and_an_even_map_gets_the_area(scored):
    some, found = scored
    a = found["bone", "test, A"]
    assert a.estimate("even", "energy")[0] == pytest.approx(a.estimate("even", "area")[0])
    assert a.estimate("even", "more") == pytest.approx((0, 0, 0), abs=1e-12)
    seen = roi_scores(some, MASK)[1:8]
    alone = bootstrap_statistic(np.mean, seen["energy"], groups=KNEES["split_group"][1:8], n_boot=100)
    assert a.estimate("some", "energy") == pytest.approx((alone.estimate, *alone.ci))
    shown = heatmap_page.localisation_table(found, KNEES).set_index(["part", "map"])
    assert shown["empty maps"].tolist() == [0, 0, 0, 1]
    assert shown.loc[("external, B", "even"), "pointing game"] == shown.loc[("external, B", "even"), "energy"]


def test_scores_are_recorded_and_areas_are_not(scored):
    _, found = scored
    recorded = []
    run = SimpleNamespace(result=lambda published_id, metric, value, **rest: recorded.append((metric, value)))
    heatmap_page.record_localisation(run, found)
    assert len(recorded) == 2 * 2 * 3 and not [metric for metric, _ in recorded if metric.startswith("area")]
    assert ("energy, bone, even, phantom, test, A", found["bone", "test, A"].estimate("even", "energy")[0]) in recorded


def test_a_map_that_is_empty_for_everybody_has_no_row():
    maps = {"even": np.ones(MASK.shape), "nothing": np.zeros(MASK.shape)}
    found = heatmap_page.localisation(maps, {"bone": MASK}, KNEES, n_boot=100)
    assert found["bone", "test, A"].methods == ["even"]


def test_energies_are_drawn_on_the_line_of_their_map(scored):
    _, found = scored
    axis = heatmap_page.energy_panels(found, ["even", "some"]).axes[0]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["even", "some"]
    for container, part in zip(axis.containers, ("external, B", "test, A"), strict=True):
        points = container.lines[0].get_xydata()
        assert points[:, 0].tolist() == [found["bone", part].estimate(m, "energy")[0] for m in ("even", "some")]
        assert points[:, 1] == pytest.approx([1, 0], abs=0.2)


def test_films_have_titles_and_maps_lie_over_them():
    films = np.random.default_rng(0).integers(0, 255, (3, 8, 8))
    fig = heatmap_page.maps_over_films(
        [("film", films, None), ("Grad-CAM", films, films / 255.0)], [["a", "b", "c"]], films > 100
    )
    assert [axis.get_title(loc="center") for axis in fig.axes] == ["a", "b", "c", "", "", ""]
    assert [len(axis.images) for axis in fig.axes] == [1, 1, 1, 2, 2, 2]
    assert fig.axes[3].get_ylabel() == "Grad-CAM"


def test_a_gallery_has_two_halves():
    films = np.random.default_rng(0).integers(0, 255, (4, 8, 8))
    fig = heatmap_page.gallery(films, films / 255.0, list("abcd"))
    assert [axis.get_title(loc="center") for axis in fig.axes] == ["a", "b", "", "", "c", "d", "", ""]
    assert np.array_equal(fig.axes[6].images[0].get_array(), films[2])


def test_likeness_starts_at_one_and_is_the_mean_of_the_knees():
    checked = pd.DataFrame({"part": ["screen_head", "backbone.conv1"] * 2, "knee": [0, 0, 1, 1],
                            "ssim": [0.8, 0.2, 0.6, 0], "rank_correlation": 0.5, "kind": "Grad-CAM"})  # fmt: skip
    left, right = heatmap_page.likeness_panels(checked).axes
    assert right.lines[0].get_ydata() == pytest.approx([1, 0.7, 0.1])
    assert [text.get_text() for text in left.get_xticklabels()] == ["nothing", "screen_head", "conv1"]


def test_the_words_follow_the_numbers(scored):
    _, found = scored
    words = heatmap_page.localisation_in_words(found["bone", "test, A"], ("even", "some", "some"), 8)
    area = found["bone", "test, A"].estimate("even", "area")[0]
    assert f"**{area:.0%}** of even lies in the region, which covers {area:.0%}" in words
    assert "no more and no less than chance (difference" in words
    assert "zero on these 8 knees" in heatmap_page.localisation_in_words(found["bone", "test, A"], ("no", "a", "b"), 8)


def test_the_ends_of_the_cascade_are_its_first_and_last_part():
    checked = pd.DataFrame({"part": ["screen_head", "backbone.conv1"] * 4,
                            "ssim": [0.9, 0.1, 0.7, 0.3, 0.5, 0.4, 0.5, 0.2],
                            "kind": ["Grad-CAM"] * 4 + ["guided Grad-CAM"] * 4})  # fmt: skip
    found = heatmap_page.likeness_at_the_ends(checked)
    assert found == pytest.approx({"top_plain": 0.8, "end_plain": 0.2, "top_guided": 0.5, "end_guided": 0.3})


def test_unseen_knees_are_those_of_a_s_test_and_of_b(tmp_path, monkeypatch):
    subjects = pd.DataFrame({"unit_id": list("abcd")})
    part = ["validation", "test, A", "external, B"]
    pd.DataFrame({"unit_id": list("acd"), "screen": [0.1, 0.2, 0.3], "part": part}).to_parquet(
        tmp_path / "scores.parquet"
    )
    monkeypatch.setattr(heatmap_page, "true_regions", lambda knees, size: (len(knees), size))
    control = PhantomControl(subjects, np.arange(4), {}, tmp_path)
    knees, images, bone, joint = heatmap_page.unseen_knees(control, 32)
    assert knees["screen"].tolist() == [0.2, 0.3] and images.tolist() == [2, 3]
    assert (bone, joint) == (2, 32)


def test_films_with_burnt_in_text_are_left_out_where_a_cohort_names_them():
    people = pd.DataFrame({"unit_id": ["a", "b"], "mask_boxes": [None, [[0, 0, 9, 9]]]})
    assert heatmap_page.without_text(people)["unit_id"].tolist() == ["a"]
    assert len(heatmap_page.without_text(people[["unit_id"]])) == 2
