import numpy as np
import pandas as pd
import pytest

from osteolib.phantoms.people import sample_people
from osteolib.phantoms.people_check import t_score_by_age
from osteolib.phantoms.settings import phantom_settings
from osteolib.report.simulated_people import fit_figure, quantile_figure, quantile_table, show_t_scores, worst_places

MODEL = phantom_settings("knee-phantom")["people"]
PEOPLE = sample_people(MODEL, 4000, np.random.default_rng(0))


def test_the_line_of_the_fit_is_the_model_and_the_points_are_means_of_five_years():
    fig = fit_figure(PEOPLE, MODEL)
    for axis, sex in zip(fig.axes, "FM", strict=True):
        np.testing.assert_allclose(axis.lines[0].get_ydata(), t_score_by_age(MODEL[sex], np.arange(20, 81))[0])
        points = axis.containers[0].lines[0].get_ydata()
        group = PEOPLE[(PEOPLE["sex"] == sex) & PEOPLE["age_years"].between(60, 64.99)]
        assert np.abs(points - group["t_score"].mean()).min() < 1e-9


def test_two_equal_groups_lie_on_the_diagonal():
    fig = quantile_figure(PEOPLE, PEOPLE)
    for axis in fig.axes:
        for line in axis.lines[:2]:
            np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())
    assert [t.get_text() for t in fig.axes[0].get_legend().get_texts()] == ["women", "men"]


def test_quantiles_by_hand_and_no_count_for_weighted_people():
    half = pd.DataFrame({"sex": "F", "age_years": np.arange(101.0), "bmi_kg_m2": 25.0, "t_score": np.nan})
    both = pd.concat([half, half.assign(sex="M")])
    table = quantile_table({"phantom": both, "nhanes": both})
    assert table["n"].tolist() == [101, "", 101, "", 101, "", 101, "", 0, "", 0, ""]
    assert table.loc[0, ["5 %", "25 %", "median", "75 %", "95 %"]].tolist() == pytest.approx([5, 25, 50, 75, 95])


def test_the_worst_places_and_the_shares_of_each_group_by_hand(run, tmp_path):
    residuals = pd.DataFrame({"sex": list("FM"), "age": ["from 20", "from 30"], "difference": [0.1, -0.2],
                              "model ≤ −2.5, %": [5.0, 2.0], "NHANES ≤ −2.5, %": [1.0, 3.0]})  # fmt: skip
    worst = {"worst": -0.2, "worst_sex": "M", "worst_age": "from 30", "tail": 4.0, "tail_at": "F from 20"}
    assert worst_places(residuals) == worst
    people = pd.DataFrame(
        {"sex": list("FFMM"), "t_score": [0.0, -1.0, -2.5, -3.5], "bmi_kg_m2": 25.0, "age_years": 60.0}
    )
    show_t_scores(run, {"phantom": people, "nhanes": people})
    assert (run.facts["loss_phantom"], run.facts["low_nhanes"]) == (0.75, 0.5)
    assert run.facts["men_phantom"] == pytest.approx(-3.45)  # a twentieth of the way from -3.5 to -2.5
    assert (tmp_path / "quantiles.png").is_file()
    assert pd.read_csv(tmp_path / "people.csv")["median"].tolist()[:2] == [60, 60]
