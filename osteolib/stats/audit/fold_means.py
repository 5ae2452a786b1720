"""Means over folds, or over test sets of unequal size: which whole counts in each of them print so?

A mean over folds is no metric of the whole: folds of unequal size or make-up print what no single test set can. Means
of accuracy, sensitivity and specificity, and what follows from them, are sums over the folds, each count with its own
weight, so whole-number programming decides them, as in Fazekas and Kovács (arXiv 2310.12527, 2023). F1 and predictive
values are no such sums; they are left out of account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal

import numpy as np

from osteolib.stats.audit.arguments import Exact, Number, Roundings
from osteolib.stats.audit.confusion import LINEAR, metric_bounds
from osteolib.stats.audit.outcome import Outcome, judged
from osteolib.stats.audit.printed import ROUNDINGS, TOLERANCE

NODES, FEWEST_NODES = 2_000, 20  # of the solver for one check, and for one list of sizes; more is left open
SOLVER = {"presolve": False}  # with it HiGHS prints a line of its own where a solution is mended on the way back
MOST_SPLITS = 200  # ways to spread the positives that are tried
Sets = Sequence[tuple[int, int]]  # positives and negatives of each fold
Means = Mapping[str, tuple[float, float]]  # metric of LINEAR to the bounds of its mean


def counts_with_means(
    sets: Sets, means: Means, nodes: int = 300, single: Means | None = None
) -> list[tuple[int, int]] | None:
    """True positives and true negatives of each set whose means lie within bounds, searched in so many nodes.

    ``single``: bounds that the metrics of every single set keep as well.

    Returns
    -------
    list of (int, int)
        Empty if there are none; ``None`` where the solver has not decided.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    p, m = np.array(sets, float).T
    none = np.zeros(len(sets))
    with np.errstate(divide="ignore"):  # of an empty class, which the caller refuses
        by_p, by_m, by_all = 1 / p, 1 / m, 1 / (p + m)
    rows = {  # metric: what a true positive and a true negative of each set add to it, and a constant
        "accuracy": (by_all, by_all, 0.0), "sensitivity": (by_p, none, 0.0), "specificity": (none, by_m, 0.0),
        "balanced_accuracy": (by_p / 2, by_m / 2, 0.0), "youden_j": (by_p, by_m, -1.0),
    }  # fmt: skip
    asked = [(np.concatenate(rows[name][:2])[None] / len(sets), name, ends) for name, ends in means.items()]
    asked += [(np.hstack([*map(np.diag, rows[name][:2])]), name, ends) for name, ends in (single or {}).items()]
    weights = np.concatenate([weight for weight, *_ in asked])
    low, high = np.concatenate([[np.subtract(ends, rows[name][2])] * len(weight) for weight, name, ends in asked]).T
    solved = milp(np.zeros(2 * len(sets)), integrality=1, bounds=Bounds(0, np.concatenate([p, m])),
                  constraints=LinearConstraint(weights, low - TOLERANCE, high + TOLERANCE),
                  options=SOLVER | {"node_limit": nodes})  # fmt: skip
    if solved.status == 2:  # infeasible
        return []
    if solved.x is None:
        return None
    counts = np.rint(solved.x)
    reached = weights @ counts  # the solver has tolerances of its own, a proof has not
    if not np.all((reached >= low - TOLERANCE) & (reached <= high + TOLERANCE)):
        return None
    return [(int(tp), int(tn)) for tp, tn in counts.reshape(2, -1).T]


