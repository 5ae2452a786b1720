import numpy as np
import pandas as pd
import pytest

from osteolib.cohorts import load_manifest
from osteolib.phantoms.people import fit_people, sample_people

PEOPLE = load_manifest("knee-phantom").settings["people"]
PLANTED = {
    "F": {"log_bmi": [3.3, 0.02, -0.01], "log_bmi_sd": 0.2, "t_score": [-0.5, -0.4, -0.05, 2.0], "t_score_sd": 0.9},
    "M": {"log_bmi": [3.2, -0.02, 0.01], "log_bmi_sd": 0.1, "t_score": [0.3, -0.2, 0.02, 1.0], "t_score_sd": 1.1},
}


def test_the_fit_finds_planted_coefficients():
    rng = np.random.default_rng(0)
    n = 40_000
    age = rng.uniform(20, 80, n)
    a = (age - 50) / 10
    sex = np.where(rng.random(n) < 0.5, "F", "M")
    table = pd.DataFrame({"sex": sex, "age_years": age, "bmi_kg_m2": np.nan, "t_score": np.nan})
    for s, truth in PLANTED.items():
        c, b = truth["log_bmi"], truth["t_score"]
        log_bmi = c[0] + c[1] * a + c[2] * a**2 + truth["log_bmi_sd"] * rng.normal(size=n)
        mean = b[0] + b[1] * a + b[2] * a**2 + b[3] * (log_bmi - np.log(27))
        here = sex == s
        table.loc[here, "bmi_kg_m2"] = np.exp(log_bmi)[here]
        table.loc[here, "t_score"] = (mean + truth["t_score_sd"] * rng.normal(size=n))[here]
    table.loc[:9, "bmi_kg_m2"] = np.nan  # left out, not guessed
    model = fit_people(table)
    assert model["F"]["n"] + model["M"]["n"] == n - 10
    for s, truth in PLANTED.items():
        for name, value in truth.items():
            np.testing.assert_allclose(model[s][name], value, atol=0.08 if name == "t_score" else 0.01, err_msg=name)


def test_people_sampled_from_the_manifest_give_its_coefficients_back():
    people = sample_people(PEOPLE, 60_000, np.random.default_rng(1))
    again = fit_people(people)
    for sex in ("F", "M"):
        assert again[sex]["t_score"][:3] == pytest.approx(PEOPLE[sex]["t_score"][:3], abs=0.03)
        assert again[sex]["t_score_sd"] == pytest.approx(PEOPLE[sex]["t_score_sd"], rel=0.02)
        assert again[sex]["log_bmi"] == pytest.approx(PEOPLE[sex]["log_bmi"], abs=0.01)


def test_sampled_people_are_those_asked_for():
    people = sample_people(PEOPLE, 20_000, np.random.default_rng(2))
    assert (people.sex == "F").mean() == pytest.approx(PEOPLE["women"], abs=0.015)
    assert people.age_years.between(PEOPLE["age_years"]["low"], PEOPLE["age_years"]["high"]).all()
    women, men = (people[people.sex == s].groupby(people.age_years // 20).t_score.mean() for s in "FM")
    assert women.is_monotonic_decreasing
    assert (women < men).all()  # one reference, young women, for both sexes
    pd.testing.assert_frame_equal(people, sample_people(PEOPLE, 20_000, np.random.default_rng(2)))


def test_too_few_people_of_one_sex_are_refused():
    table = pd.DataFrame({"sex": ["F"] * 60, "age_years": 50.0, "bmi_kg_m2": 27.0, "t_score": -1.0})
    with pytest.raises(ValueError, match="0 complete rows of sex M"):
        fit_people(table)
