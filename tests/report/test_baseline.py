import numpy as np
import pandas as pd
import pytest
from scipy import stats

from osteolib.report.baseline import (
    baseline_table,
    beside_table_6,
    contradictory_copies,
    mean_ci,
    traits_that_differ,
)
from osteolib.report.published import load_published

PEOPLE = pd.DataFrame(
    {
        "label": ["normal"] * 4 + ["osteopenia"] * 4 + ["osteoporosis"] * 4,
        "sex": list("FFMMFFFMFFFF"),
        "age_years": [30, 32, 34, np.nan, 50, 52, 54, 56, 70, 72, 74, 76],
        "bmi_kg_m2": [25.0] * 6 + [26.0] * 6,
        "t_score": np.linspace(0, -3.3, 12),
    }
)


def test_cells_and_tests_by_hand():
    table = baseline_table(PEOPLE)
    assert table.loc["Age (years)", "normal"] == "32.00 ± 2.00"  # of the three that are known
    assert table.loc["People", "normal"] == "4"
    assert table.loc["Women"].tolist()[:3] == ["2 (50.0%)", "3 (75.0%)", "4 (100.0%)"]
    expected = stats.chi2_contingency([[2, 3, 4], [2, 1, 0]]).pvalue
    assert table.loc["Women", "p"] == f"{expected:.3f}"
    ages = [PEOPLE[PEOPLE["label"] == x]["age_years"].dropna() for x in ("normal", "osteopenia", "osteoporosis")]
    assert float(table.loc["Age (years)", "p"]) == pytest.approx(stats.kruskal(*ages).pvalue, abs=5e-4)


def test_the_external_cohort_stands_as_printed_and_people_of_two_knees_count_once():
    paper = load_published("strnet2026_knee").set_index("published_id")
    paper.index = paper.index.str.removeprefix("strnet2026_knee.")
    people = PEOPLE.assign(subject_id=range(12))
    twice = pd.concat([people, people[:3]])
    table = beside_table_6(paper, {"phantom": people, "again": twice})
    assert table["paper, external"].tolist() == ["42", "63.1 ± 15.2", "37 (88.1%)", "26.2 ± 4.2", "30 (71.4%)"]
    assert table["phantom"].equals(table["again"])
    assert table.loc[["People", "Women", "Bone loss"], "phantom"].tolist() == ["12", "9 (75.0%)", "8 (66.7%)"]
    assert table.loc["BMI (kg/m²)", "phantom"] == f"25.5 ± {np.sqrt(12 * 0.25 / 11):.1f}"


def test_mean_and_t_interval_by_hand():
    """1, 2, 3: mean 2, SD 1, standard error 1 / sqrt(3), t(2) = 4.303."""
    value, (low, high) = mean_ci(pd.Series([1.0, 2.0, 3.0, np.nan]))
    assert value == 2
    assert high - value == pytest.approx(4.303 / np.sqrt(3), abs=1e-3)
    assert value - low == pytest.approx(high - value)


def test_traits_that_differ_are_named():
    """Ages differ between the classes, BMI and sex do not; normal films show one leg, all others two."""
    people = pd.concat([PEOPLE] * 2, ignore_index=True).assign(
        film_layout=lambda p: np.where(p["label"] == "normal", "single", "bilateral"), bmi_kg_m2=[20, 30] * 12,
        sex=["F", "F", "M", "M"] * 6,
    )  # fmt: skip
    assert traits_that_differ(people) == ["age", "the layout of the film"]


def test_copies_contradict_each_other_only_within_a_class_and_where_rows_differ():
    films = pd.DataFrame({"image_id": list("abcdef"), "label": ["normal"] * 4 + ["normal", "osteopenia"],
                          "age_years": [30, 31, np.nan, np.nan, 40, 50], "sex": "F", "t_score": 0.0})  # fmt: skip
    assert contradictory_copies(films, ["ab", "cd", "ef"]) == ["ab"]
