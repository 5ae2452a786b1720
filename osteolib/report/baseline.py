"""The baseline table: who is in each class, and do the classes differ in more than their bone?"""

from __future__ import annotations

import pandas as pd
from scipy import stats

from osteolib.cohorts import LABELS

CONTINUOUS = {"age_years": "Age (years)", "bmi_kg_m2": "BMI (kg/m²)", "t_score": "T-score"}


def baseline_table(people: pd.DataFrame) -> pd.DataFrame:
    """Table 3 of the knee paper on any cohort: mean ± SD with Kruskal-Wallis, women with chi-square.

    Parameters
    ----------
    people
        One row per person: ``label, sex, age_years, bmi_kg_m2, t_score``; missing values are left out of their row.

    Returns
    -------
    One row per characteristic, one column per class, and the p-value of the paper's test.
    """
    classes = {label: people[people["label"] == label] for label in LABELS}
    tests = {column: _p(p) for column, p in class_tests(people).items()}
    rows = {"People": [str(len(group)) for group in classes.values()] + [""]}
    for column, title in CONTINUOUS.items():
        values = [group[column].dropna() for group in classes.values()]
        rows[title] = [*(f"{v.mean():.2f} ± {v.std(ddof=1):.2f}".replace("-", "−") for v in values), tests[column]]
    sexes = [group["sex"].dropna() for group in classes.values()]
    rows["Women"] = [*(f"{(sex == 'F').sum()} ({(sex == 'F').mean():.1%})" for sex in sexes), tests["sex"]]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*LABELS, "p"]).rename_axis("Characteristic")


def class_tests(people: pd.DataFrame) -> dict[str, float]:
    """p-values of the paper's tests between the classes: Kruskal-Wallis, and chi-square for sex; by column."""
    groups = [people[people["label"] == label] for label in LABELS]
    tests = {column: float(stats.kruskal(*(g[column].dropna() for g in groups)).pvalue) for column in CONTINUOUS}
    return tests | {"sex": float(stats.chi2_contingency(pd.crosstab(people["label"], people["sex"])).pvalue)}


def mean_ci(values: pd.Series, confidence: float = 0.95) -> tuple[float, tuple[float, float]]:
    """Mean of the values that are present, and its t interval."""
    present = values.dropna()
    low, high = stats.t.interval(confidence, len(present) - 1, present.mean(), stats.sem(present))
    return float(present.mean()), (float(low), float(high))


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
