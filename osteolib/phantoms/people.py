"""People of a phantom: age, sex, BMI and T-score from a model fitted to NHANES, one per sex.

    log BMI  = c . (1, a, a^2)              + e_bmi,   a = (age - 50) / 10
    T        = b . (1, a, a^2, log(BMI/27)) + e_t

with normal residuals. Quadratic in age, since the mean T-score of women falls faster after the menopause. The
coefficients lie in the phantom's manifest with the fingerprint of the cohort they were fitted on, so that no real data
are needed to sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def age_terms(age_years: np.ndarray) -> np.ndarray:
    """Shape (n, 3): 1, a and a^2 with a in decades from 50 years."""
    return np.vander((np.asarray(age_years, float) - 50) / 10, 3, increasing=True)


def t_terms(age_years: np.ndarray, bmi_kg_m2: np.ndarray) -> np.ndarray:
    """Shape (n, 4): the age terms and log(BMI / 27)."""
    return np.column_stack([age_terms(age_years), np.log(np.asarray(bmi_kg_m2, float) / 27)])


def fit_people(subjects: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Fit the model by least squares.

    Parameters
    ----------
    subjects
        With ``sex``, ``age_years``, ``bmi_kg_m2`` and ``t_score``, as those of ``nhanes-dxa`` from 20 years on; rows
        that miss one are left out.

    Returns
    -------
    For ``"F"`` and ``"M"``: ``log_bmi`` (3 coefficients), ``log_bmi_sd``, ``t_score`` (4), ``t_score_sd`` and ``n``.

    Raises
    ------
    ValueError
        Fewer than 50 complete rows of one sex.
    """
    complete = subjects.dropna(subset=["sex", "age_years", "bmi_kg_m2", "t_score"])
    model = {}
    for sex in ("F", "M"):
        group = complete[complete.sex == sex]
        if len(group) < 50:
            raise ValueError(f"{len(group)} complete rows of sex {sex}: a model of people needs at least 50 of each")
        model[sex] = {"n": len(group)}
        for name, terms, y in (
            ("log_bmi", age_terms(group.age_years), np.log(group.bmi_kg_m2)),
            ("t_score", t_terms(group.age_years, group.bmi_kg_m2), group.t_score),
        ):
            beta = np.linalg.lstsq(terms, y, rcond=None)[0]
            model[sex] |= {name: beta.round(5).tolist(), f"{name}_sd": round(float(np.std(y - terms @ beta)), 5)}
    return model


def sample_people(settings: Mapping[str, Any], n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw people: ``sex``, ``age_years``, ``bmi_kg_m2``, ``t_score``; one row each.

    ``settings`` holds ``women`` (their share), ``age_years`` (mean, sd, low, high of a truncated normal) and the model
    of :func:`fit_people` under ``F`` and ``M``.
    """
    from scipy.stats import truncnorm

    age = settings["age_years"]
    low, high = ((age[edge] - age["mean"]) / age["sd"] for edge in ("low", "high"))
    years = truncnorm.ppf(rng.random(n), low, high, loc=age["mean"], scale=age["sd"]).round(1)
    women = rng.random(n) < settings["women"]
    residual = rng.normal(size=(2, n))

    def by_sex(name: str, terms: np.ndarray, noise: np.ndarray) -> np.ndarray:
        f, m = (terms @ settings[s][name] + settings[s][f"{name}_sd"] * noise for s in ("F", "M"))
        return np.where(women, f, m)

    bmi = np.exp(by_sex("log_bmi", age_terms(years), residual[0])).clip(15, 60).round(1)
    t_score = by_sex("t_score", t_terms(years, bmi), residual[1]).clip(-6, 5).round(2)
    return pd.DataFrame({
        "sex": np.where(women, "F", "M"), "age_years": years, "bmi_kg_m2": bmi, "t_score": t_score,
    })  # fmt: skip
