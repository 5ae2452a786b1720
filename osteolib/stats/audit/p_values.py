"""Does a printed p-value follow from the numbers beside it, by some test that the paper may have meant?

Papers seldom say all: Student or Welch, whether the ± is an SD or a standard error, one tail or two, Pearson, Yates or
Fisher. Every combination is tried, each over all that rounding allows, and only a p-value that none of them gives is
called inconsistent: what statcheck does for one test (Nuijten et al., Behav Res Methods 2016), for a choice of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal

import numpy as np
import scipy  # its parts load when they are used

from osteolib.stats.audit.arguments import Exact, Number, Roundings, Spread
from osteolib.stats.audit.limits import at_least
from osteolib.stats.audit.outcome import Outcome, judged, range_of
from osteolib.stats.audit.printed import ROUNDINGS, TOLERANCE

Relation = Literal["=", "<", ">"]
Choice = Literal["Student", "Welch", "normal", "SD", "standard error", "two tails", "one tail"]
Ends = tuple[float, float]
SLACK = 1e-9  # relative, of the functions of scipy


def p_of_means(
    p: Number, mean_a: Number, spread_a: Spread, n_a: int, mean_b: Number, spread_b: Spread, n_b: int,
    relation: Relation = "=", stated: list[Choice] | None = None, roundings: Roundings = ROUNDINGS,
) -> Outcome:  # fmt: skip
    """A p-value of two independent groups follows from their means and ± by some test.

    Tried are Student's, Welch's and the normal test, the ± as SD and as standard error, two tails and one; stated are
    those of these choices that the paper tells, which leaves fewer. relation says whether it prints p as it is, or
    below or above a bound. computed: reproduced_by (the ways that give
    it), tried (how many), p (of each way the range that rounding allows).

    Example: {p: "0.03", mean_a: "61.2", spread_a: "8.1", n_a: 30, mean_b: "66.4", spread_b: "9.3", n_b: 28}
    """
    at_least(2, n_a=n_a, n_b=n_b)
    sizes = np.array([n_a, n_b])
    (a_low, a_high), (b_low, b_high) = mean_a.interval(roundings), mean_b.interval(roundings)
    differences = a_low - b_high, a_high - b_low
    spreads = [np.maximum(spread.interval(roundings), 0) for spread in (spread_a, spread_b)]
    ways = {}
    for test, of in product(("Student", "Welch", "normal"), ("SD", "standard error")):
        corners = [np.array(ends) * (1 if of == "SD" else np.sqrt(sizes)) for ends in product(*spreads)]
        errors, freedom = zip(*(_error(test, sds, sizes) for sds in corners), strict=True)
        df = min(freedom), max(freedom)
        if test == "Welch":  # at most n - 2, which lies between the corners where the ratio of the SDs passes through
            ratios = [sds[0] ** 2 / n_a / (n_a - 1) * n_b * (n_b - 1) / sds[1] ** 2 if sds[1] else np.inf
                      for sds in corners]  # fmt: skip
            df = df[0], n_a + n_b - 2 if min(ratios) <= 1 <= max(ratios) else df[1]
        z = _quotient(differences, (min(errors), max(errors)))
        nearest = 0.0 if z[0] <= 0 <= z[1] else min(map(abs, z))
        farthest = max(map(abs, z))
        ways[f"{test}, {of}, two tails"] = 2 * _tail(farthest, df[1]), 2 * _tail(nearest, df[0])
        ways[f"{test}, {of}, one tail"] = _one_tail(z, df)
    return _outcome(p, relation, {way: ends for way, ends in ways.items() if _as_stated(way, stated or [])}, roundings)


def p_of_table(p: Number, table: Exact, relation: Relation = "=", roundings: Roundings = ROUNDINGS) -> Outcome:
    """A p-value of a table of counts follows by some test of independence.

    Tried are Pearson's chi-square and the likelihood ratio; of 2 x 2 tables also Yates' correction, Fisher's exact test
    with two tails and with one, and half of Pearson's p, which is one tail. computed: reproduced_by (the ways that
    give it), tried (how many), p (of each way).

    Example: {p: "0.04", table: [[12, 18], [21, 9]]}
    """
    counts = np.asarray(table, float) if _is_table(table) else None
    if counts is None or (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
        raise ValueError(f"table: write rows of counts of equal length, none of them all 0, got {table}")
    of = scipy.stats.chi2_contingency
    ways = {"Pearson": of(counts, correction=False).pvalue,
            "likelihood ratio": of(counts, correction=False, lambda_="log-likelihood").pvalue}  # fmt: skip
    if counts.shape == (2, 2):
        ways |= {"Yates": of(counts).pvalue, "Pearson, one tail": ways["Pearson"] / 2}
        two, *one = (scipy.stats.fisher_exact(counts, side).pvalue for side in ("two-sided", "less", "greater"))
        ways |= {"Fisher, two tails": two, "Fisher, one tail": min(one)}
    return _outcome(p, relation, {way: (float(value),) * 2 for way, value in ways.items()}, roundings)


def _as_stated(way: str, stated: Sequence[str]) -> bool:
    return {*stated} <= {*way.split(", ")}


def _is_table(table: Exact) -> bool:
    rows = table if isinstance(table, list) and len(table) > 1 else [0]
    return all(isinstance(row, list) and len(row) == len(rows[0]) > 1 for row in rows) and all(
        isinstance(count, int) and 0 <= count <= 10**9 for row in rows for count in row
    )


def _error(test: str, sds: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Standard error of the difference, and degrees of freedom, of two sample SDs; infinite for the normal test."""
    if test == "Student":
        freedom = sizes.sum() - 2
        return float(np.sqrt((sizes - 1) @ sds**2 / freedom * (1 / sizes).sum())), float(freedom)
    parts = sds**2 / sizes
    if test == "normal":
        return float(np.sqrt(parts.sum())), np.inf
    freedom = parts.sum() ** 2 / (parts**2 / (sizes - 1)).sum() if parts.sum() else sizes.sum() - 2
    return float(np.sqrt(parts.sum())), float(freedom)


