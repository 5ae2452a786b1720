"""Drawing subjects with replacement, and intervals from what the draws give.

The bootstrap draws *subjects* within strata; a unit (a knee, a vertebra) is drawn with its subject. A
replicate is kept as counts, how often each subject was drawn, and replicates come in pieces of about ``CHUNK``
numbers: memory does not grow with how many there are.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14; Davison and Hinkley,
Bootstrap Methods and their Application, 1997, section 5.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from osteolib.stats.checks import same_length
from osteolib.stats.inputs import MOST, codes, instance, level, number, reals, whole, zeros_and_ones

CHUNK = 2**15  # numbers in a piece: 256 KiB, which stays in cache and is twice as fast as 2 MiB
METHODS = ("percentile", "bca")

SMALL = 50
"""Subjects of a class below which a percentile interval of 95 % holds the truth too seldom.

With 30 cases and 12 normals it holds a sensitivity of 0.8 in 91 % of 3,000 simulated studies and an AUROC of 0.83 in
92 %, BCa in 96 and 95 %; with 48 and 100 the percentiles hold both in 94 %.
"""


@dataclass(frozen=True, eq=False)
class Design:
    """Who is drawn together and who is drawn apart."""

    subject: np.ndarray  # (n,) subject of each unit, numbered stratum by stratum, in order of first appearance
    stratum_sizes: tuple[int, ...]  # subjects of each stratum

    @property
    def n_subjects(self) -> int:
        return sum(self.stratum_sizes)

    @property
    def strata(self) -> list[slice]:
        """The subjects of each stratum."""
        ends = np.cumsum(self.stratum_sizes).tolist()
        return [slice(end - size, end) for end, size in zip(ends, self.stratum_sizes, strict=True)]


def design_resampling(n: int, groups=None, y_true: np.ndarray | None = None) -> Design:
    """Subjects out of ``groups`` (default: each unit is one), strata out of ``y_true`` (default: no strata).

    With ``y_true`` the strata are the subjects with negative units only, with positive only, and with both.

    Raises
    ------
    ValueError
        ``n`` is no number of units, ``groups`` does not name a subject of each, or ``y_true`` is not 0 and 1.
    """
    n = whole(n, "n", 1, 10 * MOST)
    subject = np.arange(n) if groups is None else codes(groups, n)
    if y_true is None:
        return Design(subject, (int(subject.max()) + 1,))
    y_true = zeros_and_ones(y_true, "y_true")
    same_length(y_true=y_true, n=subject)
    has_positive = np.bincount(subject, weights=y_true) > 0
    has_negative = np.bincount(subject, weights=1 - y_true) > 0
    stratum = has_positive.astype(int) + (has_positive & has_negative)
    renumbered = np.argsort(np.argsort(stratum, kind="stable"))
    return Design(renumbered[subject], tuple(np.bincount(stratum, minlength=3).tolist()))


def check_settings(n_boot: int, confidence: float, method: str | None) -> None:
    """Raise ValueError for fewer than 100 replicates, a confidence outside (0, 1) or an unknown method (not None)."""
    if whole(n_boot, "n_boot", -MOST, MOST) < 100:
        raise ValueError(f"n_boot must be at least 100 for an interval (2000 is usual), got {n_boot}")
    if method is not None and (not isinstance(method, str) or method not in METHODS):
        raise ValueError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
    level(confidence)


def usual_method(n_rarer: int) -> str:
    """The method of an interval for which none is asked: ``bca`` if a class has fewer than :data:`SMALL` subjects.

    ``n_rarer`` counts the subjects with a unit of the class that fewer subjects have.
    """
    return "bca" if whole(n_rarer, "n_rarer", 1, MOST) < SMALL else "percentile"


def check_people(design: Design, name: str) -> None:
    """Raise ValueError where all units come from one subject: nothing shows then how people vary."""
    if design.n_subjects < 2:
        raise ValueError(f"{name}: all units are of one subject, and resampling one subject shows no uncertainty; give "
                         "two or more, or report the value without an interval")  # fmt: skip


def draw_counts(design: Design, n_boot: int, seed: int) -> Iterator[np.ndarray]:
    """Yield int64 arrays (replicates, subjects) of how often each subject was drawn, ``n_boot`` rows in all.

    Every stratum draws as many subjects as it has, from a stream of its own: the rows depend neither on
    ``CHUNK`` nor on how many units a subject has.
    """
    instance(Design, design, "design")
    n_boot, seed = whole(n_boot, "n_boot", 1, MOST), whole(seed, "seed", 0, 2**128)
    sequences = np.random.SeedSequence(seed).spawn(len(design.stratum_sizes))
    strata = [
        (members, m, np.random.default_rng(sequence))
        for members, m, sequence in zip(design.strata, design.stratum_sizes, sequences, strict=True)
        if m > 0
    ]
    for rows in _chunk_sizes(n_boot, design):
        counts = np.empty((rows, design.n_subjects), np.int64)
        for members, m, rng in strata:
            drawn = rng.integers(m, size=(rows, m)) + m * np.arange(rows)[:, None]
            counts[:, members] = np.bincount(drawn.ravel(), minlength=rows * m).reshape(rows, m)
        yield counts


def leave_one_out_counts(design: Design) -> Iterator[np.ndarray]:
    """Yield int64 arrays (rows, subjects), row i without subject i: the jackknife that BCa needs."""
    instance(Design, design, "design")
    first = 0
    for rows in _chunk_sizes(design.n_subjects, design):
        counts = np.ones((rows, design.n_subjects), np.int64)
        counts[np.arange(rows), first + np.arange(rows)] = 0
        first += rows
        yield counts


def _chunk_sizes(total: int, design: Design) -> Iterator[int]:
    rows = max(1, CHUNK // design.subject.size)
    for start in range(0, total, rows):
        yield min(rows, total - start)


def interval(
    estimate: float, replicates: np.ndarray, left_out: np.ndarray | None, design: Design, confidence: float
) -> tuple[float, float]:
    """Percentile interval of the finite replicates; with ``left_out`` bias-corrected and accelerated (BCa).

    Parameters
    ----------
    estimate
        The statistic of the sample.
    replicates
        Shape (n_boot,), not finite where undefined.
    left_out
        Shape (subjects,), the statistic without each subject, not finite where undefined; None for percentile.
    design, confidence
        As drawn; coverage in (0, 1).

    Raises
    ------
    ValueError
        An argument is not as above, or no replicate is finite.
    """
    estimate, confidence = number(estimate, "estimate"), level(confidence)
    instance(Design, design, "design")
    replicates = _as_drawn(replicates, "replicates")
    finite = replicates[np.isfinite(replicates)]
    if finite.size == 0:
        raise ValueError("the statistic is undefined in every replicate: too few subjects for a bootstrap (all "
                         "replicates are NaN; more units, or groups, are needed)")  # fmt: skip
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if left_out is not None:
        left_out = _as_drawn(left_out, "left_out")
        if left_out.size != design.n_subjects:
            raise ValueError(
                f"left_out must hold a value for each of {design.n_subjects} subjects, got {left_out.size}"
            )
        tails = _bca_tails(tails, estimate, finite, _acceleration(left_out, design))
    low, high = np.quantile(finite, tails)
    return float(low), float(high)


def _as_drawn(values: np.ndarray, name: str) -> np.ndarray:
    """A float64 vector that may hold NaN."""
    values = reals(values, name)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{name} must be a vector with at least one value, got shape {values.shape}")
    return values


def _bca_tails(tails: np.ndarray, estimate: float, finite: np.ndarray, acceleration: float) -> np.ndarray:
    """Where BCa reads the replicates instead of at ``tails`` (Efron and Tibshirani, section 14.3)."""
    # Replicates equal to the estimate count half to each side: the metrics take few distinct values.
    below = ((finite < estimate).mean() + (finite <= estimate).mean()) / 2
    below = np.clip(below, 0.5 / finite.size, 1 - 0.5 / finite.size)  # keep z0 finite
    z0 = stats.norm.ppf(below)
    z = z0 + stats.norm.ppf(tails)
    left = 1 - acceleration * z  # at 0 and beyond, BCa reads the last replicate on that side
    return stats.norm.cdf(z0 + np.divide(z, left, out=np.copysign(np.inf, z), where=left > 0))


def _acceleration(left_out: np.ndarray, design: Design) -> float:
    """Skewness of the jackknife influence values, each stratum a sample (Davison and Hinkley, section 5.3)."""
    cubes = squares = 0.0
    for members in design.strata:
        values = left_out[members]
        values = values[np.isfinite(values)]
        if values.size > 1:
            influence = (values.size - 1) * (values.mean() - values)
            cubes += (influence**3).sum() / values.size**3
            squares += (influence**2).sum() / values.size**2
    return cubes / (6 * squares**1.5) if squares**1.5 > 0 else 0.0
