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

from osteolib.stats.checks import check_confidence, subject_codes

CHUNK = 2**15  # numbers in a piece: 256 KiB, which stays in cache and is twice as fast as 2 MiB
METHODS = ("percentile", "bca")


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
    """
    subject = np.arange(n) if groups is None else subject_codes(groups, n)
    if y_true is None:
        return Design(subject, (int(subject.max()) + 1,))
    has_positive = np.bincount(subject, weights=y_true) > 0
    has_negative = np.bincount(subject, weights=1 - y_true) > 0
    stratum = has_positive.astype(int) + (has_positive & has_negative)
    renumbered = np.argsort(np.argsort(stratum, kind="stable"))
    return Design(renumbered[subject], tuple(np.bincount(stratum, minlength=3).tolist()))


def check_settings(n_boot: int, confidence: float, method: str) -> None:
    """Raise ValueError for fewer than 100 replicates, a confidence outside (0, 1) or an unknown method."""
    if n_boot < 100:
        raise ValueError(f"n_boot must be at least 100 for an interval (2000 is usual), got {n_boot}")
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
    check_confidence(confidence)


def draw_counts(design: Design, n_boot: int, seed: int) -> Iterator[np.ndarray]:
    """Yield int64 arrays (replicates, subjects) of how often each subject was drawn, ``n_boot`` rows in all.

    Every stratum draws as many subjects as it has, from a stream of its own: the rows depend neither on
    ``CHUNK`` nor on how many units a subject has.
    """
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
    """
    finite = replicates[np.isfinite(replicates)]
    if finite.size == 0:
        raise ValueError("the statistic is undefined in every replicate: too few subjects for a bootstrap")
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if left_out is not None:
        tails = _bca_tails(tails, estimate, finite, _acceleration(left_out, design))
    low, high = np.quantile(finite, tails)
    return float(low), float(high)


def _bca_tails(tails: np.ndarray, estimate: float, finite: np.ndarray, acceleration: float) -> np.ndarray:
    """Where BCa reads the replicates instead of at ``tails`` (Efron and Tibshirani, section 14.3)."""
    # Replicates equal to the estimate count half to each side: the metrics take few distinct values.
    below = ((finite < estimate).mean() + (finite <= estimate).mean()) / 2
    below = np.clip(below, 0.5 / finite.size, 1 - 0.5 / finite.size)  # keep z0 finite
    z0 = stats.norm.ppf(below)
    z = z0 + stats.norm.ppf(tails)
    return stats.norm.cdf(z0 + z / (1 - acceleration * z))


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
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0
