"""Steps that were trained from several seeds: a mixed model tells what a step changes from the luck of a training.

    value of step j from seed i = mean of j + luck of seed i + rest,   luck ~ N(0, sd_seed^2), rest ~ N(0, sd_rest^2)

Fitted by restricted maximum likelihood (statsmodels ``MixedLM``). Source: Laird and Ware, Biometrics 38:963, 1982.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t

from osteolib.stats.inputs import level, reals


class SeededSteps(NamedTuple):
    """``difference`` (k - 1,) of each other step from the first, with ``ci_low, ci_high``; both SDs; ``n`` values."""

    difference: NDArray[np.float64]
    ci_low: NDArray[np.float64]
    ci_high: NDArray[np.float64]
    sd_seed: float
    sd_rest: float
    n: int


def seeded_steps(values: ArrayLike, confidence: float = 0.95) -> SeededSteps:
    """What each step changes against the first, over seeds.

    Parameters
    ----------
    values
        Shape (seeds, steps), NaN where a training is missing. A seed's values share its luck.
    confidence
        In (0, 1). Intervals are Student's, with as many degrees of freedom as values less steps less the other seeds:
        seeds are few, and the normal ones of the library would be too narrow.

    Returns
    -------
    Where nothing is shared within a seed, ``sd_seed`` is 0 and the rest has it all.

    Raises
    ------
    ValueError
        Not two-dimensional, fewer than two steps or seeds, a step or a seed without a value, too few values for an
        interval, or none of them spread beyond steps and seeds.
    """
    confidence, x = level(confidence), reals(values, "values")
    known = ~np.isnan(x)
    if x.ndim != 2 or min(x.shape) < 2:
        raise ValueError(
            f"values must have a row a seed and a column a step, two of each at least, got shape {x.shape}"
        )
    if np.isinf(x).any():
        raise ValueError("values must be finite, or NaN where a training is missing")
    if not (known.any(0).all() and known.any(1).all()):
        raise ValueError("values must hold one value of every step and of every seed at least: leave the others out")
    seed, step = np.nonzero(known)
    y = x[known]
    freedom = y.size - x.shape[1] - (x.shape[0] - 1)
    if freedom < 1:
        raise ValueError(f"values are too few for an interval: {y.size} of {x.shape[1]} steps from {x.shape[0]} seeds")
    design = np.column_stack([np.ones(y.size), *(step == j for j in range(1, x.shape[1]))]).astype(float)
    both = np.column_stack([design, *(seed == i for i in range(1, x.shape[0]))])
    left = y - both @ np.linalg.lstsq(both, y, rcond=None)[0]
    if np.abs(left).max() < 1e-9 * np.abs(y).max():
        raise ValueError("values have no spread beyond that of steps and seeds: an interval cannot be told")
    mean, covariance, sd_seed, sd_rest = _fitted(y, design, seed)
    half = t.ppf((1 + confidence) / 2, freedom) * np.sqrt(np.diag(covariance)[1:])
    return SeededSteps(mean[1:], mean[1:] - half, mean[1:] + half, sd_seed, sd_rest, y.size)


def _fitted(
    y: NDArray[np.float64], design: NDArray[np.float64], seed: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """Means and their covariance, SD of seeds and of the rest."""
    import statsmodels.api as sm

    scale = y.std()
    plain = sm.OLS(y / scale, design).fit()
    mean, covariance, between, rest = plain.params, plain.cov_params(), 0.0, plain.mse_resid
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at 0 variance of seeds the library warns, and the plain model stands
        mixed = sm.MixedLM(y / scale, design, seed).fit(reml=True, method=["powell", "lbfgs"])
    if mixed.cov_re[0, 0] > 1e-6 * mixed.scale:
        mean, between, rest = mixed.fe_params, mixed.cov_re[0, 0], mixed.scale
        covariance = mixed.cov_params()[: len(mean), : len(mean)]
    return (
        mean * scale,
        np.asarray(covariance) * scale**2,
        float(np.sqrt(between) * scale),
        float(np.sqrt(rest) * scale),
    )
