"""Every confusion matrix that prints like this.

Four counts of whole people that add up to n: few of them reproduce three or four printed metrics at once, often one or
none. Accuracy, sensitivity, specificity, PPV, NPV and F1 are ratios of sums of the four cells, so a printed value
between a/q and b/q says q * numerator - a * denominator >= 0 and b * denominator - q * numerator >= 0: two half-planes
with whole-number coefficients. The search fixes the two cells of one printed ratio; each half-plane then bounds what
is left by one integer division. All of it is exact but what has a root (MCC), which is compared within TOLERANCE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from osteolib.stats.audit.printed import ROUNDINGS, TOLERANCE, Printed, printed
from osteolib.stats.audit.table_metrics import (
    FALLING,
    FN,
    FP,
    RATIOS,
    SIGNED,
    TABLE_METRICS,
    TN,
    TP,
    UNBOUNDED,
    fraction,
    ratios_of,
)

Bounds = Mapping[str, tuple[Fraction, Fraction]]

ANCHORS = {"sensitivity": (TP, FN), "specificity": (TN, FP), "ppv": (TP, FP), "npv": (TN, FN)}  # hits, misses
CORRECT = (TP, TN)  # where accuracy bounds their sum, and nothing their ratio
LINEAR = ("accuracy", "sensitivity", "specificity", "balanced_accuracy", "youden_j")  # means follow from sums
PER_RUN = tuple(name for name in TABLE_METRICS if name not in LINEAR)  # their mean over runs does not
BLOCK, MOST = 2**20, 2_000_000  # candidates looked at in one go; matrices kept in all
MOST_WITHOUT, GRID = 10**6, 1001  # units of which positives are not given; sums that are tried for a few matrices


class TooManyMatrices(ValueError):
    """More than can be listed."""


@dataclass(frozen=True)
class ConfusionMatrix:
    """Four counts, in units of the test set, or their sums over runs."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def n(self) -> int:
        return self.tp + self.fp + self.fn + self.tn

    @property
    def positives(self) -> int:
        return self.tp + self.fn

    def metric(self, name: str) -> float:
        """One of ``TABLE_METRICS`` (:mod:`~osteolib.stats.audit.table_metrics`), NaN where it is 0 / 0."""
        return float(TABLE_METRICS[name](self.tp, self.fp, self.fn, self.tn))


def confusion_matrices(
    n: int,
    decimals: int | None = None,
    *,
    runs: int = 1,
    positives: int | None = None,
    roundings: Sequence[str] = ROUNDINGS,
    **reported: Printed | str | float,
) -> list[ConfusionMatrix]:
    """All matrices of whole numbers that print as ``reported``.

    Parameters
    ----------
    n
        Units in the test set, >= 1.
    decimals
        Of reported floats, which lose their trailing zeros; not needed for texts.
    runs
        The reported values are means over so many runs on the same test set. The matrices returned are then sums over
        the runs (they add up to n * runs). Means of accuracy, sensitivity, specificity, balanced accuracy and Youden's
        J follow from the sums; ppv, npv, f1 and mcc do not, and only have to lie between the worst and the best single
        run that the sums leave room for: too generous, never too strict.
    positives
        Of the n; ``None`` tries all.
    roundings
        Which ways of rounding are allowed, of :data:`ROUNDINGS`.
    **reported
        Metric to printed value, "0.904" or "90.4 %"; metrics are those of
        :data:`~osteolib.stats.audit.table_metrics.TABLE_METRICS`. A metric that is 0 / 0 may be printed as 0, as
        scikit-learn does.

    Returns
    -------
    list of ConfusionMatrix
        By positives, then true positives, then false positives; empty if there is none.

    Raises
    ------
    ValueError
        Unknown metric, nothing reported, n or runs below 1, positives outside 0 to n, a value that is no fraction, a
        float without ``decimals`` or with more of them, or values so coarse that millions of matrices are left.
    """
    cells = solve(metric_bounds(reported, decimals, roundings), check_n(n, runs, positives), runs, positives)
    order = np.lexsort((cells[FP], cells[TP], cells[TP] + cells[FN]))
    return [ConfusionMatrix(*map(int, column)) for column in cells[:, order].T]


def check_n(n: int, runs: int = 1, positives: int | None = None) -> int:
    """``n``; ValueError where one of the three is no count that can be."""
    for name, count, least, most in (("n", n, 1, 10**9), ("runs", runs, 1, 10**3), ("positives", positives, 0, n)):
        if count is None and name == "positives":
            continue
        if not isinstance(count, int | np.integer) or not least <= count <= most:
            raise ValueError(f"{name} must be a whole number from {least} to {most}, got {count!r}")
    return int(n)


