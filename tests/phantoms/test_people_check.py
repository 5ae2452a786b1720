import numpy as np
import pandas as pd
import pytest

from osteolib.phantoms.people import fit_people, sample_people
from osteolib.phantoms.people_check import at_the_ages_of, by_decade, residual_skewness, t_score_by_age
from osteolib.phantoms.settings import phantom_settings

MODEL = phantom_settings("knee-phantom")["people"]
PEOPLE = sample_people(MODEL, 40_000, np.random.default_rng(0))


@pytest.mark.parametrize("sex", ["F", "M"])
@pytest.mark.parametrize("age", [40, 60, 70])
def test_mean_and_sd_at_an_age_are_those_of_people_drawn_at_that_age(sex, age):
    same_age = MODEL | {
        "women": float(sex == "F"),
        "age_years": {"mean": age, "sd": 1e-3, "low": age - 1, "high": age + 1},
    }
    drawn = sample_people(same_age, 20_000, np.random.default_rng(1))["t_score"]
    (mean,), (sd,) = t_score_by_age(MODEL[sex], [age])
    assert mean == pytest.approx(drawn.mean(), abs=0.03)
    assert sd == pytest.approx(drawn.std(), abs=0.02)


def test_people_of_the_model_fit_the_model_in_every_decade():
    table = by_decade(PEOPLE, MODEL)
    large = table[table["NHANES n"] > 2000]
    assert large["difference"].abs().max() < 0.08
    assert (large["NHANES ≤ −2.5, %"] - large["model ≤ −2.5, %"]).abs().max() < 1.5
    assert (large["NHANES SD"] - large["model SD"]).abs().max() < 0.05


def test_skewness_of_the_model_is_none_and_that_of_planted_residuals_is_found():
    assert residual_skewness(PEOPLE, MODEL) == pytest.approx({"F": 0, "M": 0}, abs=0.08)
    skewed = PEOPLE.assign(t_score=PEOPLE["t_score"] + np.random.default_rng(0).gamma(1, 3, len(PEOPLE)))
    assert min(residual_skewness(skewed, MODEL).values()) > 1


def test_drawn_people_have_the_ages_of_the_others_and_their_own_t_scores():
    old = PEOPLE[PEOPLE["age_years"] > 60].assign(t_score=9.0)
    drawn = at_the_ages_of(PEOPLE, old, 5000, 0)
    assert len(drawn) == 5000
    for sex in "FM":
        ages = [d.loc[d["sex"] == sex, "age_years"].mean() for d in (drawn, old)]
        assert ages[0] == pytest.approx(ages[1], abs=1)
    assert drawn["t_score"].max() < 6
    assert (drawn["sex"] == "F").mean() == pytest.approx((old["sex"] == "F").mean(), abs=0.03)


def test_the_model_of_the_manifest_is_what_its_own_people_give_back():
    again = fit_people(PEOPLE)
    assert pd.Series(again["F"]["t_score"]).sub(MODEL["F"]["t_score"]).abs().max() < 0.15
