"""If one test set cannot print some metrics, which ways of averaging could?

A mean over runs on one test set is linear in the counts. A mean over folds is not: folds of unequal size or prevalence
print what no single test set can (Fazekas and Kovacs, Knowledge-Based Systems 2024). Whether two folds can is decided
here by whole-number programming on a grid of their sizes: a fold pair that is found is a proof, none found is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from osteolib.stats.audit.confusion import confusion_matrices
from osteolib.stats.audit.printed import TOLERANCE, Printed

RUNS = (2, 3, 5, 10)
LINEAR = ("accuracy", "sensitivity", "specificity", "balanced_accuracy", "youden_j")
GRID = 12  # sizes that are tried for each class of the first fold
QUESTION = "How were the values averaged: over one test set, over runs, over folds (of which sizes), over the classes?"


@dataclass(frozen=True)
class Averages:
    """Ways that fit, in words, and of two folds their ``(positives, negatives)`` where such a pair was found."""

    fit: list[str]
    untried: list[str]
    folds: tuple[tuple[int, int], tuple[int, int]] | None


def averages_that_fit(n: int, positives: int, reported: Mapping[str, Printed], roundings: Sequence[str]) -> Averages:
    """Ways of averaging over n units, with so many positives, that print what one test set cannot.

    Tried are means over 2, 3, 5 and 10 runs on the test set (exact for accuracy, sensitivity, specificity and what
    follows from them, generous for the other metrics), and means over two folds, for these same metrics only.
    """
    fit = []
    for runs in RUNS:
        try:
            if confusion_matrices(n, runs=runs, positives=positives, roundings=roundings, **reported):
                fit.append(f"mean over {runs} runs on one test set")
        except ValueError:  # more matrices than can be listed
            continue
    if others := sorted(set(reported) - set(LINEAR)):
        return Averages(fit, [f"means over folds, because of {', '.join(others)}"], None)
    folds = two_folds(n, positives, reported, roundings)
    if folds:
        words = " and ".join(f"{p} positives with {m} negatives" for p, m in folds)
        fit.append(f"mean over folds of unequal size, such as {words}")
    return Averages(fit, [], folds)


def two_folds(
    n: int, positives: int, reported: Mapping[str, Printed], roundings: Sequence[str]
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Positives and negatives of two folds whose means print so, or None where none of the sizes tried has them."""
    negatives = n - positives
    bounds = {name: value.interval(roundings) for name, value in reported.items()}
    grid = [np.linspace(1, most - 1, GRID).astype(int).tolist() for most in (positives, negatives)]
    firsts = set(product(*grid))
    for p, m in sorted(firsts, key=lambda first: abs(first[0] / positives - 0.5) + abs(first[1] / negatives - 0.5)):
        if min(p, m, positives - p, negatives - m) >= 1:
            folds = ((p, m), (positives - p, negatives - m))
            if _possible(folds, bounds):
                return folds
    return None


def _possible(folds: Sequence[tuple[int, int]], bounds: Mapping[str, tuple[float, float]]) -> bool:
    """Whether whole numbers of true positives and negatives in each fold have means within the bounds."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    p, m = np.array(folds, float).T
    none = np.zeros(len(folds))
    rows = {  # metric: what a true positive and a true negative of each fold add to it, and a constant
        "accuracy": (1 / (p + m), 1 / (p + m), 0.0), "sensitivity": (1 / p, none, 0.0),
        "specificity": (none, 1 / m, 0.0), "balanced_accuracy": (0.5 / p, 0.5 / m, 0.0),
        "youden_j": (1 / p, 1 / m, -1.0),
    }  # fmt: skip
    weights = np.array([np.concatenate(rows[name][:2]) / len(folds) for name in bounds])
    low, high = np.array([[end - rows[name][2] for end in bounds[name]] for name in bounds]).T
    found = milp(np.zeros(2 * len(folds)), integrality=1, bounds=Bounds(0, np.concatenate([p, m])),
                 constraints=LinearConstraint(weights, low, high))  # fmt: skip
    if not found.success:
        return False
    means = weights @ np.rint(found.x)  # the solver has tolerances of its own, a proof has not
    return bool(np.all((means >= low - TOLERANCE) & (means <= high + TOLERANCE)))
