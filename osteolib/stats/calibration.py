"""Calibration: of the people scored 0.3, do three in ten have the disease?

Discrimination (AUROC) asks only for the right order; a net benefit, a referral count or a threshold carried to
another hospital need scores that mean what they say. Source: Murphy, J Appl Meteorol 1973; Stephenson, Coelho
and Jolliffe, Weather Forecast 2008; Cox, Biometrika 1958; Van Calster et al., BMC Med 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from osteolib.stats.checks import binary_target, check_confidence, finite_vector, same_length

LOGIT_CLIP = 1e-6  # a saturated score of 0 or 1 has no finite log-odds; here it counts as 13.8


@dataclass(frozen=True)
class Recalibration:
    """Logistic recalibration ``logit P(y = 1) = intercept + slope * logit(score)``; perfect: 0 and 1."""

    slope: float  # below 1: scores too extreme
    slope_ci: tuple[float, float]
    intercept: float
    intercept_ci: tuple[float, float]
    in_the_large: float  # the intercept with the slope held at 1; above 0: scores too low on the whole
    in_the_large_ci: tuple[float, float]
    n: int
    n_clipped: int  # scores closer to 0 or 1 than LOGIT_CLIP, moved there


@dataclass(frozen=True)
class BrierDecomposition:
    """``brier = reliability - resolution + uncertainty + within_variance - within_covariance``, exactly."""

    brier: float
    reliability: float  # how far each bin's observed share lies from its mean score; 0 is best
    resolution: float  # how far the bins' observed shares lie from the prevalence; high is best
    uncertainty: float  # prevalence * (1 - prevalence), of the sample and not of the score
    within_variance: float  # of the scores inside their bins
    within_covariance: float  # twice that of score and outcome inside the bins
    n_bins: int  # bins that hold a unit


def probabilities(y_true: ArrayLike, y_score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Checked labels (n,) int64 of both classes and scores (n,) float64 in [0, 1]; ValueError otherwise."""
    y, score = binary_target(y_true), finite_vector(y_score, "y_score")
    same_length(y_true=y, y_score=score)
    if score.min() < 0 or score.max() > 1:
        raise ValueError(
            f"y_score must hold probabilities in [0, 1], got {score.min():g} to {score.max():g}: "
            "pass logits through a sigmoid, and fit a logistic regression to any other measure"
        )
    return y, score


def calibration_curve(
    y_true: ArrayLike, y_score: ArrayLike, n_bins: int = 10, strategy: str = "quantile", confidence: float = 0.95
) -> pd.DataFrame:
    """Observed share of positives against the mean score, bin by bin.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, both present.
    y_score
        Shape (n,), probabilities in [0, 1].
    n_bins
        At least 1. Bins without units are left out, so ties can give fewer rows.
    strategy
        ``quantile`` (about equally many units each) or ``uniform`` (equally wide), closed on the right.
    confidence
        Coverage of Wilson's interval, in (0, 1). It takes the units for independent: too narrow where one
        person has several.

    Returns
    -------
    DataFrame
        Ascending, one row per bin: ``mean_score, observed, ci_low, ci_high, n, n_positive``.
    """
    from statsmodels.stats.proportion import proportion_confint

    check_confidence(confidence)
    y, score = probabilities(y_true, y_score)
    code, n = _bins(score, n_bins, strategy)
    positive = np.bincount(code, y)
    low, high = proportion_confint(positive, n, alpha=1 - confidence, method="wilson")
    return pd.DataFrame(
        {
            "mean_score": np.bincount(code, score) / n,
            "observed": positive / n,
            "ci_low": low,
            "ci_high": high,
            "n": n,
            "n_positive": positive.astype(int),
        }
    )


def calibration_slope_intercept(y_true: ArrayLike, y_score: ArrayLike, confidence: float = 0.95) -> Recalibration:
    """Slope and intercept of the logistic recalibration of a score, and calibration in the large.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, both present, one unit per subject: the Wald intervals take them for independent.
    y_score
        Shape (n,), probabilities in [0, 1].
    confidence
        Coverage of the intervals, in (0, 1).

    Raises
    ------
    ValueError
        An argument is not as above, or no finite slope exists: the scores separate the classes or are all equal.
    """
    from statsmodels.discrete.discrete_model import Logit

    check_confidence(confidence)
    y, score = probabilities(y_true, y_score)
    clipped = np.clip(score, LOGIT_CLIP, 1 - LOGIT_CLIP)
    log_odds = special.logit(clipped)
    positive, negative = log_odds[y == 1], log_odds[y == 0]
    if positive.min() >= negative.max() or positive.max() <= negative.min():
        raise ValueError(
            "no finite calibration slope exists: the scores separate the classes or are all equal; "
            "use more subjects, or show the calibration curve alone"
        )
    fit = Logit(y, np.column_stack([np.ones(y.size), log_odds])).fit(disp=0, maxiter=100)
    intercept_ci, slope_ci = fit.conf_int(alpha=1 - confidence)

    # One unknown, and a sum that rises with it: a bracketed root, where Newton's steps of an offset model diverge.
    def excess(shift: float) -> float:
        return special.expit(shift + log_odds).sum() - y.sum()

    shift = optimize.brentq(excess, -40, 40)
    p = special.expit(shift + log_odds)
    half = stats.norm.ppf(0.5 + confidence / 2) / np.sqrt((p * (1 - p)).sum())
    return Recalibration(
        slope=float(fit.params[1]),
        slope_ci=_floats(*slope_ci),
        intercept=float(fit.params[0]),
        intercept_ci=_floats(*intercept_ci),
        in_the_large=float(shift),
        in_the_large_ci=_floats(shift - half, shift + half),
        n=y.size,
        n_clipped=int((clipped != score).sum()),
    )


def brier_decomposition(
    y_true: ArrayLike, y_score: ArrayLike, n_bins: int = 10, strategy: str = "quantile"
) -> BrierDecomposition:
    """Brier score as reliability - resolution + uncertainty, with what the binning hides.

    Murphy's three terms add up only where all scores of a bin are equal. The two within-bin terms of
    Stephenson et al. (2008) make the identity exact for any binning. Parameters as in
    :func:`calibration_curve`.
    """
    y, score = probabilities(y_true, y_score)
    code, n = _bins(score, n_bins, strategy)
    mean_score, observed, prevalence = np.bincount(code, score) / n, np.bincount(code, y) / n, y.mean()
    share = n / y.size
    score_off, y_off = score - mean_score[code], y - observed[code]
    return BrierDecomposition(
        brier=float(((score - y) ** 2).mean()),
        reliability=float(share @ (mean_score - observed) ** 2),
        resolution=float(share @ (observed - prevalence) ** 2),
        uncertainty=float(prevalence * (1 - prevalence)),
        within_variance=float((score_off**2).mean()),
        within_covariance=float(2 * (score_off * y_off).mean()),
        n_bins=n.size,
    )


def _bins(score: np.ndarray, n_bins: int, strategy: str) -> tuple[np.ndarray, np.ndarray]:
    """Bin of each unit, numbered 0, 1, ... without gaps, and the units of each bin."""
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins}")
    if strategy not in ("quantile", "uniform"):
        raise ValueError(f"strategy must be 'quantile' or 'uniform', got {strategy!r}")
    inner = np.arange(1, n_bins) / n_bins  # 0.3 and not 0.30000000000000004
    edges = np.quantile(score, inner) if strategy == "quantile" else inner
    _, code, n = np.unique(np.searchsorted(edges, score), return_inverse=True, return_counts=True)
    return code, n


def _floats(low: float, high: float) -> tuple[float, float]:
    return float(low), float(high)
