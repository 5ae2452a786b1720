"""Operating points: choosing a threshold, and what it means for the people screened.

Source: STR-Net, section 2.5, equation 2; Vickers and Elkin, Med Decis Making 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.stats import metrics
from osteolib.stats.calibration import probabilities
from osteolib.stats.checks import finite_vector

GRID = tuple(i / 100 for i in range(20, 81))  # 0.20, 0.21, ..., 0.80
TIES = ("lowest", "highest", "middle")
NOISE = 1e-12


@dataclass(frozen=True, eq=False)
class OperatingThreshold:
    """A threshold chosen for a sensitivity; all NaN and ``tied`` empty where the grid offers none."""

    threshold: float
    sensitivity: float  # on the data it was chosen on: optimistic there
    specificity: float
    feasible: bool
    tied: tuple[float, ...]  # ascending: feasible thresholds of the same best specificity
    curve: pd.DataFrame = field(repr=False)  # threshold, sensitivity, specificity, feasible; a row per grid point


def sensitivity_constrained_threshold(
    y_true: ArrayLike,
    y_score: ArrayLike,
    min_sensitivity: float = 0.86,
    grid: ArrayLike = GRID,
    ties: str = "lowest",
) -> OperatingThreshold:
    """Threshold of the highest specificity among those that are sensitive enough.

    tau* in argmax Spec(tau) over {tau in grid: Sens(tau) >= min_sensitivity}           (STR-Net, equation 2)

    A score on the threshold is a positive call. Sensitivity falls and specificity rises with tau, so the
    feasible thresholds are the lower end of the grid and the last of them is always among the best; ``ties``
    decides how far below it to stay. The paper names no rule; its released code takes the lowest, and falls
    back, silently, to the best balanced accuracy where no threshold is feasible. Here that is reported.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, both present.
    y_score
        Shape (n,), probabilities in [0, 1], compared as float64: a float32 score of 0.44 lies below 0.44.
    min_sensitivity
        In (0, 1].
    grid
        Thresholds in any order, at least one. Decimals that a float step has blurred are restored
        (0.30000000000000004 to 0.3).
    ties
        Of the thresholds with equal specificity ``lowest`` (most sensitive), ``highest``, or ``middle`` (the
        lower one of two).

    Raises
    ------
    ValueError
        An argument is not as above.
    """
    y, score = probabilities(y_true, y_score)
    if not 0 < min_sensitivity <= 1:
        raise ValueError(f"min_sensitivity must lie in (0, 1], e.g. 0.86, got {min_sensitivity}")
    if ties not in TIES:
        raise ValueError(f"ties must be one of {', '.join(TIES)}, got {ties!r}")
    grid = finite_vector(grid, "grid")
    decimal = np.round(grid, 6)
    grid = np.unique(np.where(np.abs(grid - decimal) < NOISE, decimal, grid))

    counts = _counts_at(y, score, grid)
    sensitivity, specificity = metrics.sensitivity(*counts), metrics.specificity(*counts)
    feasible = sensitivity >= min_sensitivity - NOISE
    curve = pd.DataFrame(
        {"threshold": grid, "sensitivity": sensitivity, "specificity": specificity, "feasible": feasible}
    )
    if not feasible.any():
        return OperatingThreshold(np.nan, np.nan, np.nan, False, (), curve)
    tied = np.flatnonzero(feasible & (specificity == specificity[feasible].max()))
    chosen = tied[{"lowest": 0, "highest": -1, "middle": (tied.size - 1) // 2}[ties]]
    return OperatingThreshold(
        threshold=float(grid[chosen]),
        sensitivity=float(sensitivity[chosen]),
        specificity=float(specificity[chosen]),
        feasible=True,
        tied=tuple(grid[tied].tolist()),
        curve=curve,
    )


def decision_curve(y_true: ArrayLike, y_score: ArrayLike, thresholds: ArrayLike = GRID) -> pd.DataFrame:
    """Net benefit of referring by the score, beside referring everyone and no one.

    NB(t) = TP/n - FP/n * t / (1 - t): the odds of t are the price of a needless referral in missed cases. At
    t the score is read as a risk, so it must be calibrated.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, both present.
    y_score
        Shape (n,), probabilities in [0, 1].
    thresholds
        Threshold probabilities in [0, 1), at least one.

    Returns
    -------
    DataFrame
        One row per threshold: ``threshold, model, treat_all, treat_none``, in true positives per person.
    """
    y, score = probabilities(y_true, y_score)
    t = finite_vector(thresholds, "thresholds")
    if t.min() < 0 or t.max() >= 1:
        raise ValueError(f"thresholds of a decision curve must lie in [0, 1), got {t.min():g} to {t.max():g}")
    tp, fp, _, _ = _counts_at(y, score, t)
    price = t / (1 - t)
    prevalence = y.mean()
    return pd.DataFrame(
        {
            "threshold": t,
            "model": (tp - fp * price) / y.size,
            "treat_all": prevalence - (1 - prevalence) * price,
            "treat_none": 0.0,
        }
    )


def referral_table(
    sensitivity: float, specificity: float, prevalence: Sequence[float] = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
) -> pd.DataFrame:
    """What an operating point means where the disease is rarer or commoner, by Bayes' rule.

    Sensitivity and specificity are taken to stay as they are, which a change of case mix can break.

    Parameters
    ----------
    sensitivity, specificity
        In [0, 1].
    prevalence
        One or more, each in [0, 1].

    Returns
    -------
    DataFrame
        One row per prevalence: ``prevalence, ppv, npv`` (NaN where no one, or everyone, is referred), and of
        1,000 people screened ``referrals_per_1000`` to DXA, ``found_per_1000`` and ``missed_per_1000`` cases.
    """
    p = finite_vector(prevalence, "prevalence")
    for name, value in {"sensitivity": sensitivity, "specificity": specificity, "prevalence": p}.items():
        if not np.all((np.asarray(value) >= 0) & (np.asarray(value) <= 1)):
            raise ValueError(f"{name} must lie in [0, 1], got {value}: a share, not a percentage")
    tp, fn = sensitivity * p, (1 - sensitivity) * p
    tn, fp = specificity * (1 - p), (1 - specificity) * (1 - p)
    return pd.DataFrame(
        {
            "prevalence": p,
            "ppv": metrics.ppv(tp, fp, fn, tn),
            "npv": metrics.npv(tp, fp, fn, tn),
            "referrals_per_1000": 1000 * (tp + fp),
            "found_per_1000": 1000 * tp,
            "missed_per_1000": 1000 * fn,
        }
    )


def _counts_at(y: np.ndarray, score: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, ...]:
    """TP, FP, FN, TN of ``score >= threshold`` at each threshold; four vectors of their shape."""
    positive, negative = np.sort(score[y == 1]), np.sort(score[y == 0])
    fn, tn = np.searchsorted(positive, thresholds), np.searchsorted(negative, thresholds)  # strictly below
    return positive.size - fn, negative.size - tn, fn, tn