def stratified(n: int, positives: int, k: int) -> list[Sets]:
    """Sizes of k folds with each class spread as evenly as it goes: one list for each way to place the odd ones.

    The first is that of scikit-learn's StratifiedKFold, whose folds with a positive more are those without a negative
    more as far as that goes.
    """
    p, m = (np.full(k, size // k) + (np.arange(k) < size % k) for size in (positives, n - positives))
    more_p, more_m = positives % k, (n - positives) % k
    overlaps = range(max(0, more_p + more_m - k), min(more_p, more_m) + 1)
    return [[*zip(p.tolist(), np.roll(m, more_p - both).tolist(), strict=True)] for both in overlaps]


def any_spread(n: int, positives: int, k: int) -> Iterator[Sets]:
    """Sizes of k folds of n units, as equal as it goes, over which the positives may lie in any way; likely ones first.

    Each fold has one of either class, as its sensitivity and specificity need.
    """
    sizes = [n // k + (i < n % k) for i in range(k)]

    def spread(left: int, of: Sequence[int], before: tuple[int, int]) -> Iterator[list[tuple[int, int]]]:
        size, *others = of
        even = left / len(of)
        ends = max(1, left - sum(other - 1 for other in others)), min(size - 1, left - len(others))
        for p in sorted(range(ends[0], ends[1] + 1), key=lambda p: abs(p - even)):
            if before[0] == size and p > before[1]:  # folds of one size: each make-up once
                continue
            if left - p > sum(min(p, other - 1) if other == size else other - 1 for other in others):
                continue
            if not others:
                yield [(p, size - p)]
                continue
            yield from ([(p, size - p), *rest] for rest in spread(left - p, others, (size, p)))

    return spread(positives, sizes, (0, 0))


def out_of_reach(n: int, positives: int, k: int, means: Means) -> bool:
    """Whether no k folds of equal size can have these means, whatever the counts.

    The share w of positives in a fold has the mean positives / n, and its accuracy is w s + (1 - w) c with sensitivity
    s and specificity c: at most min(w, s) + min(1 - w, c), which is concave, so that it holds of the means.
    """
    (w, parts) = positives / n, [means.get(name, (0.0, 1.0)) for name in ("sensitivity", "specificity")]
    low, high = means.get("accuracy", (0.0, 1.0))
    (s_low, s_high), (c_low, c_high) = parts
    most = min(w, s_high) + min(1 - w, c_high)
    least = max(0.0, w + s_low - 1) + max(0.0, c_low - w)
    slack = k / n + TOLERANCE  # sizes that differ by one: the mean share is off positives / n by so much at most
    return low > most + slack or high < least - slack


def fold_means(
    reported: dict[str, Number], sizes: Exact = (), n: int | None = None, positives: int | None = None,
    folds: int | None = None, repeats: int = 1, spread: Literal["stratified", "any"] = "stratified",
    roundings: Roundings = ROUNDINGS, worst: dict[str, Number] | None = None, best: dict[str, Number] | None = None,
) -> Outcome:  # fmt: skip
    """Means over folds, or over test sets, come from whole counts in each of them.

    Give the sizes of each, [positives, negatives], or n, positives and how many folds: stratified, or with the
    positives spread in any way over folds of equal size. Metrics that are no sums over the folds (F1, PPV, NPV, MCC)
    are left out of account. Printed values of the worst and the best fold bound every single one, metric by metric;
    that some fold has these very values is not asked. Not checkable where the solver leaves it open, or there are too
    many ways to spread the positives. computed: sets (how many), tried (lists of sizes), sizes and counts (of each set
    true positives and true negatives, as one solution), left_out.

    Example: {sizes: [[52, 94], [74, 37]], reported: {accuracy: "0.573", sensitivity: "0.768"}}
    """
    means = {name: tuple(map(float, ends)) for name, ends in metric_bounds(reported, None, roundings).items()}
    left_out = [name for name in means if name not in LINEAR]
    means = {name: ends for name, ends in means.items() if name in LINEAR}
    if not means:
        raise ValueError(f"means over folds follow from counts for {', '.join(LINEAR)} only: give one of them")
    single = _of_single_folds(worst or {}, best or {}, roundings)
    splits = _ways(sizes, n, positives, folds, spread)
    if spread == "any" and not sizes and out_of_reach(n, positives, folds, means):
        return Outcome("inconsistent", {"sets": folds * repeats, "left_out": left_out, "tried": 0})
    ways = list(islice(splits, MOST_SPLITS + 1))
    _check_classes(ways[0], means | single)
    computed = {"sets": len(ways[0]) * repeats, "left_out": left_out}
    open_ = len(ways) > MOST_SPLITS
    for tried, sets in enumerate(ways[:MOST_SPLITS], 1):
        counts = counts_with_means([*sets] * repeats, means, max(FEWEST_NODES, NODES // len(ways)), single)
        if counts:
            return judged(True, **computed, tried=tried, sizes=[*sets], counts=counts)
        open_ |= counts is None
    return Outcome("not checkable" if open_ else "inconsistent", computed | {"tried": min(len(ways), MOST_SPLITS)})


def _of_single_folds(worst: dict[str, Number], best: dict[str, Number], roundings: Roundings) -> Means:
    """Metric to what it is in every fold, at least and at most."""
    if other := sorted((worst.keys() | best.keys()) - {*LINEAR}):
        raise ValueError(f"worst and best bound {', '.join(LINEAR)} of single folds only: leave out {', '.join(other)}")
    if wrong := [name for name in worst.keys() & best.keys() if worst[name].value > best[name].value]:
        raise ValueError(f"{wrong[0]}: the worst fold is better than the best: exchange worst and best")
    least, most = (metric_bounds(row, None, roundings) if row else {} for row in (worst, best))
    return {name: (float(least[name][0]) if name in least else -1.0, float(most[name][1]) if name in most else 1.0)
            for name in least | most}  # fmt: skip


def _ways(sizes: Exact, n: int | None, positives: int | None, folds: int | None, spread: str) -> Iterator[Sets]:
    if sizes:
        if n is not None or positives is not None or folds is not None:
            raise ValueError("give the sizes of the folds, or n, positives and folds, not both")
        pairs = [tuple(pair) if isinstance(pair, list | tuple) else (pair,) for pair in sizes]
        if any(len(pair) != 2 or not all(isinstance(c, int) and 0 <= c <= 10**6 for c in pair) for pair in pairs):
            raise ValueError(f"sizes: write [positives, negatives] of each fold, whole numbers, got {list(sizes)}")
        return iter([pairs])
    if n is None or positives is None or folds is None:
        raise ValueError("give the sizes of the folds as [positives, negatives], or n, positives and folds")
    if not 2 <= folds <= 100 or not folds <= positives <= n - folds:
        raise ValueError(f"folds must lie between 2 and 100, and each class have one unit in every fold; got {folds} "
                         f"folds of {n} units, {positives} of them positive")  # fmt: skip
    return iter(stratified(n, positives, folds)) if spread == "stratified" else any_spread(n, positives, folds)


def _check_classes(sets: Sets, means: Means) -> None:
    needs = {"sensitivity": (0,), "specificity": (1,), "accuracy": ()}
    for name in means:
        for side in needs.get(name, (0, 1)):
            if any(pair[side] == 0 for pair in sets):
                raise ValueError(f"{name} is not defined in a set without {('positives', 'negatives')[side]}")
        if any(sum(pair) == 0 for pair in sets):
            raise ValueError("a set without units has no metrics: leave it out of sizes")