def metric_bounds(
    reported: Mapping[str, Printed | str | float], decimals: int | None = None, roundings: Sequence[str] = ROUNDINGS
) -> Bounds:
    """Metric to the exact smallest and largest value that prints so; ValueErrors of :func:`confusion_matrices`."""
    unknown = sorted(reported.keys() - TABLE_METRICS.keys())
    if unknown or not reported:
        raise ValueError(f"unknown metrics {unknown}: report one or more of {', '.join(TABLE_METRICS)}")
    bounds = {}
    for name, value in reported.items():
        if not isinstance(value, Printed | str):
            value, number = f"{value:.{decimals or 0}f}", value
            if float(value) != number:
                raise ValueError(f"{name} = {number} does not have {decimals} decimals: give it as text, as printed")
        shown = value if isinstance(value, Printed) else printed(value)
        if name in UNBOUNDED and shown.is_count and shown.value:
            raise ValueError(f"{name} = {shown.text} does not say how it was rounded: write '~{shown.text}' if it was")
        if not (-1 if name in SIGNED else 0) <= shown.value <= (np.inf if name in UNBOUNDED else 1):
            raise ValueError(f"{name} = {shown.text} cannot be: write a percentage as '97.2 %' or 0.972")
        bounds[name] = shown.bounds(roundings)
    return bounds


def bounds_by_rounding(
    reported: Mapping[str, Printed], roundings: Sequence[str], one_rounding: bool
) -> list[dict[str, tuple[Fraction, Fraction]]]:
    """:func:`metric_bounds` of a row: once, or once for each way that all of its numbers may have been rounded in."""
    found = [metric_bounds(reported, None, [way]) for way in roundings] if one_rounding else []
    return [ends for i, ends in enumerate(found) if ends not in found[:i]] or [metric_bounds(reported, None, roundings)]


