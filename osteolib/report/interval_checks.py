"""Printed intervals of a 2 x 2 table held against what a bootstrap and the formulas make of its four counts.

Counts come in the order (TN, FP, FN, TP). ``printed`` is a part of the published values, indexed by metric, with the
columns ``value, ci_low, ci_high, decimals``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from osteolib.report.show import with_ci
from osteolib.stats import BootstrapResult, bootstrap_ci
from osteolib.stats.coverage import coverage

SIZES = {
    "internal": ("T1.BoneLoss.test", "T1.Normal.test", "test"),
    "severity": ("T5.op", "T5.penia", "T5"),
    "external": ("ext.bl_n", "ext.n", "ext"),
}
"""Test sets of the knee paper: where cases, normals (of ``external``: all), sensitivity and AUROC are printed."""


FOUR = {"sensitivity": "sens", "specificity": "spec", "ppv": "ppv", "npv": "npv"}
"""The shares of a 2 x 2 table, and what the published values call them."""
KINDS = {"strata": "bootstrap, stratified", "people": "bootstrap of people", "wilson": "Wilson", "delong": "DeLong",
         "bca": "bootstrap, stratified, BCa"}  # fmt: skip
"""Kinds of interval that :func:`coverage_in_short` quotes."""


def printed_counts(paper: pd.DataFrame, place: str) -> np.ndarray:
    """(TN, FP, FN, TP) of a printed confusion matrix: ``F7`` internal, ``F10`` external."""
    return paper.loc[[f"{place}.{cell}" for cell in ("TN", "FP", "FN", "TP")], "value"].to_numpy(int)


def printed_shares(paper: pd.DataFrame, place: str) -> pd.DataFrame:
    """The printed rows of :data:`FOUR` of a place (``ext``, ``T5``), indexed by metric."""
    return paper.loc[[f"{place}.{key}" for key in FOUR.values()]].set_index(pd.Index(FOUR, name="metric"))


def nearest_counts(paper: pd.DataFrame) -> list[int]:
    """The 2 x 2 table of Table 5's numbers of knees that comes nearest to its sensitivity and specificity."""
    n_pos, n_neg = (int(paper.loc[f"T5.{key}", "value"]) for key in ("op", "penia"))
    tp, tn = (round(paper.loc[f"T5.{key}", "value"] * n) for key, n in (("sens", n_pos), ("spec", n_neg)))
    return [tn, n_neg - tn, n_pos - tp, tp]


def symmetry(paper: pd.DataFrame, boot: BootstrapResult) -> dict[str, float]:
    """How far from the middle of their intervals Table 5's values lie at most (``off``), and a bootstrap's do."""
    rows = paper[paper.index.str.startswith("T5.") & paper["ci_low"].notna()]
    off = ((rows["ci_low"] + rows["ci_high"]) / 2 - rows["value"]).abs().max()
    lopsided = max(abs(sum(boot.ci[metric]) / 2 - boot.estimate[metric]) for metric in boot.ci)
    return {"n_t5": len(rows), "off": float(off), "lopsided": float(lopsided)}


