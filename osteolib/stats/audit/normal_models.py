"""What normal scores and normal T-scores would give: yardsticks for numbers that arithmetic alone cannot judge."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import brentq


def graded_leads(
    sensitivity: float, specificity: float, n_pos: int, n_neg: int, n_studies: int, rng: np.random.Generator
) -> np.ndarray:
    """How far the AUC of graded scores lies above (sensitivity + specificity) / 2 of the same study.

    Negatives score N(0, 1), positives normal with an SD drawn between a third and three, evenly in its logarithm; cut
    and mean are such that the true sensitivity and specificity are those given.

    Returns
    -------
    ndarray
        Shape (n_studies,): AUC minus the area under the two straight lines through the study's own operating point.
    """
    cut = stats.norm.ppf(specificity)
    sigma = np.exp(rng.uniform(-np.log(3), np.log(3), (n_studies, 1)))
    noise = rng.standard_normal((n_studies, n_pos + n_neg))
    well = noise[:, :n_neg]
    ill = cut + sigma * (stats.norm.ppf(sensitivity) + noise[:, n_neg:])
    ranks = stats.rankdata(np.hstack([ill, well]), axis=1)[:, :n_pos].sum(axis=1)
    auc = (ranks - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)
    return auc - ((ill > cut).mean(axis=1) + (well <= cut).mean(axis=1)) / 2


def curve_through_point(fpr: ArrayLike, sensitivity: float, specificity: float) -> np.ndarray:
    """Sensitivity at each false-positive rate, for normal scores of one SD in both classes through one point."""
    return stats.norm.cdf(stats.norm.ppf(fpr) + stats.norm.ppf(sensitivity) + stats.norm.ppf(specificity))


def r_of_cells(cuts: ArrayLike, mean: float, sd: float) -> float:
    """Correlation of a normal T-score with the mean of the cell between two cuts that it lies in.

    With two cells it is what naming the mean of the true class gives.
    """
    z = (np.array([-np.inf, *np.asarray(cuts, float), np.inf]) - mean) / sd
    between = np.diff(stats.norm.pdf(z)) ** 2 / np.diff(stats.norm.cdf(z))
    return float(np.sqrt(between.sum()))


def share_of_sides(share_of_people: float, correlation: float) -> float:
    """Share of hips with a disease that so many people have in one hip at least.

    Two normal T-scores a person, of one distribution, with this correlation in (-1, 1).
    """
    both = stats.multivariate_normal(cov=[[1, correlation], [correlation, 1]])
    return float(stats.norm.cdf(brentq(lambda z: 1 - both.cdf([-z, -z]) - share_of_people, -5, 5)))
