"""If one test set cannot print some metrics, which ways of averaging could?

A mean over runs on one test set is linear in the counts. A mean over folds is not: folds of unequal size or prevalence
print what no single test set can (:mod:`~osteolib.stats.audit.fold_means`). Whether two folds can is tried on a grid of
their sizes: a fold pair that is found is a proof, none found is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from osteolib.stats.audit.confusion import LINEAR, confusion_matrices
from osteolib.stats.audit.fold_means import counts_with_means, stratified
from osteolib.stats.audit.printed import TOLERANCE, Printed
from osteolib.stats.audit.table_metrics import TABLE_METRICS

AVERAGED = ("sensitivity", "specificity", "ppv", "npv", "f1")
RUNS, FOLDS = (2, 3, 5, 10), (5, 10)
MOST_MATRICES = 2_000_000  # that are looked at for a mean over the classes
GRID = 12  # sizes that are tried for each class of the first fold
QUESTION = "How were the values averaged: over one test set, over runs, over folds (of which sizes), over the classes?"


def averages_that_fit(n: int, positives: int, reported: Mapping[str, Printed], roundings: Sequence[str]) -> list[str]:
    """Ways of averaging over n units, with so many positives, that print what one test set cannot; in words.

    Tried are means over 2, 3, 5 and 10 runs on the test set (exact for accuracy, sensitivity, specificity and what
    follows from them, generous for the other metrics); means over both classes; and means over 5 or 10 stratified folds
    and over two folds, for the exact metrics only: others are left out of account, and named.
    """
    fit = []
    for runs in RUNS:
        try:
            if confusion_matrices(n, runs=runs, positives=positives, roundings=roundings, **reported):
                fit.append(f"a mean over {runs} runs on one test set")
        except ValueError:  # more matrices than can be listed
            continue
    if (positives + 1) * (n - positives + 1) <= MOST_MATRICES:
        fit += over_classes(n, positives, reported, roundings)
    linear = {name: value for name, value in reported.items() if name in LINEAR}
    apart = ", ".join(sorted(reported.keys() - linear))
    apart = f" (leaving {apart} out of account)" * bool(apart)
    if len(linear) < 2:
        return fit
    for k in FOLDS:
        if _even_folds(k, n, positives, linear, roundings):
            return [*fit, f"a mean over {k} stratified folds{apart}"]
    if folds := two_folds(n, positives, linear, roundings):
        words = " and ".join(f"{p} positives with {m} negatives" for p, m in folds)
        fit.append(f"a mean over folds of unequal size, such as {words}{apart}")
    return fit


def over_classes(n: int, positives: int, reported: Mapping[str, Printed], roundings: Sequence[str]) -> list[str]:
    """Means over both classes, macro or weighted by their sizes, that some matrix prints so."""
    tp, tn = (cell.ravel() for cell in np.mgrid[: positives + 1, : n - positives + 1])
    cells = (tp, n - positives - tn, positives - tp, tn)
    names = {*reported, *AVERAGED}
    own, other = ({name: np.nan_to_num(TABLE_METRICS[name](*side)) for name in names} for side in (cells, cells[::-1]))
    macro = {name: (own[name] + other[name]) / 2 for name in AVERAGED}
    weighted = (positives * own["f1"] + (n - positives) * other["f1"]) / n
    ways = {
        "an F1 that is the mean over both classes": {"f1": macro["f1"]},
        "an F1 weighted by the classes": {"f1": weighted},
        "means over both classes, sensitivity and the rest": macro,
    }
    fitting = []
    for words, averaged in ways.items():
        if reported.keys() & averaged.keys():
            values = own | averaged
            if np.all([value.allows(values[name], roundings) for name, value in reported.items()], axis=0).any():
                fitting.append(words)
    return fitting


def _even_folds(k: int, n: int, positives: int, linear: Mapping[str, Printed], roundings: Sequence[str]) -> bool:
    """Whether k folds, each class spread over them as evenly as it goes, can have these means."""
    if min(positives, n - positives) < k:
        return False
    bounds = {name: value.interval(roundings) for name, value in linear.items()}
    return any(counts_with_means(sets, bounds) for sets in stratified(n, positives, k))


def two_folds(
    n: int, positives: int, reported: Mapping[str, Printed], roundings: Sequence[str]
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Positives and negatives of two folds whose means print so, or None where none of the sizes tried has them."""
    negatives = n - positives
    bounds = {name: value.interval(roundings) for name, value in reported.items()}
    grid = [np.linspace(1, most - 1, GRID).astype(int).tolist() for most in (positives, negatives)]
    firsts = [
        first for first in set(product(*grid)) if min(first) >= 1 and first[0] < positives and first[1] < negatives
    ]
    firsts = [first for first in firsts if room_for(first, positives, negatives, bounds)]
    for p, m in sorted(firsts, key=lambda first: abs(first[0] / positives - 0.5) + abs(first[1] / negatives - 0.5)):
        folds = ((p, m), (positives - p, negatives - m))
        if counts_with_means(folds, bounds):
            return folds
    return None


def room_for(first: tuple[int, int], positives: int, negatives: int, bounds: Mapping[str, tuple[float, float]]) -> bool:
    """Whether a first fold of (positives, negatives) leaves room for the accuracy, if counts need not be whole.

    The mean accuracy of two folds is a weighted mean of their sensitivities s_k (weight w_k = p_k / n_k) and
    specificities (1 - w_k). With s_1 + s_2 given, it is largest where the fold with the larger weight has the larger
    part. A quick no, which spares the solver.
    """
    if "accuracy" not in bounds:
        return True
    (p, m), ends = first, [0.0, 0.0]
    weights = np.array([p / (p + m), (positives - p) / (positives - p + negatives - m)])
    for name, share in (("sensitivity", weights), ("specificity", 1 - weights)):
        sums = np.clip(2 * np.array(bounds.get(name, (0, 1))), 0, 2)  # of the two folds
        for end, order in enumerate((np.sort(share), np.sort(share)[::-1])):
            ends[end] += order @ [min(1, sums[end]), max(0, sums[end] - 1)] / 2
    low, high = bounds["accuracy"]
    return ends[0] <= high + TOLERANCE and ends[1] >= low - TOLERANCE
