"""Bootstrap interval of any statistic of paired arrays: Pearson's r, MAE or RMSE of a predicted T-score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from osteolib.stats.checks import same_length
from osteolib.stats.inputs import instance, number, vector
from osteolib.stats.resampling import (
    check_people,
    check_settings,
    design_resampling,
    draw_counts,
    interval,
    leave_one_out_counts,
)


@dataclass(frozen=True, eq=False)
class BootstrapStatistic:
    """A statistic of the sample with its interval; a share without errors has :func:`exact_interval` of the package."""

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
        Called as ``statistic(*arrays)`` with float64 vectors; returns one number, NaN where it is undefined. What it
        raises is passed on. It is called ``n_boot`` times in a plain loop, and for ``bca`` once more per subject.
    arrays
        One or more, each of shape (n,), finite; row i of all belongs to unit i, whatever their index says.
    groups
        Shape (n,), the subject of each unit. Default: each unit is a subject.
    n_boot, method, confidence, seed
        As in :func:`osteolib.stats.bootstrap.bootstrap_ci`; there are no strata, and no class that could have few
        subjects: the method is the one that is asked for.

    Raises
    ------
    ValueError
        An argument is not as above, all units are of one subject, or the statistic of the whole sample is not a finite
        number.
    """
    check_settings(n_boot, confidence, instance(str, method, "method"))
    if not callable(statistic):
        raise ValueError(f"statistic must be a function of arrays, got {type(statistic).__name__}: pass it first")
    if not arrays:
        raise ValueError("pass the arrays of the statistic after it: bootstrap_statistic(statistic, x, y)")
    vectors = {f"array {i}": vector(values, f"array {i}") for i, values in enumerate(arrays)}
    same_length(**vectors)
    data = list(vectors.values())
    design = design_resampling(data[0].size, groups)
    check_people(design, "arrays" if groups is None else "groups")

    def over(counts):
        units = np.arange(data[0].size)
        drawn = (np.repeat(units, row[design.subject]) for piece in counts for row in piece)
        return np.array([_value(statistic(*(values[i] for values in data))) for i in drawn])

    estimate = _value(statistic(*data))
    if not np.isfinite(estimate):
        raise ValueError(f"the statistic of the whole sample is {estimate}: it must be a finite number")
    number(estimate, "the statistic of the arrays")
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


def _value(found: object) -> float:
    """What a statistic gave, as a float; ValueError where it is not one number."""
    if isinstance(found, np.ndarray) and found.ndim == 0:
        found = found.item()
    if not isinstance(found, Real | np.bool_):
        raise ValueError(f"statistic must return one number, NaN where it is undefined; it returned {found!r:.60}")
    return float(found)