def solve(bounds: Bounds, n: int | np.ndarray, runs: int = 1, positives: int | None = None) -> np.ndarray:
    """Cells of all matrices with one of the sizes ``n``, as int64 of shape (4, matrices): tp, fp, fn, tn.

    ``bounds`` from :func:`metric_bounds`. Sums over ``runs``, as in :func:`confusion_matrices`.
    """
    totals = runs * np.atleast_1d(np.asarray(n, np.int64))
    largest = int(totals.max())
    finest = max(max(bound.denominator, abs(bound.numerator)) for pair in bounds.values() for bound in pair)
    largest_product = 2 * largest**2 if bounds.keys() - RATIOS.keys() else 10 * largest  # balanced accuracy; F-beta
    if finest * largest_product >= 2**63:
        raise ValueError(f"n = {largest // runs} is too large for values with so many decimals")
    if positives is None and largest // runs > MOST_WITHOUT:
        raise ValueError(f"n = {largest // runs:,} is too large to try every number of positives: give positives")
    known = positives is not None and totals.size == 1
    ratios = ratios_of(runs * positives, largest - runs * positives) if known else RATIOS
    half_planes = _half_planes(bounds, runs, ratios)

    usable = [] if positives is not None else [m for m in ANCHORS if m in bounds and (runs == 1 or m not in PER_RUN)]
    anchor = min(usable, key=lambda m: _width(bounds, m), default="sensitivity")  # the fewest candidates
    alone = positives is None and runs == 1 and totals.size == 1
    if alone and "accuracy" in bounds and 2 * _width(bounds, "accuracy") < _width(bounds, anchor):
        hit, miss = CORRECT
        low, high = bounds["accuracy"]
        margins = np.arange(-(-low.numerator * largest // low.denominator), high * largest // 1 + 1, dtype=np.int64)
        margins = margins[(margins >= 0) & (margins <= largest)]
        least, most = np.zeros_like(margins), margins
    else:
        hit, miss = ANCHORS[anchor]
        margins = np.arange(0, largest + 1, runs) if positives is None else np.array([runs * positives])
        low, high = bounds.get(anchor, (Fraction(0), Fraction(1)))
        least, most = -(-low.numerator * margins // low.denominator), high.numerator * margins // high.denominator
    which, all_hits = _spread(np.maximum(least, 0), np.minimum(most, margins))
    all_misses = margins[which] - all_hits

    found = [np.empty((4, 0), np.int64)]
    step = max(1, BLOCK // totals.size)
    for block in (slice(start, start + step) for start in range(0, all_hits.size, step)):
        grid = np.broadcast_arrays(all_hits[block, None], all_misses[block, None], totals)
        hits, misses, rest = (axis.ravel() for axis in grid)
        rest = rest - hits - misses
        which, count = _spread(*_ends(half_planes, (hit, miss), hits, misses, rest))
        if not which.size:
            continue
        cells = _cells((hit, miss), hits[which], misses[which], count, rest[which])
        found.append(cells[:, _prints(cells, bounds, runs)])
        _check_size(sum(part.shape[1] for part in found))
    return np.concatenate(found, axis=1)


def a_few(bounds: Bounds, n: int, positives: int) -> np.ndarray:
    """Some of the matrices that :func:`solve` would give, shape (4, k), where they are too many to list.

    Looked for on a grid: each that is found is one, none found is no proof that there is none.
    """
    low, high = bounds.get("sensitivity", (Fraction(0), Fraction(1)))
    least, most = max(0, -(-low.numerator * positives // low.denominator)), min(positives, high * positives // 1)
    hits = np.unique(np.linspace(int(least), int(most), GRID).astype(np.int64))
    misses, rest = positives - hits, np.full(hits.size, n - positives)
    first, last = _ends(
        _half_planes(bounds, 1, ratios_of(positives, n - positives)), ANCHORS["sensitivity"], hits, misses, rest
    )
    some = first <= last
    hits, misses, rest, first, last = (part[some] for part in (hits, misses, rest, first, last))
    count = np.linspace(first, last, 51).astype(np.int64)
    grid = [part.ravel() for part in np.broadcast_arrays(hits, misses, count, rest)]
    cells = _cells(ANCHORS["sensitivity"], *grid)
    return cells[:, _prints(cells, bounds, 1)]


def _width(bounds: Bounds, name: str) -> Fraction:
    low, high = bounds.get(name, (Fraction(0), Fraction(1)))
    return high - low


def _half_planes(bounds: Bounds, runs: int, ratios: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Weights of the four cells whose sum must not be negative."""
    half_planes = []
    for name in bounds.keys() & ratios.keys() - (set(PER_RUN) if runs > 1 else set()):
        (low, high), (top, bottom) = bounds[name], ratios[name]
        half_planes.append(low.denominator * top - low.numerator * bottom)
        half_planes.append(high.numerator * bottom - high.denominator * top)
    return half_planes


def _others(anchor: tuple[int, int]) -> tuple[int, int]:
    """The two cells that an anchor leaves: the one that is free, and the one that then remains."""
    free, other = {TP, FP, FN, TN} - {*anchor}
    return free, other


def _ends(half_planes: list[np.ndarray], anchor: tuple[int, int], hits: np.ndarray, misses: np.ndarray,
          rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """First and last count of the free cell within all half-planes."""
    (hit, miss), (free, other) = anchor, _others(anchor)
    first, last = np.zeros_like(rest), rest.copy()
    for weights in half_planes:
        constant = weights[hit] * hits + weights[miss] * misses + weights[other] * rest
        slope = weights[free] - weights[other]
        if slope > 0:
            np.maximum(first, -(constant // slope), out=first)
        elif slope < 0:
            np.minimum(last, constant // -slope, out=last)
        else:
            last[constant < 0] = -1
    return first, last


def _cells(anchor: tuple[int, int], hits: np.ndarray, misses: np.ndarray, count: np.ndarray, rest: np.ndarray):
    cells = np.empty((4, hits.size), np.int64)
    cells[[*anchor, *_others(anchor)]] = hits, misses, count, rest - count
    return cells


def _spread(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All whole numbers from ``first[i]`` to ``last[i]``, and the i of each."""
    sizes = np.maximum(last - first + 1, 0)
    _check_size(int(sizes.sum()))
    which = np.repeat(np.arange(sizes.size), sizes)
    return which, np.arange(which.size) - (np.cumsum(sizes) - sizes)[which] + first[which]


def _check_size(matrices: int) -> None:
    if matrices > MOST:
        raise TooManyMatrices(f"more than {MOST:,} matrices to try: give positives, more metrics or more decimals")


def _prints(cells: np.ndarray, bounds: Bounds, runs: int) -> np.ndarray:
    """Which matrices may print each metric so: what the half-planes leave open, 0 / 0 and the means over runs."""
    tp, fp, fn, tn = cells
    p, n = (tp + fn) // runs, (fp + tn) // runs
    # At fixed p and n every metric rises with tp and falls with fp, so one run lies between these two (and with a
    # single run is both): the other runs hold at most (runs - 1) * p of the true positives, and so on.
    tp_most, tp_least = np.minimum(tp, p), np.maximum(tp - (runs - 1) * p, 0)
    fp_most, fp_least = np.minimum(fp, n), np.maximum(fp - (runs - 1) * n, 0)
    best, worst = (tp_most, fp_least, p - tp_most, n - fp_least), (tp_least, fp_most, p - tp_least, n - fp_most)
    good = np.ones(tp.size, bool)
    for name, (low, high) in bounds.items():
        most, least = (worst, best) if name in FALLING else (best, worst)
        top, bottom = fraction(name, *(most if name in PER_RUN else cells))
        good &= _at_least(top, bottom, low)
        top, bottom = fraction(name, *(least if name in PER_RUN else cells))
        good &= _at_least(-top, bottom, -high)
    return good


def _at_least(top: np.ndarray, bottom: np.ndarray, bound: Fraction) -> np.ndarray:
    """``top / bottom >= bound``, where 0 / 0 counts as 0 and a number above 0 by 0 as infinite."""
    if top.dtype == float:
        return top >= float(bound) - TOLERANCE
    return (bound.denominator * top >= bound.numerator * bottom) & ((bottom > 0) | (top > 0) | (bound <= 0))
