"""Every confusion matrix that prints like this.

Four counts of whole people that add up to n: few of them reproduce three or four printed metrics at once, often one or
none. Accuracy, sensitivity, specificity, PPV, NPV and F1 are ratios of sums of the four cells, so a printed value
between a/q and b/q says q * numerator - a * denominator >= 0 and b * denominator - q * numerator >= 0: two half-planes
with whole-number coefficients. The search fixes the two cells of one printed ratio; each half-plane then bounds what
is left by one integer division. All of it is exact but ``mcc``, which is compared within TOLERANCE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from osteolib.stats.audit.printed import ROUNDINGS, TOLERANCE, Printed, printed
from osteolib.stats.metrics import THRESHOLD_METRICS

Bounds = Mapping[str, tuple[Fraction, Fraction]]

TP, FP, FN, TN = range(4)
# metric: weights of (tp, fp, fn, tn) in its numerator and its denominator
RATIOS = {
    "accuracy": np.array([[1, 0, 0, 1], [1, 1, 1, 1]]),
    "sensitivity": np.array([[1, 0, 0, 0], [1, 0, 1, 0]]),
    "specificity": np.array([[0, 0, 0, 1], [0, 1, 0, 1]]),
    "ppv": np.array([[1, 0, 0, 0], [1, 1, 0, 0]]),
    "npv": np.array([[0, 0, 0, 1], [0, 0, 1, 1]]),
    "f1": np.array([[2, 0, 0, 0], [2, 1, 1, 0]]),
}
ANCHORS = {"sensitivity": (TP, FN), "specificity": (TN, FP), "ppv": (TP, FP), "npv": (TN, FN)}  # hits, misses
PER_RUN = ("ppv", "npv", "f1", "mcc")  # their mean over runs does not follow from the sums over runs
BLOCK, MOST = 2**20, 2_000_000  # candidates looked at in one go; matrices kept in all


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
        """One of ``THRESHOLD_METRICS`` (:mod:`osteolib.stats.metrics`), NaN where it is 0 / 0."""
        return float(THRESHOLD_METRICS[name](self.tp, self.fp, self.fn, self.tn))


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
        Metric to printed value, "0.904" or "90.4 %"; metrics are accuracy, sensitivity, specificity, ppv, npv, f1,
        balanced_accuracy, mcc, youden_j. A metric that is 0 / 0 may be printed as 0, as scikit-learn does.

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
    for name, count, least, most in (("n", n, 1, 10**6), ("runs", runs, 1, 10**3), ("positives", positives, 0, n)):
        if count is None and name == "positives":
            continue
        if not isinstance(count, int | np.integer) or not least <= count <= most:
            raise ValueError(f"{name} must be a whole number from {least} to {most}, got {count!r}")
    return int(n)


def metric_bounds(
    reported: Mapping[str, Printed | str | float], decimals: int | None = None, roundings: Sequence[str] = ROUNDINGS
) -> Bounds:
    """Metric to the exact smallest and largest value that prints so; ValueErrors of :func:`confusion_matrices`."""
    unknown = sorted(reported.keys() - THRESHOLD_METRICS.keys())
    if unknown or not reported:
        raise ValueError(f"unknown metrics {unknown}: report one or more of {', '.join(THRESHOLD_METRICS)}")
    bounds = {}
    for name, value in reported.items():
        if not isinstance(value, Printed | str):
            value, number = f"{value:.{decimals or 0}f}", value
            if float(value) != number:
                raise ValueError(f"{name} = {number} does not have {decimals} decimals: give it as text, as printed")
        shown = value if isinstance(value, Printed) else printed(value)
        if not (-1 if name in ("mcc", "youden_j") else 0) <= shown.value <= 1:
            raise ValueError(f"{name} = {shown.text} cannot be: write a percentage as '97.2 %' or 0.972")
        bounds[name] = shown.bounds(roundings)
    return bounds


def solve(bounds: Bounds, n: int | np.ndarray, runs: int = 1, positives: int | None = None) -> np.ndarray:
    """Cells of all matrices with one of the sizes ``n``, as int64 of shape (4, matrices): tp, fp, fn, tn.

    ``bounds`` from :func:`metric_bounds`. Sums over ``runs``, as in :func:`confusion_matrices`.
    """
    totals = runs * np.atleast_1d(np.asarray(n, np.int64))
    largest = int(totals.max())
    finest = max(bound.denominator for pair in bounds.values() for bound in pair)
    if 2 * finest * largest**2 >= 2**63:  # the largest product below, of balanced accuracy; the sums stay smaller
        raise ValueError(f"n = {largest // runs} is too large for values with so many decimals")
    half_planes = []
    for name in bounds.keys() & RATIOS.keys() - (set(PER_RUN) if runs > 1 else set()):
        (low, high), (top, bottom) = bounds[name], RATIOS[name]
        half_planes.append(low.denominator * top - low.numerator * bottom)
        half_planes.append(high.numerator * bottom - high.denominator * top)

    usable = [] if positives is not None else [m for m in ANCHORS if m in bounds and (runs == 1 or m not in PER_RUN)]
    anchor = min(usable, key=lambda m: bounds[m][1] - bounds[m][0], default="sensitivity")  # the fewest candidates
    hit, miss = ANCHORS[anchor]
    free, other = {TP, FP, FN, TN} - {hit, miss}
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
        first, last = np.zeros_like(rest), rest.copy()  # of the free cell; the other one is what then remains
        for weights in half_planes:
            constant = weights[hit] * hits + weights[miss] * misses + weights[other] * rest
            slope = weights[free] - weights[other]
            if slope > 0:
                np.maximum(first, -(constant // slope), out=first)
            elif slope < 0:
                np.minimum(last, constant // -slope, out=last)
            else:
                last[constant < 0] = -1
        which, count = _spread(first, last)
        cells = np.empty((4, which.size), np.int64)
        cells[[hit, miss, free, other]] = hits[which], misses[which], count, rest[which] - count
        found.append(cells[:, _prints(cells, bounds, runs)])
        _check_size(sum(part.shape[1] for part in found))
    return np.concatenate(found, axis=1)


def _spread(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All whole numbers from ``first[i]`` to ``last[i]``, and the i of each."""
    sizes = np.maximum(last - first + 1, 0)
    _check_size(int(sizes.sum()))
    which = np.repeat(np.arange(sizes.size), sizes)
    return which, np.arange(which.size) - (np.cumsum(sizes) - sizes)[which] + first[which]


