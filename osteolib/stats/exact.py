"""Exact intervals for what resampling cannot vary: 12 right of 12, or two classes that a score parts without error.

A bootstrap of twelve successes draws twelve successes, whatever the truth is; its interval is one point. Clopper and
Pearson's interval holds the truth at least as often as it says for every sample. Source: Clopper and Pearson,
Biometrika 1934.
"""

from __future__ import annotations

import numpy as np

from osteolib.stats.inputs import EXACT, level, number, whole

NONE = 1e-9  # of a trial
PROPORTIONS = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
"""Metrics that are a share of units."""


def exact_interval(successes: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a proportion, for every count from 0 of n to n of n.

    Parameters
    ----------
    successes
        From 0 to ``n``. A fraction is allowed, for a share of units told as one of people.
    n
        Independent trials, at least 1: people, not their knees.
    confidence
        Coverage at least, in (0, 1).

    Returns
    -------
    Lower and upper end. 12 of 12 gives 0.735 to 1.

    Raises
    ------
    ValueError
        An argument is not as above.
    """
    from scipy.stats import beta

    n, tail = whole(n, "n", 1, EXACT), (1 - level(confidence)) / 2
    k = number(successes, "successes", f"[0, {n}]", "of n")
    low = float(beta.ppf(tail, k, n - k + 1)) if k > NONE else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if n - k > NONE else 1.0
    return low, high


def exact_of_calls(
    name: str, y: np.ndarray, score: np.ndarray, threshold: float | None, subject: np.ndarray, confidence: float
) -> tuple[float, float] | None:
    """The exact interval of a metric in a sample, people counted once; None where there is none of this metric.

    Parameters
    ----------
    name
        One of :data:`PROPORTIONS`, or ``auroc``: of the metrics those that have such an interval.
    y, score, subject
        Shape (n,), checked: 0 or 1, finite, the number of each unit's person.
    threshold
        ``score >= threshold`` is a positive call; only a proportion asks for it.

    Notes
    -----
    A proportion counts the people behind its units, and takes the share of right units for one of people: exact where
    each has one unit or all are right or wrong, else on the safe side. The AUROC has an interval where it is 0 or 1:
    pairs of people, one of each class, nobody in two, are independent and each is ordered rightly with probability
    AUROC, so that as many pairs as can be formed are a sample all right or all wrong.
    """
    positive = y == 1
    if name == "auroc":
        if not (all_above := score[positive].min() > score[~positive].max()) and not (
            score[positive].max() < score[~positive].min()
        ):
            return None
        sides = [np.unique(subject[side]) for side in (positive, ~positive)]
        pairs = min(*(side.size for side in sides), np.unique(subject).size // 2)
        return exact_interval(pairs if all_above else 0, pairs, confidence) if pairs else None
    if name not in PROPORTIONS or threshold is None:
        return None
    called = score >= threshold
    of, right = {
        "sensitivity": (positive, called),
        "specificity": (~positive, ~called),
        "ppv": (called, positive),
        "npv": (~called, ~positive),
        "accuracy": (np.ones_like(called), called == positive),
    }[name]
    people = np.unique(subject[of]).size
    return exact_interval(float(right[of].mean()) * people, people, confidence) if people else None
