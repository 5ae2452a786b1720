"""Rank statistics that a bootstrap may call thousands of times: Spearman's correlation, AUROC within strata."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def spearman(a: NDArray, b: NDArray) -> float:
    """Spearman's rank correlation of two vectors, ties at their mean rank; NaN where one is constant."""
    if not (np.ptp(a) and np.ptp(b)):
        return float("nan")
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def auroc_within(y: NDArray, score: NDArray, stratum: NDArray) -> float:
    """Share of pairs of a positive and a negative *of one stratum* in which the positive scores higher; ties are half.

    All vectors have shape (n,); ``y`` is 0 or 1. With one stratum it is the AUROC. A score that only tells the strata
    apart gets 0.5. NaN where no stratum has both classes.
    """
    positive, negative = y == 1, y == 0
    same = stratum[positive][:, None] == stratum[negative]
    higher = np.sign(score[positive][:, None] - score[negative]) / 2 + 0.5
    return float(higher[same].mean()) if same.any() else float("nan")