def _check_size(matrices: int) -> None:
    if matrices > MOST:
        raise ValueError(f"more than {MOST:,} matrices to try: give positives, more metrics or more decimals")


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
        top, bottom = _fraction(name, *(best if name in PER_RUN else cells))
        good &= _at_least(top, bottom, low)
        top, bottom = _fraction(name, *(worst if name in PER_RUN else cells))
        good &= _at_least(-top, bottom, -high)
    return good


def _fraction(name: str, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> tuple:
    """Numerator and denominator of a metric; whole numbers but for ``mcc``."""
    if name in RATIOS:
        return tuple(RATIOS[name] @ (tp, fp, fn, tn))
    if name == "mcc":  # six roundings, none of them of a difference: off by less than 1e-15, far inside TOLERANCE
        return THRESHOLD_METRICS["mcc"](tp, fp, fn, tn), np.ones(tp.size)
    p, n = tp + fn, fp + tn
    hits = tp * n + tn * p
    return (hits, 2 * p * n) if name == "balanced_accuracy" else (hits - p * n, p * n)


def _at_least(top: np.ndarray, bottom: np.ndarray, bound: Fraction) -> np.ndarray:
    """``top / bottom >= bound``, where 0 / 0 counts as 0."""
    if top.dtype == float:
        return top >= float(bound) - TOLERANCE
    return (bound.denominator * top >= bound.numerator * bottom) & ((bottom > 0) | (bound <= 0))
