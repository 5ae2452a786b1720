"""How alike the units of one person are, in truth and in how a reader errs on them: what "any positive" depends on."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteolib.stats.any_positive import DENSITY, uncalled_by_person
from osteolib.stats.checks import same_length
from osteolib.stats.inputs import MOST, codes, whole, zeros_and_ones

LIKENESS = np.arange(0, 1, 0.01)
"""Among these the likeness of errors is sought."""


class Likeness(NamedTuple):
    """How alike the units of one person are, with a 95 % interval from resampled persons; NaN where none has two."""

    value: float
    low: float
    high: float


def likeness_of_truth(subject: ArrayLike, truth: ArrayLike, n_boot: int = 2000, seed: int = 0) -> Likeness:
    """Correlation of the truth of two units of one person over all such pairs; 0 if below.

    It is the ``alike`` of :func:`osteolib.stats.any_positive.positives_of`.
    Parameters and errors as in :func:`likeness_of_errors`. NaN also where all units are of one kind.
    """
    subject, y, _ = _checked(subject, truth, truth)
    pairs = _pairs(subject, y, y)
    kinds = pairs.reshape(len(pairs), 3, -1).sum(axis=2)  # of each person: both negative, one of each, both positive
    products = np.array([y.mean() ** 2, -y.mean() * (1 - y.mean()), (1 - y.mean()) ** 2])

    def correlation(total: NDArray) -> NDArray:
        n, variance = total.sum(axis=1), y.mean() * (1 - y.mean())
        known = (n > 0) & (variance > 0)
        return np.where(known, np.clip(total @ products / np.where(known, n * variance, 1), 0, 1), np.nan)

    return _resampled(kinds, correlation, n_boot, seed)


def likeness_of_errors(
    subject: ArrayLike, truth: ArrayLike, called: ArrayLike, n_boot: int = 2000, seed: int = 0
) -> Likeness:
    """How alike the readings of two units of one person are beyond their truth, by which their calls are most likely.

    It is the ``errors_alike`` of :func:`osteolib.stats.any_positive.rates_of_any`, of which pairs of units are judged.
    Sensitivity and specificity of a unit are those of the sample, and held.

    Parameters
    ----------
    subject, truth, called
        Shape (n,): whose unit, and 0 or 1 each.
    n_boot, seed
        Draws of persons for the interval.

    Raises
    ------
    ValueError
        Lengths differ, or a value is neither 0 nor 1.
    """
    subject, y, c = _checked(subject, truth, called)
    quiet = [np.clip(1 - c[y == side].mean(), 1e-3, 1 - 1e-3) if (y == side).any() else 0.5 for side in (0, 1)]
    left = {side: np.array([uncalled_by_person(quiet[side], r) for r in LIKENESS]) for side in (0, 1)}
    chances = [
        one * other @ DENSITY
        for a, b in ((0, 0), (0, 1), (1, 1))
        for one in (left[a], 1 - left[a])
        for other in (left[b], 1 - left[b])
    ]

    def most_likely(total: NDArray) -> NDArray:
        return np.where(
            total.sum(axis=1) > 0, LIKENESS[(total @ np.log(np.maximum(chances, 1e-300))).argmax(axis=1)], np.nan
        )

    return _resampled(_pairs(subject, y, c), most_likely, n_boot, seed)


def _checked(subject: ArrayLike, truth: ArrayLike, called: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    y, c = zeros_and_ones(truth, "truth").astype(float), zeros_and_ones(called, "called").astype(float)
    same_length(truth=y, called=c)
    codes(subject, y.size, "subject")
    names = np.asarray(subject)
    if names.ndim != 1:
        raise ValueError(f"subject must be a vector with one name for each unit, got shape {names.shape}")
    return names, y, c


def _pairs(subject: NDArray, y: NDArray, c: NDArray) -> NDArray:
    """Pairs of units of each person, shape (persons, 12): by truth (none, one, both positive), then by who is called.

    The negative unit of a pair comes first.
    """
    people, person = np.unique(subject, return_inverse=True)
    counts = np.zeros((len(people), 12))
    for number in range(len(people)):
        own = np.flatnonzero(person == number)
        for i, j in combinations(own[np.argsort(y[own], kind="stable")], 2):
            counts[number, int(4 * (y[i] + y[j]) + 2 * c[i] + c[j])] += 1
    return counts


def _resampled(counts: NDArray, statistic, n_boot: int, seed: int) -> Likeness:
    """``statistic`` of the sum of persons' counts, and its 95 % interval over draws of persons."""
    people, n_boot, seed = len(counts), whole(n_boot, "n_boot", 1, MOST), whole(seed, "seed", 0, 2**64)
    draws = np.random.default_rng([seed, 42]).multinomial(people, np.full(people, 1 / people), n_boot)
    value, found = float(statistic(counts.sum(axis=0, keepdims=True))[0]), statistic(draws @ counts)
    if np.isnan(value):
        return Likeness(value, value, value)
    return Likeness(value, *map(float, np.nanquantile(found, (0.025, 0.975))))
