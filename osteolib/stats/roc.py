"""DeLong's variance of the AUROC, and his test of two correlated AUROCs, in O(n log n).

The AUROC is the mean over pairs of psi(x_i, y_j) = 1 if x_i > y_j, 1/2 if equal, 0 otherwise, x_i the m
positive and y_j the n negative scores. Its structural components are the row and column means of psi; midranks
give them without forming the pairs. Source: DeLong, DeLong and Clarke-Pearson, Biometrics 1988; Sun and Xu,
IEEE Signal Process Lett 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from osteolib.stats.checks import binary_target, check_confidence, finite_vector, same_length


@dataclass(frozen=True)
class DeLongInterval:
    """An AUROC with its standard error and interval."""

    auroc: float
    se: float
    ci: tuple[float, float]
    n_positive: int
    n_negative: int


@dataclass(frozen=True)
class DeLongTest:
    """Two AUROCs on the same subjects; ``difference = auroc_b - auroc_a``, what b adds; ``p`` two-sided."""

    auroc_a: float
    auroc_b: float
    difference: float
    ci: tuple[float, float]
    z: float
    p: float
    n_positive: int
    n_negative: int


def delong_ci(y_true: ArrayLike, y_score: ArrayLike, confidence: float = 0.95) -> DeLongInterval:
    """AUROC with its Wald interval, cut at 0 and 1.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, at least two of each, one unit per subject (else use ``bootstrap_ci``).
    y_score
        Shape (n,), finite, higher means more likely 1.
    confidence
        Coverage, in (0, 1).

    Notes
    -----
    At an AUROC of exactly 0 or 1 the variance is 0 and the interval one point: a limit of the method, not
    precision.
    """
    y, score = _checked(y_true, confidence, y_score=y_score)
    v10, v01 = _structural_components(y, score)
    auroc, se = float(v10.mean()), float(np.sqrt(_variance(v10, v01)))
    half = stats.norm.ppf(0.5 + confidence / 2) * se
    return DeLongInterval(auroc, se, (float(max(0.0, auroc - half)), float(min(1.0, auroc + half))), v10.size, v01.size)


def delong_test(y_true: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, confidence: float = 0.95) -> DeLongTest:
    """Test whether two scores of the same subjects have the same AUROC.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, at least two of each, one unit per independent subject.
    score_a, score_b
        Shape (n,), finite, each in its own unit, higher means more likely 1.
    confidence
        Coverage of the interval of the difference, in (0, 1).

    Raises
    ------
    ValueError
        An argument is not as above, or the AUROCs differ with an estimated variance of 0 (1 against 0, say).
        Scores that order the subjects alike give difference 0, z 0 and p 1.
    """
    y, a, b = _checked(y_true, confidence, score_a=score_a, score_b=score_b)
    a10, a01 = _structural_components(y, a)
    b10, b01 = _structural_components(y, b)
    difference = float(b10.mean() - a10.mean())
    se = float(np.sqrt(_variance(b10 - a10, b01 - a01)))  # var(b) + var(a) - 2 cov(a, b)
    if se > 1e-12:
        z = difference / se
    elif abs(difference) < 1e-12:
        z = 0.0
    else:
        raise ValueError(
            f"the AUROCs differ by {difference:g} but DeLong's variance is 0: the test needs more subjects"
        )
    half = stats.norm.ppf(0.5 + confidence / 2) * se
    return DeLongTest(
        auroc_a=float(a10.mean()),
        auroc_b=float(b10.mean()),
        difference=difference,
        ci=(float(difference - half), float(difference + half)),
        z=z,
        p=float(2 * stats.norm.sf(abs(z))),
        n_positive=b10.size,
        n_negative=b01.size,
    )


def _checked(y_true: ArrayLike, confidence: float, **scores: ArrayLike) -> list[np.ndarray]:
    check_confidence(confidence)
    y = binary_target(y_true)
    vectors = {name: finite_vector(values, name) for name, values in scores.items()}
    same_length(y_true=y, **vectors)
    if min(y.sum(), (1 - y).sum()) < 2:
        raise ValueError(f"DeLong's variance needs two of each class, got {y.sum()} positive of {y.size}")
    return [y, *vectors.values()]


def _structural_components(y: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """V10 (m,): share of negatives below each positive; V01 (n,): share of positives above each negative."""
    positive, negative = score[y == 1], score[y == 0]
    m, n = positive.size, negative.size
    pooled = stats.rankdata(np.concatenate([positive, negative]))
    v10 = (pooled[:m] - stats.rankdata(positive)) / n
    v01 = 1 - (pooled[m:] - stats.rankdata(negative)) / m
    return v10, v01


def _variance(v10: np.ndarray, v01: np.ndarray) -> float:
    return v10.var(ddof=1) / v10.size + v01.var(ddof=1) / v01.size
