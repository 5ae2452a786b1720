import networkx as nx
import pandas as pd
import pytest

from osteolib.cohorts import Cohort
from osteolib.report import knee_flow

PRINTED = {"flow.s1": 10, "flow.s1_single": 6, "flow.s1_bi": 4, "flow.s2": 5, "flow.s2_single": 2, "flow.s2_bi": 3,
           "flow.ext": 7, "n_dev": 18, "stage1.n": 11, "stage2.n": 6, "T1.Total.train": 10, "T1.Total.val": 5,
           "T1.Total.test": 3, "T1.Normal.total": 8, "T1.BoneLoss.total": 10, "thr.tau": 0.44}  # fmt: skip


def test_sums_by_hand_and_one_that_does_not_hold():
    sums = knee_flow.published_sums(PRINTED).set_index("what")
    assert sums["sum of its parts"].tolist() == [10, 5, 17, 18, 18]
    assert sums["agrees"].tolist() == ["yes", "yes", "no", "yes", "yes"]  # 11 + 6 is not 18


def test_knees_that_leave_without_a_reason_by_hand():
    assert knee_flow.unexplained(PRINTED, 1) == (14, 3)  # 6 + 2 · 4, of which 11 are used
    assert knee_flow.unexplained(PRINTED, 2) == (8, 2)


def test_the_published_chart_joins_two_sources_and_splits_in_three():
    chart = knee_flow.published_chart(PRINTED)
    assert [n for n in chart if not chart.pred[n]] == ["10 films", "5 films"]
    assert set(chart.succ["18 knees"]) == {"10 training", "5 validation", "3 internal test"}
    assert chart.edges["14 knees", "11 knees"]["label"] == "− 3, reasons\nnot counted"
    assert chart.edges["5 validation", "7 external"]["label"] == "threshold 0.44"


def test_the_paper_s_own_numbers_are_found_and_its_chart_starts_with_its_films():
    chart = knee_flow.published_chart(knee_flow.published_values())
    assert [n for n in chart if not chart.pred[n]] == ["1,947 films", "239 films"]


@pytest.mark.parametrize("n_excluded", [0, 2])
def test_our_chart_counts_people_films_knees_and_says_why_someone_is_left_out(n_excluded):
    subjects = pd.DataFrame({"subject_id": ["a", "b", "b"], "image_id": ["a", "b", "b"],
                             "film_layout": ["single", "bilateral", "bilateral"]})  # fmt: skip
    out = pd.DataFrame({"subject_id": list("cd"), "reason": "no film", "action": "excluded"}).head(n_excluded)
    chart = knee_flow.own_chart(Cohort("knees", "real", subjects, out, (), "", None), 5)
    assert list(chart) == [f"{2 + n_excluded} people", "2 films", "3 knees", "5 folds"]
    assert nx.is_path(chart, list(chart))
    assert chart.edges[f"{2 + n_excluded} people", "2 films"]["label"] == ("− 2 no film" if n_excluded else "")
    assert set(chart.nodes["2 films"]["detail"].removeprefix("one a person: ").split(", ")) == {
        "1 single",
        "1 bilateral",
    }
