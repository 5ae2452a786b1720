"""Is a predicted T-score right on average, at every level? Slopes, intercepts and bins, people resampled.

Two regressions answer two questions. Measured on predicted: whoever is told T = -2.5, what do they have on average?
Slope 1 and intercept 0 if the prediction keeps its word. Predicted on measured: whoever has T = -2.5, what are they
told? Its slope lies below 1 for *every* honest prediction with r < 1, because extremes are drawn to the mean; and so
the difference predicted - measured falls as their mean rises (Bland and Altman, Stat Methods Med Res 1999, section 3.2,
plot against the mean because against the reference it would fall even for two equal methods).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.stats.bootstrap_any import BootstrapStatistic, bootstrap_statistic
from osteolib.stats.checks import same_length
from osteolib.stats.inputs import REACH, number, vector, whole
from osteolib.stats.resampling import check_people, check_settings, design_resampling, draw_counts

MOST_BINS = 10_000
FEW = 3
"""People in a bin below which no interval is given."""


@dataclass(frozen=True, eq=False)
class ProportionalBias:
    """How the error of a prediction depends on the level."""

    on_mean: BootstrapStatistic  # slope of predicted - reference on their mean
    predicted_on_reference: BootstrapStatistic  # slope
    calibration_slope: BootstrapStatistic  # of reference on predicted; 1 is right
    calibration_at_cut: BootstrapStatistic  # reference on average where the prediction is at the cut, minus the cut
    expected_on_mean: float  # slope on the mean of a prediction with this r that keeps its word


def proportional_bias(
    reference: ArrayLike,
    predicted: ArrayLike,
    groups: ArrayLike | None = None,
    cut: float = -2.5,
    n_boot: int = 2000,
    seed: int = 0,
) -> ProportionalBias:
    """Slopes of a prediction's error with percentile intervals, people drawn with all their hips.

    A slope of the difference on the mean that is not 0 is no fault by itself: a prediction that keeps its word (slope
    of reference on predicted 1) varies less than the reference, SD r times as large, and has the slope
    -2 (1 - r^2) / (1 + 3 r^2), which is ``expected_on_mean``.

    Parameters
    ----------
    reference, predicted
        Shape (n,), same unit; both must vary.
    groups
        Shape (n,), the person of each hip; default: each hip is a person.
    cut
        T-score at which the calibration's offset is told; at 0 it would be told where nobody is.

    Raises
    ------
    ValueError
        Shapes differ, a value is not finite, one of the two is constant, their sum is (a prediction that mirrors the
        reference), or all hips are of one person.
    """
    x, y = _varying(reference, predicted)
    number(cut, "cut")
    if not min(x.std(), y.std()) > 1 / REACH:
        raise ValueError("reference or predicted varies by too little to compute with: give both in another unit")
    if np.ptp(x + y) == 0:
        raise ValueError("predicted mirrors reference, so that their mean is constant and no slope on it exists")
    r = np.corrcoef(x, y)[0, 1]
    how = {"groups": groups, "n_boot": n_boot, "seed": seed}

    def at_cut(x: np.ndarray, y: np.ndarray) -> float:
        return x.mean() + slope(y, x) * (cut - y.mean()) - cut

    return ProportionalBias(
        on_mean=bootstrap_statistic(lambda x, y: slope((x + y) / 2, y - x), x, y, **how),
        predicted_on_reference=bootstrap_statistic(slope, x, y, **how),
        calibration_slope=bootstrap_statistic(lambda x, y: slope(y, x), x, y, **how),
        calibration_at_cut=bootstrap_statistic(at_cut, x, y, **how),
        expected_on_mean=float(-2 * (1 - r**2) / (1 + 3 * r**2)),
    )


def calibration_bins(
    reference: ArrayLike,
    predicted: ArrayLike,
    groups: ArrayLike | None = None,
    n_bins: int = 8,
    n_boot: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean measured T-score by bins of the predicted one, equally full; intervals draw people.

    Returns
    -------
    One row a bin from the lowest: ``predicted`` and ``measured`` (means), ``ci_low, ci_high`` of the measured mean,
    ``mae``, ``rmse``, ``n`` hips, ``n_people``. Predictions that are equal share a bin, so there may be fewer bins. The
    edges are those of the sample in every resample. Of fewer than :data:`FEW` people the interval is NaN.

    Raises
    ------
    ValueError
        As :func:`proportional_bias`, or ``n_bins`` < 2.
    """
    x, y = _varying(reference, predicted)
    check_settings(n_boot, 0.95, "percentile")
    n_bins = whole(n_bins, "n_bins", -MOST_BINS, MOST_BINS)
    if n_bins < 2:
        raise ValueError(f"n_bins must be at least 2, got {n_bins}")
    edges = np.unique(np.quantile(y, np.linspace(0, 1, n_bins + 1)))
    place = np.clip(np.searchsorted(edges, y, side="right") - 1, 0, len(edges) - 2)
    design = design_resampling(x.size, groups)
    check_people(design, "groups")
    member = place[:, None] == np.unique(place)
    draws = []
    for counts in draw_counts(design, n_boot, seed):
        weights = counts[:, design.subject]
        total, drawn = (weights * x) @ member, weights @ member
        draws.append(np.divide(total, drawn, out=np.full(total.shape, np.nan), where=drawn > 0))
    drawn_means = np.concatenate(draws)
    rows = []
    for own, means in zip(member.T, drawn_means.T, strict=True):
        error, people, known = y[own] - x[own], np.unique(design.subject[own]).size, means[np.isfinite(means)]
        ends = np.quantile(known, [0.025, 0.975]) if people >= FEW and known.size else (np.nan, np.nan)
        rows.append((y[own].mean(), x[own].mean(), *ends, np.abs(error).mean(), np.sqrt((error**2).mean()), own.sum(),
                     people))  # fmt: skip
    columns = ["predicted", "measured", "ci_low", "ci_high", "mae", "rmse", "n", "n_people"]
    return pd.DataFrame(rows, columns=columns)


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Least-squares slope of y on x, checked and both of shape (n,); NaN where x is constant."""
    centred = x - x.mean()
    squares = centred @ centred
    return float(centred @ y / squares) if squares > 0 else np.nan


def _varying(reference: ArrayLike, predicted: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = vector(reference, "reference"), vector(predicted, "predicted")
    same_length(reference=x, predicted=y)
    for name, values in (("reference", x), ("predicted", y)):
        if np.ptp(values) == 0:
            raise ValueError(f"{name} is constant: slopes and calibration need T-scores that vary")
    return x, y
