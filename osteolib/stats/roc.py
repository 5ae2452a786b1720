"""DeLong's variance of the AUROC, and his test of two correlated AUROCs, in O(n log n).

The AUROC is the mean over pairs of psi(x_i, y_j) = 1 if x_i > y_j, 1/2 if equal, 0 otherwise, x_i the m
positive and y_j the n negative scores. Its structural components are the row and column means of psi; midranks
give them without forming the pairs. Where subjects have several units, the components of a subject are added up before
they are squared. Source: DeLong, DeLong and Clarke-Pearson, Biometrics 1988; Sun and Xu, IEEE Signal Process Lett 2014;
Obuchowski, Biometrics 1997, 53:567 (several units a subject).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from osteolib.stats.checks import same_length
from osteolib.stats.exact import exact_of_calls
from osteolib.stats.inputs import codes, level, target, vector


@dataclass(frozen=True)
class DeLongInterval:
    """An AUROC with its standard error and interval.

    At an AUROC of 0 or 1 the standard error is 0 and ``ci`` one point; ``exact`` then holds the Clopper-Pearson
    interval of as many pairs of people as can be formed (:func:`osteolib.stats.exact.exact_of_calls`), else None.
    """

    auroc: float
    se: float
    ci: tuple[float, float]
    n_positive: int
    n_negative: int
    exact: tuple[float, float] | None = None

    @property
    def degenerate(self) -> bool:
        """Whether ``ci`` is one point, which is no measure of uncertainty: no errors, or equal scores."""
        return self.ci[0] == self.ci[1]


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

    @property
    def degenerate(self) -> bool:
        """Whether ``ci`` is one point, which is no measure of uncertainty: both scores order the units alike."""
        return self.ci[0] == self.ci[1]


def delong_ci(
    y_true: ArrayLike, y_score: ArrayLike, confidence: float = 0.95, groups: ArrayLike | None = None
) -> DeLongInterval:
    """AUROC with its Wald interval, cut at 0 and 1.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, of each class at least two subjects.
    y_score
        Shape (n,), finite, higher means more likely 1.
    confidence
        Coverage, in (0, 1).
    groups
        Shape (n,), the subject of each unit, of one class or of both. Default: each unit is a subject.

    Notes
    -----
    At an AUROC of exactly 0 or 1 the variance is 0 and the interval one point: a limit of the method, not
    precision. The answer says so (``degenerate``) and gives ``exact`` beside it.

    Raises
    ------
    ValueError
        An argument is not as above.
    """
    y, subject, score = _checked(y_true, confidence, groups, y_score=y_score)
    components = _structural_components(y, score)
    v10, v01 = components[y == 1], components[y == 0]
    auroc, se = float(v10.mean()), float(np.sqrt(_variance(components - v10.mean(), y, subject)))
    half = stats.norm.ppf(0.5 + confidence / 2) * se
    ci = (float(max(0.0, auroc - half)), float(min(1.0, auroc + half)))
    exact = exact_of_calls("auroc", y, score, None, subject, confidence) if ci[0] == ci[1] else None
    return DeLongInterval(auroc, se, ci, v10.size, v01.size, exact)


def delong_test(
    y_true: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    confidence: float = 0.95,
    groups: ArrayLike | None = None,
) -> DeLongTest:
    """Test whether two scores of the same subjects have the same AUROC.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, of each class at least two subjects.
    score_a, score_b
        Shape (n,), finite, each in its own unit, higher means more likely 1.
    confidence
        Coverage of the interval of the difference, in (0, 1).
    groups
        Shape (n,), the subject of each unit. Default: each unit is a subject.

    Raises
    ------
    ValueError
        An argument is not as above, or the AUROCs differ with an estimated variance of 0 (1 against 0, say).
        Scores that order the subjects alike give difference 0, z 0 and p 1.
    """
    y, subject, a, b = _checked(y_true, confidence, groups, score_a=score_a, score_b=score_b)
    of_a, of_b = _structural_components(y, a), _structural_components(y, b)
    auroc_a, auroc_b = float(of_a[y == 1].mean()), float(of_b[y == 1].mean())
    difference = auroc_b - auroc_a
    se = float(np.sqrt(_variance(of_b - of_a - difference, y, subject)))  # var(b) + var(a) - 2 cov(a, b)
    if se > 1e-12:
        z = difference / se
    elif abs(difference) < 1e-12:
        z = 0.0
    else:
        raise ValueError(
            f"the AUROCs of score_a and score_b differ by {difference:g} but DeLong's variance is 0: the test needs "
            "more subjects"
        )
    half = stats.norm.ppf(0.5 + confidence / 2) * se
    return DeLongTest(
        auroc_a=auroc_a,
        auroc_b=auroc_b,
        difference=difference,
        ci=(float(difference - half), float(difference + half)),
        z=z,
        p=float(2 * stats.norm.sf(abs(z))),
        n_positive=int(y.sum()),
        n_negative=int((1 - y).sum()),
    )


def _checked(y_true: ArrayLike, confidence: float, groups: ArrayLike | None, **scores: ArrayLike) -> list[np.ndarray]:
    """Labels, the number of each unit's subject, and the scores."""
    level(confidence)
    y = target(y_true)
    vectors = {name: vector(values, name) for name, values in scores.items()}
    same_length(y_true=y, **vectors)
    subject = np.arange(y.size) if groups is None else codes(groups, y.size)
    positive, negative = (np.unique(subject[y == side]).size for side in (1, 0))
    if min(positive, negative) < 2:
        raise ValueError(f"DeLong's variance needs two subjects of each class, got {positive} positive, {negative} "
                         "negative in y_true")  # fmt: skip
    return [y, subject, *vectors.values()]


def _structural_components(y: np.ndarray, score: np.ndarray) -> np.ndarray:
    """For each positive the share of negatives below it (V10), for each negative that of positives above it (V01)."""
    positive, negative = score[y == 1], score[y == 0]
    m, n = positive.size, negative.size
    pooled = stats.rankdata(np.concatenate([positive, negative]))
    components = np.empty(y.size)
    components[y == 1] = (pooled[:m] - stats.rankdata(positive)) / n
    components[y == 0] = 1 - (pooled[m:] - stats.rankdata(negative)) / m
    return components


def _variance(deviation: np.ndarray, y: np.ndarray, subject: np.ndarray) -> float:
    """Obuchowski's variance from the deviations of the components from their mean; with one unit each, DeLong's."""
    sums, share = [], []
    for side in (1, 0):
        mine = y == side
        sums.append(np.bincount(subject[mine], deviation[mine], subject.max() + 1) / mine.sum())
        k = np.unique(subject[mine]).size
        share.append(k / (k - 1))
    everyone = np.unique(subject).size
    both = 2 * everyone / (everyone - 1) * (sums[0] @ sums[1])
    return max(share[0] * sums[0] @ sums[0] + share[1] * sums[1] @ sums[1] + both, 0.0)
