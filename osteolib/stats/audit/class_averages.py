"""Micro- and macro-averages over classes: is there a table of so many people in each class behind them?

Of a table with K rows (true classes of known size) and K columns (called so) averages need two counts a class: the
right ones, and the wrong calls, people of other classes called so. Such counts are of a table exactly if as many people
are called wrongly as are missed, and no class has more wrong calls than the other classes miss (the flow through a
network without loops). Averages of accuracy, sensitivity and specificity are sums of these counts, which whole-number
programming decides; means of PPV and F1 are not, and are decided by looking at every table where there are few enough.
mlscorecheck (Kovács and Fazekas, Neurocomputing 2024) asks of such sums too, with each class for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from osteolib.stats.audit.arguments import Exact, Number, Roundings
from osteolib.stats.audit.fold_means import SOLVER
from osteolib.stats.audit.outcome import Outcome, judged
from osteolib.stats.audit.printed import ROUNDINGS, TOLERANCE, Printed

OF_TOTAL = ("accuracy", "micro_sensitivity", "micro_ppv", "micro_f1", "weighted_sensitivity", "micro_specificity",
            "one_vs_rest_accuracy")  # fmt: skip
SUMS = (*OF_TOTAL, "macro_sensitivity", "macro_specificity", "weighted_specificity")
MEANS = ("macro_ppv", "macro_f1", "weighted_ppv", "weighted_f1")
MOST_CLASSES, MOST_TABLES, AT_ONCE, NODES = 50, 10_000_000, 1_000_000, 2_000
Solution = tuple[list[int], list[int]]  # right ones and wrong calls of each class


def class_averages(sizes: Exact, reported: dict[str, Number], roundings: Roundings = ROUNDINGS) -> Outcome:
    """Averages over classes come from the whole counts of one table, each person in one class and called one.

    sizes are the people of each class. accuracy is the share of all who are called right, as are micro_sensitivity,
    micro_ppv, micro_f1 and weighted_sensitivity. With macro_ the classes count alike, with weighted_ by their sizes:
    sensitivity, specificity (of a class against the rest), ppv, f1; there are micro_specificity and
    one_vs_rest_accuracy, the mean accuracy of each class against the rest, too. macro_f1 may also be the F1 of
    macro_ppv and macro_sensitivity. Means of PPV and F1 are left out of account where the other averages leave too
    many tables. computed: classes, right (the right ones of each class) and wrong (people of other classes called so),
    as one solution, left_out.

    Example: {sizes: [80, 45, 30], reported: {accuracy: "0.774", macro_sensitivity: "0.741", macro_f1: "0.745"}}
    """
    _check(sizes, reported)
    left_out = [name for name in reported if name in MEANS]
    found = None
    if left_out and (found := _looked_at(sizes, reported, roundings)) is not None:
        left_out = []
    elif len(left_out) < len(reported):
        bounds = {name: shown.interval(roundings) for name, shown in reported.items() if name in SUMS}
        found = _programmed(sizes, bounds)
    computed = {"classes": len(sizes), "left_out": left_out}
    if found is None:
        return Outcome("not checkable", computed)
    return judged(bool(found), **computed | dict(zip(("right", "wrong"), found, strict=False)))


def averages_of(right: np.ndarray, wrong: np.ndarray, sizes: Sequence[int]) -> dict[str, np.ndarray]:
    """Every average of tables with these right ones and wrong calls, each (..., K); a PPV of 0 / 0 is 0."""
    (right, wrong), size, n = np.broadcast_arrays(right, wrong), np.asarray(sizes, float), sum(sizes)
    called = right + wrong
    each = {"sensitivity": right / size, "specificity": 1 - wrong / (n - size), "ppv": right / np.maximum(called, 1),
            "f1": 2 * right / (called + size)}  # fmt: skip
    found = {f"macro_{name}": values.mean(axis=-1) for name, values in each.items()}
    found |= {f"weighted_{name}": values @ size / n for name, values in each.items()}
    return found | _of_total(right.sum(axis=-1), n, len(sizes))


def _of_total(total: np.ndarray, n: int, classes: int) -> dict[str, np.ndarray]:
    """The averages that follow from how many are right in all."""
    wrong = 1 - total / n
    found = {"micro_specificity": 1 - wrong / (classes - 1), "one_vs_rest_accuracy": 1 - 2 * wrong / classes}
    return dict.fromkeys(OF_TOTAL, total / n) | found


def _check(sizes: Exact, reported: Mapping[str, Printed]) -> None:
    if not isinstance(sizes, list) or not 2 <= len(sizes) <= MOST_CLASSES:
        raise ValueError(f"sizes: write how many people each class has, 2 to {MOST_CLASSES} classes, got {sizes}")
    if wrong := [size for size in sizes if not isinstance(size, int) or not 1 <= size <= 10**6]:
        raise ValueError(f"sizes: {wrong[0]} is no number of people: write whole numbers from 1 to 1000000")
    unknown = sorted(reported.keys() - {*SUMS, *MEANS})
    if unknown or not reported:
        raise ValueError(f"unknown averages {unknown}: report one or more of {', '.join(SUMS + MEANS)}")
    for name, shown in reported.items():
        if not 0 <= shown.value <= 1 or shown.is_count:
            raise ValueError(f"{name} = {shown.text} is no average: write it with its decimals, as '97.2 %' or 0.972")


def _programmed(sizes: Sequence[int], bounds: Mapping[str, tuple[float, float]]) -> Solution | tuple[()] | None:
    """Counts whose averages lie within bounds: one solution, none (empty), or not decided."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    k, n = len(sizes), sum(sizes)
    units = np.vstack(
        [np.zeros(2 * k), np.eye(2 * k)]
    )  # an average of each count alone, less that of none, is its weight
    values = averages_of(units[:, :k], units[:, k:], sizes)
    rows = [values[name][1:] - values[name][0] for name in bounds]
    ends = [np.subtract(bounds[name], values[name][0]) + np.array([-TOLERANCE, TOLERANCE]) for name in bounds]
    rows += [np.ones(2 * k), *np.hstack([1 - np.eye(k), np.eye(k)])]
    ends += [(n, n), *((0, n - size) for size in sizes)]
    solved = milp(
        np.zeros(2 * k),
        integrality=1,
        bounds=Bounds(0, [*sizes, *(n - size for size in sizes)]),
        constraints=LinearConstraint(np.array(rows), *np.array(ends).T),
        options=SOLVER | {"node_limit": NODES},
    )
    if solved.status == 2:  # infeasible
        return ()
    if solved.x is None:
        return None
    right, wrong = np.rint(solved.x).astype(int).reshape(2, k)
    values, missed = averages_of(right, wrong, sizes), np.subtract(sizes, right)
    fits = all(low - TOLERANCE <= values[name] <= high + TOLERANCE for name, (low, high) in bounds.items())
    fits &= wrong.sum() == missed.sum() and bool(np.all(wrong + missed <= missed.sum()))
    return (right.tolist(), wrong.tolist()) if fits else None  # the solver has tolerances of its own, a proof has not


