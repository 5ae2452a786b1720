"""Both T-scores of both hips: femoral neck and total hip by age, sex and BMI, fitted to real people and drawn again.

    log BMI = c . (1, a, a^2)              + e_bmi,    a = (age - 50) / 10
    T_site  = b_site . (1, a, a^2, log(BMI / 27)) + e_site,   corr(e_neck, e_total) = rho

one model for each sex, residuals normal. In the data a person has one hip. Here each has two with the same mean: of a
site's variance a share 1 - r is drawn for each side anew, where r is the correlation between the sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.people import age_terms, t_terms

SITES = ("neck", "total")


def fit_hips(subjects: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Fit the model by least squares.

    Parameters
    ----------
    subjects
        With ``sex, age_years, bmi_kg_m2, t_score_neck`` and ``t_score_total_hip``, as those of ``nhanes-dxa`` from 50
        years on or of ``dxa-korea969``; rows that miss one are left out.

    Returns
    -------
    For ``"F"`` and ``"M"``: ``n``, ``log_bmi`` (3 coefficients), ``neck`` and ``total`` (4 each), the SD of each
    residual (``log_bmi_sd, neck_sd, total_sd``) and ``correlation``, that of the two sites' residuals.

    Raises
    ------
    ValueError
        Fewer than 50 complete rows of one sex.
    """
    needed = ["sex", "age_years", "bmi_kg_m2", "t_score_neck", "t_score_total_hip"]
    complete, model = subjects.dropna(subset=needed), {}
    for sex in ("F", "M"):
        if (n := int((complete.sex == sex).sum())) < 50:
            raise ValueError(f"{n} complete rows of sex {sex}: a model of hips needs at least 50 of each")
    for sex, group in complete.groupby("sex"):
        by_age = age_terms(group.age_years)
        by_age_and_bmi = t_terms(group.age_years, group.bmi_kg_m2)
        model[sex], left = {"n": len(group)}, {}
        for name, terms, y in (
            ("log_bmi", by_age, np.log(group.bmi_kg_m2)),
            ("neck", by_age_and_bmi, group.t_score_neck),
            ("total", by_age_and_bmi, group.t_score_total_hip),
        ):
            beta = np.linalg.lstsq(terms, y, rcond=None)[0]
            left[name] = y - terms @ beta
            model[sex] |= {name: beta.round(5).tolist(), f"{name}_sd": round(float(np.std(left[name])), 5)}
        model[sex]["correlation"] = round(float(np.corrcoef(left["neck"], left["total"])[0, 1]), 5)
    return model


def sample_hips(
    people: Mapping[str, Any], sides: Mapping[str, float], n: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw people with the true T-scores of both hips; one row each.

    Parameters
    ----------
    people
        ``women`` (their share), ``age_years`` (mean, sd, low, high of a normal cut at low and high), the model of
        :func:`fit_hips` under ``F`` and ``M``, and ``move`` (shift, scale): T becomes shift + scale T.
    sides
        Correlation between a person's two hips at each site, ``neck`` and ``total``, and ``t_score_sd``, the SD of
        T-scores in the people that it was measured in.

    Returns
    -------
    ``sex, age_years, bmi_kg_m2`` and, for each side, ``neck_right, neck_left, total_right, total_left``.
    """
    from scipy.stats import truncnorm

    age = people["age_years"]
    low, high = ((age[edge] - age["mean"]) / age["sd"] for edge in ("low", "high"))
    years = truncnorm.ppf(rng.random(n), low, high, loc=age["mean"], scale=age["sd"]).round(1)
    women = rng.random(n) < people["women"]

    def by_sex(name: str) -> NDArray:
        return np.where(women[:, None], people["F"][name], people["M"][name])

    log_bmi = np.sum(age_terms(years) * by_sex("log_bmi"), axis=1) + by_sex("log_bmi_sd")[:, 0] * rng.normal(size=n)
    bmi = np.exp(log_bmi).clip(14, 60).round(1)
    rho = by_sex("correlation")[:, 0]
    common, own = two_sites(rng, rho, 1), two_sites(rng, rho, 2)  # (site, side, person)
    drawn = pd.DataFrame({"sex": np.where(women, "F", "M"), "age_years": years, "bmi_kg_m2": bmi})
    move = people.get("move", {"shift": 0.0, "scale": 1.0})
    for k, site in enumerate(SITES):
        sd = by_sex(f"{site}_sd")[:, 0]
        own_sd = np.minimum(sides["t_score_sd"] * np.sqrt(1 - sides[site]) / move["scale"], sd)
        mean = np.sum(t_terms(years, bmi) * by_sex(site), axis=1) + np.sqrt(sd**2 - own_sd**2) * common[k, 0]
        for j, side in enumerate(("right", "left")):
            drawn[f"{site}_{side}"] = move["shift"] + move["scale"] * (mean + own_sd * own[k, j])
    return drawn


def two_sites(rng: np.random.Generator, rho: NDArray, n_sides: int) -> NDArray:
    """Standard normal numbers of shape (2, n_sides, n), correlated by ``rho`` (n,) between the sites."""
    e = rng.normal(size=(2, n_sides, len(rho)))
    return np.stack([e[0], rho * e[0] + np.sqrt(1 - rho**2) * e[1]])


def move_to(t_score: NDArray, mean: float, sd: float) -> dict[str, float]:
    """The shift and scale that bring T-scores to a printed mean and SD."""
    scale = sd / float(np.std(t_score))
    return {"shift": round(mean - scale * float(np.mean(t_score)), 4), "scale": round(scale, 4)}
