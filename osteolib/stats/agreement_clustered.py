"""Limits of agreement where a person gives more than one pair: two hips, two knees.

The difference of hip j of person i is d_ij = bias + a_i + e_ij: part of it, a_i, the person's two hips share, part,
e_ij, is the hip's own. The limits are bias -/+ 1.96 sqrt(s_between^2 + s_within^2), and a limit is known as well as
there are people, not hips. Source: Bland and Altman, J Biopharm Stat 2007, 17:571 (where the true value varies), by
one-way analysis of variance; intervals that recover the variances (MOVER), Zou, Stat Methods Med Res 2013, 22:630.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy  # its parts load when they are used
from numpy.typing import ArrayLike

from osteolib.stats.agreement import Z_LIMIT
from osteolib.stats.checks import same_length
from osteolib.stats.inputs import codes, level, one_of, vector


@dataclass(frozen=True)
class ClusteredAgreement:
    """Bland-Altman statistics of ``predicted - reference`` with people as clusters, in the unit of the inputs."""

    n: int  # pairs
    n_subjects: int
    bias: float  # mean of the people's mean differences
    sd: float  # of one difference: both parts
    sd_between: float  # of what a person's pairs share; 0 where their means differ less than chance lets them
    sd_within: float
    loa_low: float
    loa_high: float
    bias_ci: tuple[float, float]
    sd_ci: tuple[float, float]
    loa_low_ci: tuple[float, float]
    loa_high_ci: tuple[float, float]

    @property
    def shared(self) -> float:
        """Intraclass correlation of the differences: how much of their variance a person's pairs share, 0 to 1."""
        return self.sd_between**2 / self.sd**2 if self.sd > 0 else 0.0

    def to_frame(self) -> pd.DataFrame:
        """One row per statistic with ``value, ci_low, ci_high``."""
        names = ("bias", "sd", "loa_low", "loa_high")
        rows = {name: (getattr(self, name), *getattr(self, f"{name}_ci")) for name in names}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "ci_low", "ci_high"])


def bland_altman_clustered(
    reference: ArrayLike, predicted: ArrayLike, groups: ArrayLike, confidence: float = 0.95
) -> ClusteredAgreement:
    """Bias and limits of agreement between a reference and a prediction, two hips of a person taken as such.

    With m_i pairs of person i, m_h their harmonic mean, v the variance of the people's mean differences and s_w^2 the
    mean square within people, the variance of a difference is v + (1 - 1 / m_h) s_w^2. Where all people have the same
    number of pairs this is what one-way analysis of variance gives, and m_h only spreads the rule to people with one.

    Parameters
    ----------
    reference, predicted
        Shape (n,), same unit, one pair per hip.
    groups
        Shape (n,), the person of each pair; at least three people, one of them with two pairs.
    confidence
        Coverage of the intervals, in (0, 1).

    Raises
    ------
    ValueError
        Shapes differ, a value is not finite, there are fewer than three people, or none with two pairs.
    """
    confidence = level(confidence)
    x, y = vector(reference, "reference"), vector(predicted, "predicted")
    same_length(reference=x, predicted=y)
    person, d = codes(groups, x.size), y - x
    size = np.bincount(person)
    people, within_df = size.size, d.size - size.size
    if people < 3:
        raise ValueError(f"limits of agreement need at least 3 people, got {people} with {d.size} pairs (groups)")
    if within_df == 0:
        raise ValueError("nobody has two pairs in groups, so nothing is shared: use bland_altman, one pair a person")

    mean = np.bincount(person, d) / size
    between, within = mean.var(ddof=1), ((d - mean[person]) ** 2).sum() / within_df
    own = 1 - (1 / size).mean()  # 1 - 1 / harmonic mean of the sizes
    variance = between + own * within
    tails = np.array([0.5 + confidence / 2, 0.5 - confidence / 2])
    chi = scipy.stats.chi2.ppf
    with np.errstate(divide="ignore"):  # a chi2 quantile of few degrees of freedom may be 0: the upper end is infinite
        reach = np.hypot(
            between * (1 - (people - 1) / chi(tails, people - 1)),
            own * within * (1 - within_df / chi(tails, within_df)),
        )
    ends = np.sqrt(np.maximum(variance + np.array([-1, 1]) * reach, 0))
    bias, sd = mean.mean(), np.sqrt(variance)
    half = scipy.stats.t.ppf(tails[0], people - 1) * np.sqrt(between / people)
    inner, outer = (np.hypot(half, Z_LIMIT * (end - sd)) for end in ends)  # of a limit, towards the bias and away
    low, high = bias - Z_LIMIT * sd, bias + Z_LIMIT * sd
    return ClusteredAgreement(
        n=d.size,
        n_subjects=people,
        bias=float(bias),
        sd=float(sd),
        sd_between=float(np.sqrt(max(between - (1 - own) * within, 0))),
        sd_within=float(np.sqrt(within)),
        loa_low=float(low),
        loa_high=float(high),
        bias_ci=(float(bias - half), float(bias + half)),
        sd_ci=(float(ends[0]), float(ends[1])),
        loa_low_ci=(float(low - outer), float(low + inner)),
        loa_high_ci=(float(high - inner), float(high + outer)),
    )


def by_person(reference: ArrayLike, predicted: ArrayLike, groups: ArrayLike, how: str = "mean") -> pd.DataFrame:
    """One pair a person out of one pair a hip, for statistics that want independent people.

    Parameters
    ----------
    how
        ``mean`` of the person's hips on either side; or ``lowest``, the lowest reference and the lowest prediction, as
        a diagnosis is made: they need not be of the same hip.

    Returns
    -------
    ``reference, predicted``, indexed by person in order of first appearance.

    Raises
    ------
    ValueError
        As :func:`bland_altman_clustered`, or ``how`` is neither.
    """
    one_of(how, "how", ("mean", "lowest"))
    x, y = vector(reference, "reference"), vector(predicted, "predicted")
    same_length(reference=x, predicted=y)
    codes(groups, x.size)
    people = np.asarray(groups)
    if people.ndim != 1:
        raise ValueError(f"groups must be a vector with one name for each pair, got shape {people.shape}")
    hips = pd.DataFrame({"reference": x, "predicted": y}).groupby(people, sort=False)
    return hips.mean() if how == "mean" else hips.min()