def _looked_at(
    sizes: Sequence[int], reported: Mapping[str, Printed], roundings: Sequence[str]
) -> Solution | tuple[()] | None:
    """As :func:`_programmed`, by looking at every table; not decided where they are too many."""
    order = np.argsort(sizes)  # the counts of the largest class follow from the others
    sizes, k, n = np.asarray(sizes)[order], len(sizes), sum(sizes)
    tables = prod((sizes[:-1] + 1).tolist())
    totals = np.arange(n + 1 if tables <= AT_ONCE else 0)
    totals = totals[_fits(_of_total(totals, n, k), reported, roundings)]
    if tables * max(totals.size, 1) > AT_ONCE:
        return None
    some = np.stack(np.meshgrid(*map(np.arange, sizes[:-1] + 1), indexing="ij"), axis=-1).reshape(-1, k - 1)
    right = np.concatenate(
        [np.column_stack([some, total - some.sum(axis=1)]) for total in totals] or [some[:0, [0] * k]]
    )
    right = right[(right[:, -1] >= 0) & (right[:, -1] <= sizes[-1])]
    right = right[_fits({"macro_sensitivity": (right / sizes).mean(axis=1)}, reported, roundings)]
    missed = sizes - right
    most = missed.sum(axis=1, keepdims=True) - missed  # wrong calls that a class can have
    tables = (most[:, :-1] + 1.0).prod(axis=1)
    if tables.sum() > MOST_TABLES or tables.max(initial=0) > AT_ONCE:
        return None
    for row, ends, errors in zip(right, most, missed.sum(axis=1), strict=True):
        some = np.stack(np.meshgrid(*map(np.arange, ends[:-1] + 1), indexing="ij"), axis=-1).reshape(-1, k - 1)
        wrong = np.column_stack([some, errors - some.sum(axis=1)])
        wrong = wrong[(wrong[:, -1] >= 0) & (wrong[:, -1] <= ends[-1])]
        fits = _fits(averages_of(row, wrong, sizes.tolist()), reported, roundings)
        if fits.any():
            back = np.argsort(order)
            return row[back].tolist(), wrong[fits.argmax()][back].tolist()
    return ()


def _fits(values: Mapping[str, np.ndarray], reported: Mapping[str, Printed], roundings: Sequence[str]) -> np.ndarray:
    """Which tables print each reported average that is among ``values``; macro F1 in either of its two meanings."""
    fits = np.ones(np.shape(next(iter(values.values()))), bool)
    for name in reported.keys() & values.keys():
        allowed = reported[name].allows(values[name], roundings)
        if name == "macro_f1":  # Opitz and Burst (arXiv 1911.03347, 2019): both are called so
            ppv, sensitivity = values["macro_ppv"], values["macro_sensitivity"]
            allowed |= reported[name].allows(
                2 * ppv * sensitivity / np.maximum(ppv + sensitivity, TOLERANCE), roundings
            )
        fits &= allowed
    return fits