def people_of(counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Truth and call, 0 or 1, of everybody whom the four counts hold."""
    return np.repeat([0, 0, 1, 1], counts), np.repeat([0, 1, 0, 1], counts)


def shares_of(counts: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Numerator and denominator of the four shares of a 2 x 2 table."""
    tn, fp, fn, tp = (int(count) for count in counts)
    return {"sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp), "ppv": (tp, tp + fp), "npv": (tn, tn + fn)}


def against_seeds(printed: pd.DataFrame, counts: Sequence[int], n_seeds: int = 200) -> pd.DataFrame:
    """Does the stratified percentile bootstrap of 2,000 draws give the printed intervals, for some seed?

    Returns
    -------
    One row a metric: ``metric``, ``paper``, ``ours``, the ends that the seeds give, the normal approximation,
    and ``method check``: passed
    if the value and each printed end are among ours, rounded as printed, else failed.
    """
    from statsmodels.stats.proportion import proportion_confint

    y_true, called = people_of(counts)
    many = [
        bootstrap_ci(y_true, called, list(printed.index), threshold=0.5, n_boot=2000, method="percentile", seed=seed)
        for seed in range(n_seeds)
    ]
    rows = []
    for metric, row in printed.iterrows():
        ends = np.round([result.ci[metric] for result in many], int(row["decimals"]))
        found, value = [sorted(set(side)) for side in ends.T], many[0].estimate[metric]
        passed = (
            round(value, int(row["decimals"])) == row["value"]
            and row["ci_low"] in found[0]
            and row["ci_high"] in found[1]
        )
        rows.append(
            {
                "metric": metric,
                "paper": with_ci(row["value"], row["ci_low"], row["ci_high"], ".3f"),
                "ours": f"{value:.3f}",
                f"lower ends of {n_seeds} seeds": ", ".join(f"{end:.3f}" for end in found[0]),
                "upper ends": ", ".join(f"{end:.3f}" for end in found[1]),
                "normal approximation": "{:.3f} to {:.3f}".format(*proportion_confint(*shares_of(counts)[metric])),
                "method check": "passed" if passed else "failed",
            }
        )
    return pd.DataFrame(rows)


def against_formulas(printed: pd.DataFrame, counts: Sequence[int], boot: BootstrapResult) -> pd.DataFrame:
    """Printed intervals beside a bootstrap's, the normal approximation and Wilson's, each with its width."""
    from statsmodels.stats.proportion import proportion_confint

    def width(low: float, high: float) -> str:
        return f"{low:.3f} to {high:.3f}  ({high - low:.3f})"

    rows = [
        {
            "metric": metric,
            "printed value": row["value"],
            "nearest": k / n,
            "printed": width(row["ci_low"], row["ci_high"]),
            "bootstrap": width(*boot.ci[metric]),
            "normal approximation": width(*proportion_confint(k, n)),
            "Wilson": width(*proportion_confint(k, n, method="wilson")),
        }
        for (metric, (k, n)), row in zip(shares_of(counts).items(), printed.to_dict("records"), strict=True)
    ]
    return pd.DataFrame(rows).round(3)


def widths(printed: pd.DataFrame, counts: Sequence[int], boot: BootstrapResult) -> dict[str, str | float]:
    """Which shares' printed intervals are ``nearer`` in width to the normal approximation than to the bootstrap.

    And by how much the two kinds differ: at most for sensitivity and specificity (``little``), at least for PPV and NPV
    (``much``), which a bootstrap within the classes draws from fixed numbers of cases and normals.
    """
    from statsmodels.stats.proportion import proportion_confint

    found, gap = [], {}
    for metric, (k, n) in shares_of(counts).items():
        width = printed.loc[metric, "ci_high"] - printed.loc[metric, "ci_low"]
        normal, drawn = (high - low for low, high in (proportion_confint(k, n), boot.ci[metric]))
        gap[metric] = abs(normal - drawn)
        if abs(width - normal) < abs(width - drawn):
            found.append(metric)
    return {"nearer": ", ".join(found) or "none", "little": max(gap["sensitivity"], gap["specificity"]),
            "much": min(gap["ppv"], gap["npv"])}  # fmt: skip


def coverage_at_printed_sizes(
    paper: pd.DataFrame, knee_correlation: float, n_studies: int, rng: np.random.Generator
) -> pd.DataFrame:
    """:func:`osteolib.stats.coverage.coverage` at the paper's test sets, its printed values taken as the truth.

    Returns
    -------
    Index ``metric, correlated, interval``; one column a test set, named with its cases + normals. NaN where a kind was
    not tried.
    """
    parts = []
    for size, (cases, normals, key) in SIZES.items():
        m, n = paper.loc[[cases, normals], "value"].astype(int)
        n -= m if size == "external" else 0  # printed there: cases, and all
        auroc, sensitivity = paper.loc[[f"{key}.auroc", f"{key}.sens"], "value"]
        for correlation in (0.0, knee_correlation):
            covers = coverage(m, n, auroc, sensitivity, correlation, n_studies, rng)
            parts.append(covers.assign(correlated=correlation > 0, study=f"{size}, {m} + {n}"))
    index = ["metric", "correlated", "interval"]
    return pd.concat(parts).pivot(index=index, columns="study", values="covers").sort_index()


def coverage_in_short(coverage: pd.DataFrame, n_studies: int) -> dict[str, float]:
    """Coverage of :data:`KINDS`: ``small_`` external, independent knees; ``pair_`` internal, correlated knees.

    ``noise`` is how far chance alone takes a coverage of 0.95 in so many studies.
    """
    places = (("small", "external", False), ("pair", "internal", True))
    columns = {size: next(c for c in coverage if c.startswith(size)) for size in ("external", "internal")}
    noise = {"noise": 1.96 * np.sqrt(0.95 * 0.05 / n_studies), "n_studies": n_studies}
    return noise | {
        f"{place}_{metric}_{short}": float(coverage.loc[(metric, correlated, kind), columns[size]])
        for place, size, correlated in places
        for metric in ("sensitivity", "auroc")
        for short, kind in KINDS.items()
        if (metric, correlated, kind) in coverage.index
        and not np.isnan(coverage.loc[(metric, correlated, kind), columns[size]])
    }
