"""Rank statistics that a bootstrap may call thousands of times: Spearman's correlation, AUROC within strata."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from osteolib.stats.checks import same_length
from osteolib.stats.inputs import codes, vector, zeros_and_ones


def spearman(a: NDArray, b: NDArray) -> float:
    """Spearman's rank correlation of two vectors, ties at their mean rank; NaN where one is constant.

    Raises
    ------
    ValueError
        The lengths differ, or a value is missing, hidden, infinite or no number.
    """
    a, b = vector(a, "a"), vector(b, "b")
    same_length(a=a, b=b)
    if not (np.ptp(a) and np.ptp(b)):
        return float("nan")
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def auroc_within(y: NDArray, score: NDArray, stratum: NDArray) -> float:
    """Share of pairs of a positive and a negative *of one stratum* in which the positive scores higher; ties are half.

    All vectors have shape (n,); ``y`` is 0 or 1. With one stratum it is the AUROC. A score that only tells the strata
    apart gets 0.5. NaN where no stratum has both classes.

    Raises
    ------
    ValueError
        The lengths differ, ``y`` is not 0 and 1, a score is no finite number, or a stratum has no name.
    """
    positive, score = zeros_and_ones(y, "y") == 1, vector(score, "score")
    same_length(y=positive, score=score)
    place = codes(stratum, score.size, "stratum")
    ladder = place * score.size + np.unique(score, return_inverse=True)[1]  # each stratum's scores above the last one's
    low, mine = np.sort(ladder[~positive]), ladder[positive]
    n = np.bincount(place[~positive], minlength=place.max() + 1)
    pairs = n[place[positive]].sum()
    beneath = (np.cumsum(n) - n)[place[positive]].sum()  # negatives of lower strata
    higher = (np.searchsorted(low, mine, "left") + np.searchsorted(low, mine, "right")).sum() / 2 - beneath
    return float(higher / pairs) if pairs else float("nan")
