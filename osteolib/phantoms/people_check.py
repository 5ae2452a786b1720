"""Does the model of simulated people fit the real ones? Its T-scores by age, and real people at the ages of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.people import age_terms, t_terms


def t_score_by_age(model: Mapping[str, Any], age_years: ArrayLike) -> tuple[NDArray, NDArray]:
    """Mean and SD of the T-score at each age; the spread of BMI adds to the residual's.

    ``model``: one sex of :func:`osteolib.phantoms.people.fit_people`.
    """
    terms, slope = age_terms(age_years), model["t_score"][3]
    mean = terms @ model["t_score"][:3] + slope * (terms @ model["log_bmi"] - np.log(27))
    return mean, np.hypot(np.full(len(mean), model["t_score_sd"]), slope * model["log_bmi_sd"])


def by_decade(people: pd.DataFrame, model: Mapping[str, Any]) -> pd.DataFrame:
    """T-scores of real people by sex and decade of age, beside what the model gives for people of their ages.

    ``people`` with ``sex, age_years, t_score``, none missing. Shares of -2.5 and below are in percent.
    """
    from scipy.stats import norm

    rows = []
    for (sex, decade), group in people.groupby(["sex", people["age_years"] // 10 * 10]):
        (mean, sd), t = t_score_by_age(model[sex], group["age_years"]), group["t_score"]
        rows.append({
            "sex": sex, "age": f"from {decade:.0f}", "NHANES n": len(group),
            "NHANES mean": t.mean(), "model mean": mean.mean(), "difference": t.mean() - mean.mean(),
            "NHANES SD": t.std(), "model SD": np.hypot(sd[0], mean.std()),
            "NHANES ≤ −2.5, %": 100 * np.mean(t <= -2.5),
            "model ≤ −2.5, %": 100 * norm.cdf((-2.5 - mean) / sd).mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def residual_skewness(people: pd.DataFrame, model: Mapping[str, Any]) -> dict[str, float]:
    """Skewness of real T-scores around the model, by sex; the model's own residuals have none."""
    return {
        sex: (g["t_score"] - t_terms(g["age_years"], g["bmi_kg_m2"]) @ model[sex]["t_score"]).skew()
        for sex, g in people.groupby("sex")
    }


def at_the_ages_of(people: pd.DataFrame, others: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """``n`` rows of ``people``, drawn with replacement to the sexes and ages (in steps of 5 years) of ``others``."""
    keys = [[d["sex"], (d["age_years"] / 5).round()] for d in (others, people)]
    share = others.groupby(keys[0]).size() / people.groupby(keys[1]).size()
    weights = share.reindex(pd.MultiIndex.from_arrays(keys[1])).fillna(0).to_numpy()
    return people.sample(n, replace=True, weights=weights, random_state=seed)
