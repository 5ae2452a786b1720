"""Two methods that judge the same units: tests that take units as independent, and one that does not.

McNemar's exact test asks, of the units that one method has right and the other wrong, whether they split evenly
(McNemar, Psychometrika 1947). The paired t-test asks whether a difference per unit is 0 on the mean. Both count units.
Where a person has several, exchanging the two methods person by person gives the differences that pure chance makes
(a permutation test; Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, 2005), and shows how often a test
over units would have called them significant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from osteolib.stats.checks import same_length
from osteolib.stats.inputs import MOST, codes, number, target, vector, whole, zeros_and_ones


class Exchanged(NamedTuple):
    """What exchanging two methods person by person gives.

    Attributes
    ----------
    p
        Two-sided, of the mean difference.
    t_below
        By level: how often a paired t-test over units gives a smaller p although nothing but chance is at work.
    """

    p: float
    t_below: dict[float, float]


def mcnemar_exact(y_true: ArrayLike, called_a: ArrayLike, called_b: ArrayLike) -> float:
    """p of McNemar's exact test; 1 where the methods are right and wrong on the same units.

    All of shape (n,), 0 or 1.

    Raises
    ------
    ValueError
        Lengths differ, or a value is neither 0 nor 1.
    """
    given = {"y_true": y_true, "called_a": called_a, "called_b": called_b}
    y, a, b = (zeros_and_ones(values, name) for name, values in given.items())
    same_length(y_true=y, called_a=a, called_b=b)
    wins, losses = int(((a == y) & (b != y)).sum()), int(((a != y) & (b == y)).sum())
    return float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def paired_t(difference: ArrayLike) -> float:
    """p of the paired t-test, of differences by unit, shape (n,); 1 where all are 0, NaN of fewer than two."""
    d = vector(difference, "difference")
    if d.size < 2:
        return float("nan")
    return float(stats.ttest_1samp(d, 0).pvalue) if np.ptp(d) > 0 else float(d[0] == 0)


def exchanged_by_person(
    difference: ArrayLike,
    groups: ArrayLike,
    n_draws: int = 2000,
    seed: int = 0,
    levels: tuple[float, ...] = (0.05, 0.001),
) -> Exchanged:
    """Change the sign of all differences of a person at random: what would be seen if the methods were alike.

    Parameters
    ----------
    difference
        Shape (n,), of each unit.
    groups
        Shape (n,), whose unit.

    Raises
    ------
    ValueError
        Lengths differ, or there are fewer than two units.
    """
    d = vector(difference, "difference")
    person = codes(groups, d.size)
    n_draws, seed = whole(n_draws, "n_draws", 1, MOST), whole(seed, "seed", 0, 2**64)
    if not isinstance(levels, tuple | list):
        raise ValueError(f"levels must be a tuple of shares, e.g. (0.05, 0.001), got {levels!r:.60}")
    for level in levels:
        number(level, "levels", "(0, 1)", "a share")
    if d.size < 2:
        raise ValueError(f"difference has {d.size} unit(s): a difference needs two to vary")
    if not d.any():
        return Exchanged(1.0, dict.fromkeys(levels, 0.0))
    total = np.bincount(person, weights=d)
    signs = np.random.default_rng([seed, 7]).choice([-1, 1], size=(n_draws, total.size))
    sums, squares = signs @ total, (d**2).sum()
    slack = 1e-12 * np.abs(d).sum()
    p = (1 + (np.abs(sums) >= abs(total.sum()) - slack).sum()) / (1 + n_draws)
    spread = (squares - sums**2 / d.size) / (d.size - 1)
    t = sums / np.sqrt(np.maximum(spread, 1e-300) * d.size)
    below = 2 * stats.t.sf(np.abs(t), d.size - 1)
    return Exchanged(float(p), {level: float((below < level).mean()) for level in levels})


def right_and_error(y_true: ArrayLike, score: ArrayLike, threshold: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Of each unit: is its call right (0 or 1), and how far its probability lies from the truth."""
    y, p = target(y_true).astype(float), vector(score, "score")
    same_length(y_true=y, score=p)
    number(threshold, "threshold")
    return ((p >= threshold) == y).astype(float), np.abs(p - y)
