"""Which whole numbers can stand behind a printed share, mean and SD.

A share of n people is a count over n, so most decimals cannot be printed honestly (GRIM: Brown and Heathers, Soc
Psychol Personal Sci 2017), and the SD of a few such shares is tied to a sum of squares of integers (GRIMMER: Anaya,
PeerJ Preprints 2016). With three runs on one test set all possible counts can be listed, which is sharper than either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from math import ceil, factorial, floor, gamma, inf, pi, prod, sqrt

import numpy as np
import scipy  # its parts load when they are used

from osteolib.stats.audit.limits import above_zero, at_least, between, fractions
from osteolib.stats.audit.printed import ROUNDINGS, Printed

MOST_CASES = 3_000_000  # what an exhaustive search may look at: seconds


def reachable_proportion(value: Printed, n: int, runs: int = 1, roundings: Sequence[str] = ROUNDINGS) -> list[int]:
    """All counts k, 0 <= k <= n * runs, for which k / (n * runs) prints as ``value``; none: no such share exists.

    Parameters
    ----------
    value
        A share in [0, 1], or the mean of the shares of ``runs`` runs.
    n
        Units of the test set, the same in every run.

    Raises
    ------
    ValueError
        More than MOST_CASES counts fit, nearly everything is reachable: :func:`reachable_counts` has their range.
    """
    counts = reachable_counts(value, n, runs, roundings)
    if len(counts) > MOST_CASES:
        raise ValueError(f"{len(counts):,} counts of n = {n} print as {value.text}: nearly everything is reachable")
    return list(counts)


def reachable_counts(value: Printed, n: int, runs: int = 1, roundings: Sequence[str] = ROUNDINGS) -> range:
    """As :func:`reachable_proportion`, which has no gaps, without listing it: for any n."""
    at_least(1, n=n, runs=runs)
    low, high = value.bounds(roundings)
    return range(max(0, ceil(low * n * runs)), min(n * runs, floor(high * n * runs)) + 1)


def reachable_mean_sd(
    mean: Printed, sd: Printed | None, n: int, runs: int, ddof: int = 1, roundings: Sequence[str] = ROUNDINGS
) -> list[tuple[int, ...]]:
    """All counts (k_1 <= ... <= k_runs) of n whose shares k_i / n have the printed mean and SD.

    With total S and squares Q the SD of the shares is sqrt((Q - S^2 / runs) / (runs - ddof)) / n.

    Parameters
    ----------
    mean, sd
        Of the shares over the runs; ``sd`` None: any.
    ddof
        1 for the sample SD, 0 for the population SD.

    Raises
    ------
    ValueError
        So many runs or so wide an SD that the counts cannot be listed (and nearly everything is reachable).
    """
    at_least(ddof + 1, runs=runs)
    widest = sd.interval(roundings)[1] * n if sd else n
    most = widest**2 * (runs - ddof) * (1 + 1e-9)  # sum of squares about the mean
    totals = reachable_proportion(mean, n, runs, roundings)
    radius, dims = min(sqrt(most), n * sqrt(runs)), runs - 1
    ball = pi ** (dims / 2) / gamma(dims / 2 + 1) * radius**dims  # in the plane of one total
    if (cases := len(totals) * ball / sqrt(runs) / factorial(runs)) > MOST_CASES:
        raise ValueError(f"the counts of {runs} runs on n = {n} are too many to list: about {cases:.0e}")
    found = [counts for total in totals for counts in _counts(total, runs, 0, n, total / runs, most)]
    if sd and found:
        squares = [runs * sum(k * k for k in counts) - sum(counts) ** 2 for counts in found]  # exact
        found = compress(found, sd.allows(np.sqrt(squares) / sqrt(runs * (runs - ddof)) / n, roundings))
    return sorted(found)


def _counts(total: int, runs: int, low: int, high: int, centre: float, most: float) -> Iterator[tuple[int, ...]]:
    """Counts in order, in [low, high], with this sum and at most this sum of squares about ``centre``."""
    if runs == 1:
        if low <= total <= high and (total - centre) ** 2 <= most:
            yield (total,)
        return
    for first in range(min(total // runs, high), low - 1, -1):  # away from the middle: squares only grow
        squares = (first - centre) ** 2
        rest = total - first - (runs - 1) * centre
        if squares + rest**2 / (runs - 1) > most:
            return
        for others in _counts(total - first, runs - 1, first, high, centre, most - squares):
            yield (first, *others)


def smallest_nonzero_sd(
    n: int, runs: int, ddof: int = 1, mean: Printed | None = None, roundings: Sequence[str] = ROUNDINGS
) -> float:
    """Smallest SD above 0 of ``runs`` shares of n, given their printed mean if any.

    Counts as equal as their total allows, r of them one higher, have squares r (runs - r) / runs about the mean; where
    the total divides by ``runs``, one up and one down is the least that is not 0 (squares 2).

    Raises
    ------
    ValueError
        No counts have this mean, or they can have no SD but 0.
    """
    at_least(max(2, ddof + 1), runs=runs)
    if mean is None:  # a total that one run alone exceeds has the fewest squares; two equal ones need 2
        return float(np.sqrt((runs - 1) / runs / (runs - ddof)) / n)
    totals = np.array(reachable_proportion(mean, n, runs, roundings), int)
    totals = totals[(totals > 0) & (totals < n * runs)]
    squares = np.where(totals % runs, totals % runs * (runs - totals % runs) / runs, 2.0)
    if squares.size == 0:
        raise ValueError(f"no {runs} unequal shares of n = {n} have the mean {mean.text if mean else ''}")
    return float(np.sqrt(squares.min() / (runs - ddof)) / n)


def sd_floor(mean: Printed, n: int, roundings: Sequence[str] = ROUNDINGS) -> float:
    """Smallest SD of shares k / n with this mean, over any number of runs: sqrt(f (1 - f)) / n, f = frac(n * mean).

    Counts that surround a mean between two whole numbers are best all on these two: a Bernoulli variable. The bound is
    for ddof 0; the sample SD is larger still. It is 0 where some reachable mean is itself a share of n.
    """
    at_least(1, n=n)
    low, high = (n * x for x in mean.interval(roundings))
    if np.ceil(low - 1e-9) <= np.floor(high + 1e-9):
        return 0.0
    return float(min(np.sqrt((x % 1) * (1 - x % 1)) for x in (low, high)) / n)


@dataclass(frozen=True)
class Membership:
    """Whether a value can be one of a sample of n with a printed mean and SD."""

    possible: bool
    z: tuple[float, float]  # |value - mean| / SD, its range over everything the printed numbers may have been
    limit: float  # what |z| can be at most in a sample of n
    sd_of_others: float  # largest SD (same ddof) the other n - 1 values can then have; NaN where impossible


def member_of_sample(
    value: Printed, mean: Printed, sd: Printed, n: int, ddof: int = 1, roundings: Sequence[str] = ROUNDINGS
) -> Membership:
    """Can ``value`` be one of the n values that have this mean and SD?

    A member lies at most (n - 1) / sqrt(n) SD from the mean (ddof 1), sqrt(n - 1) for ddof 0, with equality when all
    others are equal (Samuelson, J Am Stat Assoc 1968). The squares left to the others are
    (n - ddof) SD^2 - (value - mean)^2 n / (n - 1).
    """
    at_least(ddof + 2, n=n)
    (v_low, v_high), (m_low, m_high), (s_low, s_high) = (x.interval(roundings) for x in (value, mean, sd))
    nearest, farthest = max(0.0, m_low - v_high, v_low - m_high), max(v_high - m_low, m_high - v_low)
    limit = sqrt((n - 1) * (n - ddof) / n)
    left = (n - ddof) * s_high**2 - nearest**2 * n / (n - 1)
    possible = left >= -1e-9 * nearest**2
    z = (nearest / s_high if s_high > 0 else (inf if nearest else 0.0), farthest / s_low if s_low > 0 else inf)
    return Membership(possible, z, limit, sqrt(max(left, 0) / (n - 1 - ddof)) if possible else float("nan"))


def f1_runs(
    correct: Iterable[Sequence[int]], n: int, positives: int, f1: Printed, sd: Printed | None = None, ddof: int = 1,
    roundings: Sequence[str] = ROUNDINGS,
) -> list[tuple[tuple[int, int], ...]]:  # fmt: skip
    """Runs ``((correct, true positives), ...)`` on one test set that give a printed mean and SD of F1.

    A run with k of n correct makes n - k errors, so F1 = 2 TP / (2 TP + n - k).

    Parameters
    ----------
    correct
        Candidates for the correct units of each run, from :func:`reachable_mean_sd` of the accuracy.
    n, positives
        Units and positives of the test set, 0 < positives <= n.
    """
    if not 0 < positives <= n:
        raise ValueError(f"positives must lie between 1 and n = {n}, got {positives}")
    found = set()
    for counts in correct:
        errors = [n - k for k in counts]  # false negatives 0..positives, false positives 0..n - positives
        tp = [np.arange(max(0, positives - e), min(positives, n - e) + 1) for e in errors]
        if (cases := prod(map(len, tp))) > MOST_CASES:
            raise ValueError(f"the true positives of {len(tp)} runs are too many to list, {cases:.0e}: use fewer runs")
        scores = np.array(np.meshgrid(*(2 * t / (2 * t + e) for t, e in zip(tp, errors, strict=True)), indexing="ij"))
        fits = f1.allows(scores.mean(axis=0), roundings)
        if sd:
            fits &= sd.allows(scores.std(axis=0, ddof=ddof), roundings)
        for where in np.argwhere(fits):
            found.add(tuple(sorted((k, int(t[i])) for k, t, i in zip(counts, tp, where, strict=True))))
    return sorted(found)


def chance_of_spread(sd: float, share: float, n: int, runs: int, ddof: int = 1, seed: int = 0) -> float:
    """Chance that ``runs`` test sets of n, drawn anew each time, show an SD of their shares of at most ``sd``.

    Each count is Binomial(n, share); 200,000 simulated studies, standard error at most 0.0011.
    """
    fractions(share=share)
    at_least(0, sd=sd)
    between(1, 10**9, n=n)
    between(ddof + 1, 1000, runs=runs)
    counts = np.random.default_rng(seed).binomial(n, share, (200_000, runs))
    return float((counts.std(axis=1, ddof=ddof) / n <= sd + 1e-12).mean())


def chance_run_prints_as_mean(sds: Sequence[float], runs: int, decimals: int, correlation: float = 0.0) -> float:
    """Chance that one of ``runs`` runs agrees with their mean to the last printed digit, in several metrics at once.

    A run differs from the mean of all by a normal vector with variances sd^2 (1 - 1 / runs); two numbers that differ by
    d print alike with chance 1 - |d| / u, u the last digit, so for u well below the SDs the chance is u^m times the
    density at 0.

    Parameters
    ----------
    sds
        Over the runs, one per metric.
    correlation
        Between any two metrics over the runs, >= 0 and < 1.
    """
    sds = np.asarray(sds, float).ravel()
    above_zero(**{f"sds[{i}]": sd for i, sd in enumerate(sds)})
    at_least(2, runs=runs)
    between(0, 20, decimals=decimals)
    between(0, 1 - 1e-9, correlation=correlation)
    together = np.full((sds.size, sds.size), correlation) + (1 - correlation) * np.eye(sds.size)
    covariance = (1 - 1 / runs) * np.outer(sds, sds) * together
    density = scipy.stats.multivariate_normal.pdf(np.zeros(sds.size), cov=covariance)
    return float(min(1.0, 10.0 ** (-decimals * sds.size) * density))
