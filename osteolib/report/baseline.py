"""The baseline table: who is in each class, and do the classes differ in more than their bone?"""

from __future__ import annotations

import pandas as pd
from scipy import stats

from osteolib.report.style import LABELS

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
    rows = {"People": [str(len(group)) for group in classes.values()] + [""]}
    for column, title in CONTINUOUS.items():
        values = [group[column].dropna() for group in classes.values()]
        cells = [f"{v.mean():.2f} ± {v.std(ddof=1):.2f}" for v in values]
        rows[title] = [*cells, _p(stats.kruskal(*values).pvalue)]
    women = [(group["sex"] == "F").sum() for group in classes.values()]
    known = [group["sex"].notna().sum() for group in classes.values()]
    test = stats.chi2_contingency([women, [n - w for n, w in zip(known, women, strict=True)]])
    rows["Women"] = [f"{w} ({w / n:.1%})" for w, n in zip(women, known, strict=True)] + [_p(test.pvalue)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*LABELS, "p"]).rename_axis("Characteristic")


def mean_ci(values: pd.Series, confidence: float = 0.95) -> tuple[float, tuple[float, float]]:
    """Mean of the values that are present, and its t interval."""
    present = values.dropna()
    low, high = stats.t.interval(confidence, len(present) - 1, present.mean(), stats.sem(present))
    return float(present.mean()), (float(low), float(high))


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
