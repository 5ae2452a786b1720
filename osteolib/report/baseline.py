"""The baseline table: who is in each class, and do the classes differ in more than their bone?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from scipy import stats

from osteolib.cohorts import LABELS, bone_loss

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


def beside_table_6(paper: pd.DataFrame, groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The external cohort of the knee paper as printed (Table 6), and others of ours counted in the same way.

    Parameters
    ----------
    paper
        Its published values, indexed without the paper's name.
    groups
        By the head of their column: one row a unit with ``subject_id, label, sex, age_years, bmi_kg_m2``; each person
        counts once, a missing value is left out of its row; a dash where all are missing.

    Returns
    -------
    One row a characteristic, the paper in the first column.
    """
    printed, spread = paper["reported"], paper["spread"]
    table = {"paper, external": {
        "People": printed["ext.n"],
        "Age (years)": f"{printed['ext.age']} ± {spread['ext.age']}",
        "Women": f"{printed['ext.female_n']} ({printed['ext.female_pct']}%)",
        "BMI (kg/m²)": f"{printed['ext.bmi']} ± {spread['ext.bmi']}",
        "Bone loss": f"{printed['ext.bl_n']} ({printed['ext.bl_pct']}%)",
    }}  # fmt: skip
    for name, units in groups.items():
        people = units.drop_duplicates("subject_id")
        sex = people["sex"].dropna()
        age, bmi = (_mean_sd(people[column]) for column in ("age_years", "bmi_kg_m2"))
        table[name] = {
            "People": str(len(people)),
            "Age (years)": age,
            "Women": f"{(sex == 'F').sum()} ({(sex == 'F').mean():.1%})" if len(sex) else "–",
            "BMI (kg/m²)": bmi,
            "Bone loss": f"{bone_loss(people['label']).sum()} ({bone_loss(people['label']).mean():.1%})",
        }
    return pd.DataFrame(table).rename_axis("Characteristic")


def _mean_sd(values: pd.Series) -> str:
    return f"{values.mean():.1f} ± {values.std():.1f}" if values.notna().any() else "–"


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


def traits_that_differ(films: pd.DataFrame, level: float = 0.05) -> list[str]:
    """Which of age, BMI, sex and the layout of the film differ between the classes at this level; in words."""
    tests = class_tests(films)
    layout = stats.chi2_contingency(pd.crosstab(films["label"], films["film_layout"])).pvalue
    words = {
        "age": tests["age_years"],
        "BMI": tests["bmi_kg_m2"],
        "sex": tests["sex"],
        "the layout of the film": layout,
    }
    return [word for word, p in words.items() if p < level]


def contradictory_copies(films: pd.DataFrame, groups: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """Groups of image ids with one label whose rows give different ages, sexes or T-scores to the same file."""
    rows = films.set_index("image_id")
    told = [(group, rows.loc[list(group)]) for group in groups]
    return [
        group
        for group, row in told
        if row["label"].nunique() == 1 and row[["age_years", "sex", "t_score"]].nunique(dropna=False).gt(1).any()
    ]
