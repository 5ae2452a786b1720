"""How much of a correlation is built in when part of the answer is told: closed forms for normal T-scores.

T is normal, a reader sees T through noise with correlation r, and predicts by least squares, so that the error's
variance is sd^2 (1 - r^2) and the squared correlation is the share of the variance that is explained. Two helps of the
truth are asked for: the cell between two cuts that T lies in is told (routing), or cases whose error is large are left
out (filtering). Source: the restriction of a normal's range, Pearson, Phil Trans R Soc A 1903; moments of a truncated
normal, Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1, section 13.10.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from osteolib.stats.agreement import Z_LIMIT
from osteolib.stats.inputs import number, reals, vector

FAR, NEAR = 1e3, 1e-3
"""Of an error's SD: nobody errs more than the one; errors below the other are spread evenly."""


def r_when_routed(r: float, cuts: ArrayLike, mean: float, sd: float) -> float:
    """Correlation with T of a reader with correlation r who is told T's cell and fits a line in each.

    Within a cell, which holds the share v of the variance sd^2, the reader's squared correlation falls to
    r^2 v / (1 - r^2 + r^2 v); the error that is left there is sd^2 v (1 - r^2) / (1 - r^2 + r^2 v).

    Parameters
    ----------
    r
        Of the reader before, in [0, 1]; with 0 the cells alone are left.
    cuts
        The T-scores that part the cells, rising; none: nothing is told.
    mean, sd
        Of T.

    Raises
    ------
    ValueError
        r is outside [0, 1], sd is not positive, the cuts do not rise, or a value is no finite number.
    """
    r, sd, mean = *_check(r, sd), number(mean, "mean")
    told = reals(cuts, "cuts")
    told = told if told.size == 0 and told.ndim == 1 else vector(cuts, "cuts")
    if (np.diff(told) <= 0).any():
        raise ValueError(f"cuts must rise: {told.tolist()}")
    with np.errstate(over="ignore"):  # a cut too many SDs away has nobody beyond it
        z = (np.array([-np.inf, *told, np.inf]) - mean) / sd
    density = norm.pdf(z)
    edge = np.where(np.isfinite(z), z, 0) * density  # z * pdf is 0 far out
    held, fall, turn = np.diff(norm.cdf(z)), -np.diff(density), np.diff(edge)
    held, fall, turn = (part[held > 0] for part in (held, fall, turn))  # in a cell far out there is nobody
    v = np.clip(1 - turn / held - (fall / held) ** 2, 0, 1)
    return float(np.sqrt(max(0.0, 1 - (held * v * (1 - r**2) / (1 - r**2 + r**2 * v)).sum()))) if r < 1 else 1.0


def r_when_filtered(r: float, largest: float, sd: float) -> tuple[float, float]:
    """Correlation with T of a reader with correlation r when errors of ``largest`` or more are left out; share kept.

    The error is normal and independent of the prediction; cut at +/- ``largest`` its variance falls to the share
    1 - 2 c pdf(c) / (2 cdf(c) - 1), with c = largest / (sd sqrt(1 - r^2)).

    Raises
    ------
    ValueError
        r is outside [0, 1], sd or ``largest`` is not positive, or a value is no finite number.
    """
    (r, sd), largest = _check(r, sd), number(largest, "largest", "(0, inf)")
    if r == 1:
        return 1.0, 1.0
    error = sd * np.sqrt(1 - r**2)
    c = min(largest / error, FAR)
    if c < NEAR:  # the difference below would be of rounding alone
        kept, share = c * 2 * norm.pdf(0), c**2 / 3
    else:
        kept = 2 * norm.cdf(c) - 1
        share = 1 - 2 * c * norm.pdf(c) / kept
    left = error**2 * share
    told = (r * sd) ** 2
    if not told + left > 0:
        raise ValueError(f"largest = {largest} leaves no error, and r = {r} no prediction: nothing varies")
    return float(np.sqrt(told / (told + left))), float(kept)


def limit_of(r: float, sd: float) -> float:
    """Half width of the 95 % limits of agreement of a least-squares prediction: 1.96 sd sqrt(1 - r^2)."""
    r, sd = _check(r, sd)
    return float(Z_LIMIT * sd * np.sqrt(1 - r**2))


def _check(r: float, sd: float) -> tuple[float, float]:
    return number(r, "r", "[0, 1]"), number(sd, "sd", "(0, inf)")