def _quotient(difference: Ends, error: Ends) -> Ends:
    """Least and largest difference / error, of errors from 0 on."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.nan_to_num([np.divide(d, e) for d in difference for e in error], nan=0.0)
    return float(ends.min()), float(ends.max())


def _tail(z: float, df: float) -> float:
    return float(scipy.special.ndtr(-z) if np.isinf(df) else scipy.special.stdtr(df, -z))


def _one_tail(z: Ends, df: Ends) -> Ends:
    """Range of the smaller of the two one-sided p-values."""
    nearest = 0.0 if z[0] <= 0 <= z[1] else min(map(abs, z))
    return _tail(max(map(abs, z)), df[1]), _tail(nearest, df[0])


def _outcome(p: Number, relation: Relation, ways: dict[str, Ends], roundings: Roundings) -> Outcome:
    if not 0 <= p.value <= 1 or (p.is_count and relation == "="):
        raise ValueError(f"p = {p.text} is no p-value as printed: write it with its decimals, between 0 and 1")
    if not ways:
        raise ValueError("stated: no way has all of these choices: name one test, one kind of ± and one or two tails")
    low, high = p.interval(roundings)
    fits = {
        "=": lambda ends: ends[0] * (1 - SLACK) - TOLERANCE <= high and ends[1] * (1 + SLACK) + TOLERANCE >= low,
        "<": lambda ends: ends[0] < float(p.value) * (1 + SLACK),
        ">": lambda ends: ends[1] > float(p.value) * (1 - SLACK),
    }[relation]
    by = [way for way, ends in ways.items() if fits(ends)]
    return judged(bool(by), reproduced_by=by, tried=len(ways), p={way: range_of(ends) for way, ends in ways.items()})
