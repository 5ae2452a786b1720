"""Tables and rows of the page on two DXA measurements of one person."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteolib.cohorts import Cohort
from osteolib.report.published import load_published
from osteolib.report.show import table
from osteolib.runs import Run
from osteolib.stats import Agreement, lin_ccc

Pairs = Mapping[str, tuple[pd.Series, pd.Series, Agreement]]
"""Name of a pair of sites, to the two T-scores of each person and their agreement."""

SITES = ("t_score_neck", "t_score_total_hip", "t_score_spine")
EXTRACT = {f"t_score_{site}_extract" for site in ("neck", "total_hip")}
"""T-scores that a data set brings beside those that are computed here."""

HIP_PAPER = "X1AI-Osteo, hip film against DXA (published)"


def sites_of(cohort: Cohort, min_age: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each person of a cohort once, with ``t_score_neck, t_score_total_hip, t_score_spine``, NaN where not measured.

    Returns
    -------
    Everybody; and those of ``min_age`` years or more, or everybody where no age is known.
    """
    everyone = cohort.subjects.drop_duplicates("subject_id")
    everyone = everyone.assign(**{site: np.nan for site in SITES if site not in everyone})
    old = everyone["age_years"] >= min_age
    return everyone, everyone[old] if everyone["age_years"].notna().any() else everyone


def show_references(run: Run, everyone: pd.DataFrame) -> None:
    """:func:`extract_references` as a table, where a data set brings T-scores of its own."""
    if EXTRACT.issubset(everyone.columns):
        references = extract_references(everyone)
        caption = "The reference behind the extract's own T-scores (g/cm²)"
        table(run, "references", references.round(3), caption, index=False)


def extract_references(people: pd.DataFrame) -> pd.DataFrame:
    """Mean and SD (g/cm²) of the young people behind a data set's own T-scores, by sex and site.

    BMD = mean + SD T is a straight line, so a fit of BMD on T gives both. ``people`` holds, for the sites ``neck`` and
    ``total_hip``, ``bmd_<site>_g_cm2``, the data set's own ``t_score_<site>_extract`` and ours, ``t_score_<site>``; the
    last column is by how much ours is higher on average.
    """
    rows = []
    for sex, group in people.groupby("sex"):
        for site in ("neck", "total_hip"):
            theirs = group[f"t_score_{site}_extract"]
            sd, mean = np.polyfit(theirs, group[f"bmd_{site}_g_cm2"], 1)
            rows.append((sex, site, len(group), mean, sd, (group[f"t_score_{site}"] - theirs).mean()))
    return pd.DataFrame(rows, columns=["sex", "site", "people", "mean", "SD", "ours − theirs (T)"])


def record_agreement(run: Run, pairs: Pairs, cohort: str) -> None:
    """Result rows of each pair: bias, both limits and concordance, with intervals."""
    for name, (a, b, found) in pairs.items():
        ccc = lin_ccc(a, b)
        for metric, value, ci in (
            ("t_score_bias", found.bias, found.bias_ci),
            ("t_score_limit", found.loa_low, found.loa_low_ci),
            ("t_score_limit", found.loa_high, found.loa_high_ci),
            ("lin_ccc", ccc.ccc, ccc.ci),
        ):
            run.result(None, f"{metric}, {name}", value, ci=ci, n=found.n, cohort=cohort)


def beside_the_hip_paper(pairs: Pairs) -> pd.DataFrame:
    """Agreement of each pair, and as the last line what the hip paper prints of its prediction against DXA."""
    rows = {
        name: {"n": found.n, "r": a.corr(b), "CCC": lin_ccc(a, b).ccc, "bias": found.bias,
               "lower limit": found.loa_low, "upper limit": found.loa_high}
        for name, (a, b, found) in pairs.items()
    }  # fmt: skip
    paper = load_published("chen2024_hip").set_index("published_id")["value"]
    paper.index = paper.index.str.removeprefix("chen2024_hip.")
    rows[HIP_PAPER] = {"n": paper["test.images"], "r": paper["r"], "CCC": paper["ccc"], "bias": paper["ba.bias"],
                       "lower limit": paper["ba.lower"], "upper limit": paper["ba.upper"]}  # fmt: skip
    return pd.DataFrame(rows).T.astype({"n": int})
