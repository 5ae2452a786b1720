"""Multiple imputation of age, BMI and sex, and how results of several imputed tables become one.

X1AI-Osteo averages all measures over 11 imputed test sets (note to Table 3) and says neither how much was missing nor
how it was imputed. Here each set draws what is missing from its distribution given what is known, by chained Bayesian
regressions fitted on people of training alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

COVARIATES = ("age_years", "bmi_kg_m2", "female")


def covariate_table(subjects: pd.DataFrame) -> pd.DataFrame:
    """Age, BMI and sex (1 female, 0 male) of each person, indexed by ``subject_id``; NaN where missing.

    Raises
    ------
    ValueError
        Rows of one person disagree.
    """
    female = (subjects["sex"] == "F").astype(float).where(subjects["sex"].notna())
    table = subjects[["subject_id", "age_years", "bmi_kg_m2"]].assign(female=female).drop_duplicates()
    if twice := table.loc[table["subject_id"].duplicated(), "subject_id"].tolist():
        raise ValueError(f"age, BMI or sex of {twice[0]} differ between rows: one value a person is needed")
    return table.set_index("subject_id")[list(COVARIATES)].astype(float)


def with_gaps(people: pd.DataFrame, shares: dict[str, float], seed: int) -> pd.DataFrame:
    """A copy in which a share of each named column is missing, completely at random."""
    rng, people = np.random.default_rng(seed), people.copy()
    for column, share in shares.items():
        people.loc[rng.random(len(people)) < share, column] = np.nan
    return people


def imputed(train: pd.DataFrame, new: pd.DataFrame, n_sets: int, seed: int = 0) -> list[pd.DataFrame]:
    """``new`` with what is missing drawn ``n_sets`` times; nothing of ``new`` enters what is fitted.

    Parameters
    ----------
    train, new
        Columns of :data:`COVARIATES`, one row a person; ``new`` may be ``train``.
    n_sets
        The paper has 11.

    Returns
    -------
    Tables like ``new``. A drawn age or BMI stays within what training holds, a drawn sex is 0 or 1.

    Raises
    ------
    ValueError
        A column of ``train`` is missing altogether.
    """
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    columns = list(COVARIATES)
    if empty := [column for column in columns if train[column].isna().all()]:
        raise ValueError(f"{', '.join(empty)} of everybody in training is missing: there is nothing to impute from")
    sets = []
    for number in range(n_sets):
        draw = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
        known = train[columns]
        imputer = IterativeImputer(sample_posterior=True, max_iter=5, random_state=draw,
                                   min_value=known.min().to_numpy(), max_value=known.max().to_numpy())  # fmt: skip
        imputer.fit(known.to_numpy())
        drawn = pd.DataFrame(imputer.transform(new[columns].to_numpy()), new.index, columns)
        guess = np.random.default_rng(draw).random(len(new)) < drawn["female"]
        drawn["female"] = new["female"].where(new["female"].notna(), guess.astype(float))
        sets.append(drawn)
    return sets


@dataclass(frozen=True)
class Pooled:
    """An estimate over imputed sets by Rubin's rules (Multiple Imputation for Nonresponse in Surveys, 1987).

    Attributes
    ----------
    within, between
        Mean of the squared standard errors, and variance of the estimates over the sets.
    df
        Degrees of freedom; infinite where the sets agree.
    """

    estimate: float
    se: float
    ci: tuple[float, float]
    within: float
    between: float
    df: float


def pooled(estimates: ArrayLike, standard_errors: ArrayLike, confidence: float = 0.95) -> Pooled:
    """Pool m estimates: T = W + (1 + 1/m) B, with nu = (m - 1) (1 + W / ((1 + 1/m) B))^2.

    Raises
    ------
    ValueError
        The two differ in length, there are fewer than two, or a standard error is below 0.
    """
    from scipy import stats

    q, se = np.asarray(estimates, float), np.asarray(standard_errors, float)
    if q.shape != se.shape or q.size < 2 or (se < 0).any():
        raise ValueError(f"an estimate and a standard error of 0 or more of two sets at least: got {q.size}, {se.size}")
    m = q.size
    within, between = float(np.mean(se**2)), float(q.var(ddof=1))
    added = (1 + 1 / m) * between
    df = (m - 1) * (1 + within / added) ** 2 if added > 0 else np.inf
    total = np.sqrt(within + added)
    half = stats.t.ppf(0.5 + confidence / 2, df) * total
    return Pooled(float(q.mean()), float(total), (float(q.mean() - half), float(q.mean() + half)), within, between,
                  float(df))  # fmt: skip
