"""Agreement between two measurements of the same quantity.

Correlation asks whether two methods order people alike; agreement asks whether one may stand in for the
other. Source: Bland and Altman, Lancet 1986, Stat Methods Med Res 1999; Lin, Biometrics 1989.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy  # its parts load when they are used
from numpy.typing import ArrayLike

from osteolib.stats.checks import same_length
from osteolib.stats.inputs import REACH, level, vector

Z_LIMIT = 1.959963984540054  # normal quantile 0.975: the limits hold 95 % of differences whatever confidence is asked


@dataclass(frozen=True)
class Agreement:
    """Bland-Altman statistics of ``predicted - reference``, in the unit of the inputs."""

    n: int  # pairs
    bias: float
    sd: float
    loa_low: float
    loa_high: float
    bias_ci: tuple[float, float]
    sd_ci: tuple[float, float]
    loa_low_ci: tuple[float, float]
    loa_high_ci: tuple[float, float]

    def to_frame(self) -> pd.DataFrame:
        """One row per statistic with ``value, ci_low, ci_high``."""
        rows = {
            name: (getattr(self, name), *getattr(self, f"{name}_ci")) for name in ("bias", "sd", "loa_low", "loa_high")
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "ci_low", "ci_high"])


@dataclass(frozen=True)
class Concordance:
    """Lin's concordance correlation and its two parts: ``ccc = pearson_r * bias_correction``."""

    n: int
    ccc: float
    ci: tuple[float, float]
    pearson_r: float  # precision
    bias_correction: float  # accuracy, in (0, 1]


def bland_altman(reference: ArrayLike, predicted: ArrayLike, confidence: float = 0.95) -> Agreement:
    """Bias and limits of agreement between a reference and a prediction.

    Parameters
    ----------
    reference, predicted
        Shape (n,), same unit, one pair per independent subject, n >= 3. Average the units of a subject first:
        pooled here they would make the intervals too narrow.
    confidence
        Coverage of the intervals, in (0, 1).

    Notes
    -----
    The intervals of the limits are exact for normal differences, and lopsided: of the noncentral t distribution
    (Carkeet, Optom Vis Sci 2015). The symmetric ones of Bland and Altman 1999, section 2.1, which many papers print,
    reach too far inwards and not far enough outwards where there are a few dozen pairs
    (:func:`osteolib.stats.audit.implied.bland_altman_half_widths` has them).

    Raises
    ------
    ValueError
        Shapes differ, n < 3, or a value is missing, hidden, infinite or no number.
    """
    reference, predicted = _paired(reference, predicted, confidence)
    difference = predicted - reference
    n = difference.size
    bias, sd = difference.mean(), difference.std(ddof=1)

    t = scipy.stats.t.ppf(0.5 + confidence / 2, n - 1)
    se_bias = sd / np.sqrt(n)
    tails = (0.5 - confidence / 2, 0.5 + confidence / 2)
    inner, outer = sd * scipy.stats.nct.ppf(tails, n - 1, Z_LIMIT * np.sqrt(n)) / np.sqrt(n)  # of a limit from the bias
    low, high = bias - Z_LIMIT * sd, bias + Z_LIMIT * sd
    sd_ci = sd * np.sqrt((n - 1) / scipy.stats.chi2.ppf([0.5 + confidence / 2, 0.5 - confidence / 2], n - 1))
    return Agreement(
        n=n,
        bias=float(bias),
        sd=float(sd),
        loa_low=float(low),
        loa_high=float(high),
        bias_ci=_floats(bias - t * se_bias, bias + t * se_bias),
        sd_ci=_floats(*sd_ci),
        loa_low_ci=_floats(bias - outer, bias - inner),
        loa_high_ci=_floats(bias + inner, bias + outer),
    )


def lin_ccc(reference: ArrayLike, predicted: ArrayLike, confidence: float = 0.95) -> Concordance:
    """Lin's concordance correlation coefficient: Pearson's r, reduced by shifts of mean and scale.

    ccc = 2 s_12 / (s_1^2 + s_2^2 + (mean_1 - mean_2)^2), moments with 1/n. The interval is symmetric on the
    scale of Fisher's z, with the variance of Lin (Biometrics 1989) as corrected in Biometrics 2000, 56:324.

    Parameters
    ----------
    reference, predicted
        Shape (n,), same unit, one pair per independent subject, n >= 3; both must vary.
    confidence
        Coverage of the interval, in (0, 1).

    Raises
    ------
    ValueError
        Shapes differ, n < 3, a value is missing, hidden, infinite or no number, or one of the two is constant.
    """
    x, y = _paired(reference, predicted, confidence)
    n = x.size
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("concordance needs two measurements that vary: reference or predicted is constant")
    sx, sy, shift = x.std(), y.std(), y.mean() - x.mean()
    if not min(sx, sy) > 1 / REACH:
        raise ValueError("reference or predicted varies by too little to compute with: give both in another unit")
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    r = min(max(covariance / (sx * sy), -1.0), 1.0)  # rounding may take pairs on a line beyond 1
    bias_correction = min(2 * sx * sy / (sx**2 + sy**2 + shift**2), 1.0)
    ccc = r * bias_correction

    if 1 - abs(ccc) < 1e-12:  # every pair on the line of identity (or its mirror): no spread to infer from
        return Concordance(n, float(ccc), _floats(ccc, ccc), float(r), float(bias_correction))
    u2 = shift**2 / (sx * sy)
    variance = (
        (1 - r**2) * bias_correction**2 / (1 - ccc**2)
        + 2 * bias_correction * ccc**2 * (1 - ccc) * u2 / (1 - ccc**2) ** 2
        - bias_correction**2 * ccc**2 * u2**2 / (2 * (1 - ccc**2) ** 2)
    ) / (n - 2)
    half = scipy.stats.norm.ppf(0.5 + confidence / 2) * np.sqrt(max(variance, 0.0))
    low, high = np.tanh(np.arctanh(ccc) + np.array([-half, half]))
    return Concordance(n, float(ccc), _floats(low, high), float(r), float(bias_correction))


def _paired(reference: ArrayLike, predicted: ArrayLike, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    level(confidence)
    a, b = vector(reference, "reference"), vector(predicted, "predicted")
    same_length(reference=a, predicted=b)
    if a.size < 3:
        raise ValueError(f"agreement needs at least 3 pairs of reference and predicted, got {a.size}")
    return a, b


def _floats(low: float, high: float) -> tuple[float, float]:
    return float(low), float(high)
