"""Bootstrap interval of any statistic of paired arrays: Pearson's r, MAE or RMSE of a predicted T-score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from osteolib.stats.checks import finite_vector, same_length
from osteolib.stats.resampling import (
    check_settings,
    design_resampling,
    draw_counts,
    interval,
    leave_one_out_counts,
)


@dataclass(frozen=True, eq=False)
class BootstrapStatistic:
    """A statistic of the sample with its interval."""

    estimate: float
    ci: tuple[float, float]
    replicates: np.ndarray = field(repr=False)  # (n_boot,), NaN where undefined
    undefined: int
    n: int  # units
    n_subjects: int
    n_boot: int
    method: str
    confidence: float
    seed: int


def bootstrap_statistic(
    statistic: Callable[..., float],
    *arrays: ArrayLike,
    groups: ArrayLike | None = None,
    n_boot: int = 2000,
    method: str = "percentile",
    confidence: float = 0.95,
    seed: int = 0,
) -> BootstrapStatistic:
    """Statistic of paired arrays with a bootstrap interval, subjects resampled with all their units.

    Parameters
    ----------
    statistic
        Called as ``statistic(*arrays)`` with float64 vectors; returns one number, NaN where it is undefined.
        It is called ``n_boot`` times in a plain loop, and for ``bca`` once more per subject.
    arrays
        One or more, each of shape (n,), finite; row i of all belongs to unit i.
    groups
        Shape (n,), the subject of each unit. Default: each unit is a subject.
    n_boot, method, confidence, seed
        As in :func:`osteolib.stats.bootstrap.bootstrap_ci`; there are no strata.

    Raises
    ------
    ValueError
        An argument is not as above, or the statistic of the whole sample is not a finite number.
    """
    check_settings(n_boot, confidence, method)
    if not arrays:
        raise ValueError("pass the arrays of the statistic after it: bootstrap_statistic(statistic, x, y)")
    vectors = {f"array {i}": finite_vector(values, f"array {i}") for i, values in enumerate(arrays)}
    same_length(**vectors)
    data = list(vectors.values())
    design = design_resampling(data[0].size, groups)

    def over(counts):
        units = np.arange(data[0].size)
        drawn = (np.repeat(units, row[design.subject]) for piece in counts for row in piece)
        return np.array([float(statistic(*(vector[i] for vector in data))) for i in drawn])

    estimate = float(statistic(*data))
    if not np.isfinite(estimate):
        raise ValueError(f"the statistic of the whole sample is {estimate}: it must be a finite number")
    replicates = over(draw_counts(design, n_boot, seed))
    left_out = over(leave_one_out_counts(design)) if method == "bca" else None
    return BootstrapStatistic(
        estimate=estimate,
        ci=interval(estimate, replicates, left_out, design, confidence),
        replicates=replicates,
        undefined=int((~np.isfinite(replicates)).sum()),
        n=data[0].size,
        n_subjects=design.n_subjects,
        n_boot=n_boot,
        method=method,
        confidence=confidence,
        seed=seed,
    )
