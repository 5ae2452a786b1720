"""From units to a patient by "any positive", and what that rule does as units are added.

tpswav2025_ct, Section 3.1: a patient has osteoporosis if any vertebra has, in truth and in prediction alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.stats.inputs import MOST, codes, number, vector, whole, zeros_and_ones

U = np.linspace(-8, 8, 1601)
"""What a person adds to the reading of all of their units, in standard deviations."""
DENSITY = np.exp(-(U**2) / 2) / np.exp(-(U**2) / 2).sum()

NEAR = 1e-9  # parameters of a beta distribution below it are no longer computed with


class PatientRates(NamedTuple):
    """Of patients called by any of their units: NaN where there are none to call.

    ``prevalence`` is the share of patients with a positive unit, ``called`` that of patients with a called one.
    """

    sensitivity: float
    specificity: float
    prevalence: float
    called: float


def any_positive(subject: ArrayLike, positive: ArrayLike) -> pd.Series:
    """Does a subject have a positive unit? Indexed by subject, in order of first appearance; bool.

    Raises
    ------
    ValueError
        Lengths differ, or a value is neither 0 nor 1.
    """
    values = zeros_and_ones(positive, "positive")
    codes(subject, values.size, "subject")
    names = np.asarray(subject)
    if names.ndim != 1:
        raise ValueError(f"subject must be a vector with one name for each unit, got shape {names.shape}")
    return pd.Series(values == 1).groupby(names, sort=False).any()


def rates_of_any(
    sensitivity: float, specificity: float, positives: ArrayLike, errors_alike: float = 0.0
) -> PatientRates:
    """What "any positive" gives patients with n units each.

    A patient with k positive units is missed with probability (1 - sensitivity)^k specificity^(n - k) if units err
    apart from each other. Otherwise a person adds a normal number u to what is read from all of their units: a unit is
    left uncalled with probability Phi((q - sqrt(r) u) / sqrt(1 - r)), where Phi(q) is that of any unit of its kind and
    r is ``errors_alike``, and the product is averaged over u.

    Parameters
    ----------
    sensitivity, specificity
        Of a unit, 0 to 1.
    positives
        Shape (n + 1,): probability that a patient has k = 0, 1 ... n positive units, which sums to 1.
    errors_alike
        r, 0 to 1: :func:`osteolib.stats.likeness.likeness_of_errors` measures it.

    Raises
    ------
    ValueError
        A rate or a probability is not one.
    """
    p = vector(positives, "positives")
    sensitivity, specificity = number(sensitivity, "sensitivity"), number(specificity, "specificity")
    errors_alike = number(errors_alike, "errors_alike")
    if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1):
        raise ValueError(f"sensitivity and specificity must lie between 0 and 1: {sensitivity}, {specificity}")
    if p.ndim != 1 or len(p) < 2 or (p < 0).any() or not np.isclose(p.sum(), 1):
        raise ValueError(f"positives must be probabilities of 0, 1 ... n units that sum to 1: {p.tolist()}")
    if not 0 <= errors_alike <= 1:
        raise ValueError(f"errors_alike must lie between 0 and 1, got {errors_alike}")
    k = np.arange(len(p))
    missed = np.clip(_all_uncalled(1 - sensitivity, specificity, k, len(p) - 1 - k, errors_alike), 0, 1)
    found = p * (1 - missed)
    prevalence = float(p[1:].sum())
    return PatientRates(
        float(found[1:].sum() / prevalence) if prevalence > 0 else float("nan"),
        float(missed[0]) if p[0] > 0 else float("nan"), prevalence, float(found.sum()),
    )  # fmt: skip


def positives_of(n: int, prevalence: float, alike: float = 0.0) -> np.ndarray:
    """Probability of k = 0, 1 ... n positive units in one patient, shape (n + 1,).

    Parameters
    ----------
    prevalence
        Of positive units, above 0 and below 1.
    alike
        Correlation of two units of one patient (beta-binomial): 0 for units that know nothing of each other, 1 for
        patients whose units are all of one kind.

    Raises
    ------
    ValueError
        A value is out of range.
    """
    from scipy.stats import betabinom, binom

    n = whole(n, "n", -MOST, MOST)
    prevalence, alike = number(prevalence, "prevalence"), number(alike, "alike")
    if n < 1 or not 0 < prevalence < 1 or not 0 <= alike <= 1:
        raise ValueError(f"n from 1 on, prevalence between 0 and 1, alike from 0 to 1: {n}, {prevalence}, {alike}")
    k = np.arange(n + 1)
    if alike == 0:
        return binom.pmf(k, n, prevalence)
    if alike == 1:
        return np.where(k == 0, 1 - prevalence, np.where(k == n, prevalence, 0.0))
    total = 1 / number(alike, "alike", "(0, 1)") - 1
    if not min(prevalence, 1 - prevalence) * total > NEAR:
        raise ValueError(
            f"alike = {alike} is too near to 1 at a prevalence of {prevalence}: give 1, units all of one kind"
        )
    return betabinom.pmf(k, n, prevalence * total, (1 - prevalence) * total)


def uncalled_by_person(chance: float, alike: float) -> NDArray:
    """Probability that a unit is left uncalled if that of any is ``chance``, by what its person adds: shape of ``U``.

    ``alike`` lies from 0 on and below 1, ``chance`` from 0 to 1; else ValueError.
    """
    from scipy.special import ndtr, ndtri

    chance, alike = number(chance, "chance", "[0, 1]"), number(alike, "alike", "[0, 1)")
    return ndtr((ndtri(chance) - np.sqrt(alike) * U) / np.sqrt(1 - alike))


def _all_uncalled(miss: float, quiet: float, k: NDArray, others: NDArray, alike: float) -> NDArray:
    """Probability that neither ``k`` positive units, each missed with ``miss``, nor the others are called."""
    if alike == 0:
        return miss**k * quiet**others
    if alike == 1:  # the person decides
        return np.where(k == 0, quiet, np.where(others == 0, miss, min(miss, quiet)))
    return (
        uncalled_by_person(miss, alike)[:, None] ** k * uncalled_by_person(quiet, alike)[:, None] ** others
    ).T @ DENSITY
