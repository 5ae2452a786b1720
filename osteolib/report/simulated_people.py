"""Figures and a table of simulated people beside real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from osteolib.phantoms.people_check import by_decade, residual_skewness, t_score_by_age
from osteolib.report.show import figure
from osteolib.report.style import INK, use_style
from osteolib.runs import Run

SEXES = {"F": "women", "M": "men"}
GROUPS = {
    "phantom": "PHANTOM",
    "nhanes": "REAL, NHANES at the phantom's ages",
    "patients": "REAL, patients of the knee films",
}
COLUMNS = {"age_years": "age, years", "bmi_kg_m2": "BMI, kg/m²", "t_score": "T-score"}


def fit_figure(people: pd.DataFrame, model: Mapping[str, Any]) -> plt.Figure:
    """The model's mean and SD of the T-score by age, and those of real people in groups of five years."""
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.1), sharey=True)
    ages = np.arange(20, 81)
    for axis, (sex, name) in zip(axes, SEXES.items(), strict=True):
        mean, sd = t_score_by_age(model[sex], ages)
        axis.fill_between(ages, mean - sd, mean + sd, color="#D55E00", alpha=0.18, lw=0)
        axis.plot(ages, mean, color="#D55E00", lw=2, label="model: mean, ± SD")
        group = people[people["sex"] == sex]
        groups = group.groupby(group["age_years"] // 5 * 5)
        bins, at = groups["t_score"].agg(["mean", "std"]), groups["age_years"].mean()
        look = {"fmt": "o", "ms": 4, "color": INK, "lw": 1}
        axis.errorbar(at, bins["mean"], bins["std"], label="NHANES, 5 years: mean, ± SD", **look)
        axis.set(title=name.capitalize(), xlabel="age (years)")
    axes[0].set(ylabel="T-score, lower hip site")
    axes[0].legend(fontsize="small", loc="lower left")
    return fig


def quantile_figure(real: pd.DataFrame, simulated: pd.DataFrame) -> plt.Figure:
    """Quantiles (2 to 98 %) of T-score and BMI of simulated people against those of real ones, by sex."""
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.3))
    share = np.linspace(0.02, 0.98, 49)
    for axis, column, name in zip(axes, ("t_score", "bmi_kg_m2"), ("T-score", "BMI (kg/m²)"), strict=True):
        for (sex, word), marker, colour in zip(SEXES.items(), "os", ("#0072B2", "#E69F00"), strict=True):
            x, y = (d.loc[d["sex"] == sex, column].quantile(share) for d in (real, simulated))
            axis.plot(x, y, marker, ms=4, alpha=0.7, label=word, color=colour)
        axis.axline((x.iloc[24], x.iloc[24]), slope=1, color=INK, lw=1)
        axis.set(xlabel=f"NHANES, {name}", ylabel=f"phantom, {name}", title=name)
    axes[0].legend()
    return fig


def quantile_table(groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Quantiles of age, BMI and T-score by sex, a line for each of :data:`GROUPS`; those drawn anew have no count."""
    rows = []
    for column, unit in COLUMNS.items():
        for sex in SEXES:
            for who, people in groups.items():
                values = people.loc[people["sex"] == sex, column].dropna()
                count = "" if who == "nhanes" else len(values)
                rows.append([unit, sex, GROUPS[who], count, *values.quantile([0.05, 0.25, 0.5, 0.75, 0.95]).round(2)])
    return pd.DataFrame(rows, columns=["", "sex", "people", "n", "5 %", "25 %", "median", "75 %", "95 %"])


def show_fit(run: Run, people: pd.DataFrame, model: Mapping[str, Any]) -> None:
    """The figure of the fit, facts on its worst places, and ``residuals.csv``, the numbers by decade."""
    figure(run, "nhanes_fit", fit_figure(people, model), alt="T-score by age, women and men: NHANES means and SDs in "
           "groups of five years on the model's line and band.")  # fmt: skip
    residuals, skew = by_decade(people, model), residual_skewness(people, model)
    run.fact(skew_f=skew["F"], skew_m=skew["M"], **worst_places(residuals))
    run.write("residuals.csv", residuals.round(2).to_csv(index=False))


def worst_places(residuals: pd.DataFrame) -> dict[str, float | str]:
    """Where the mean differs most between real people and the model, and the share of T-scores of -2.5 and below."""
    worst = residuals.loc[residuals["difference"].abs().idxmax()]
    tail = residuals["model ≤ −2.5, %"] - residuals["NHANES ≤ −2.5, %"]
    at = residuals.loc[tail.abs().idxmax()]
    found = {"worst": worst["difference"], "worst_sex": worst["sex"], "worst_age": worst["age"]}
    return found | {"tail": tail[at.name], "tail_at": f"{at['sex']} {at['age']}"}


def show_t_scores(run: Run, groups: Mapping[str, pd.DataFrame]) -> None:
    """Quantiles of ``phantom`` against ``nhanes``, facts on each group, and ``people.csv``, quantiles of all of them.

    Facts: ``loss_`` (share with a T-score of at most -1), ``low_`` (-2.5) and ``men_`` (the men's 5 % quantile).
    """
    figure(run, "quantiles", quantile_figure(groups["nhanes"], groups["phantom"]), alt="Quantiles of T-score and BMI "
           "of the simulated people against those of NHANES people of the same ages, with the diagonal.")  # fmt: skip
    for who, people in groups.items():
        t, men = people["t_score"], people.loc[people["sex"] == "M", "t_score"]
        run.fact(**{f"loss_{who}": np.mean(t <= -1), f"low_{who}": np.mean(t <= -2.5)})
        if men.notna().any():  # a cohort may not say who is a man
            run.fact(**{f"men_{who}": men.quantile(0.05)})
    run.write("people.csv", quantile_table(groups).to_csv(index=False))
