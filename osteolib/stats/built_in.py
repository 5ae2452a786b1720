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
        r is outside [0, 1], sd is not positive, or the cuts do not rise.
    """
    _check(r, sd)
    cuts = np.asarray(cuts, float)
    if (np.diff(cuts) <= 0).any():
        raise ValueError(f"cuts must rise: {cuts.tolist()}")
    z = (np.array([-np.inf, *cuts, np.inf]) - mean) / sd
    density = norm.pdf(z)
    edge = np.where(np.isfinite(z), z, 0) * density  # z * pdf is 0 far out
    held, fall, turn = np.diff(norm.cdf(z)), -np.diff(density), np.diff(edge)
    held, fall, turn = (part[held > 0] for part in (held, fall, turn))  # in a cell far out there is nobody
    v = 1 - turn / held - (fall / held) ** 2
    return float(np.sqrt(max(0.0, 1 - (held * v * (1 - r**2) / (1 - r**2 + r**2 * v)).sum()))) if r < 1 else 1.0


def r_when_filtered(r: float, largest: float, sd: float) -> tuple[float, float]:
    """Correlation with T of a reader with correlation r when errors of ``largest`` or more are left out; share kept.

    The error is normal and independent of the prediction; cut at +/- ``largest`` its variance falls to the share
    1 - 2 c pdf(c) / (2 cdf(c) - 1), with c = largest / (sd sqrt(1 - r^2)).

    Raises
    ------
    ValueError
        r is outside [0, 1], or sd or ``largest`` is not positive.
    """
    _check(r, sd)
    if not largest > 0:
        raise ValueError(f"largest must be above 0, got {largest}")
    if r == 1:
        return 1.0, 1.0
    error = sd * np.sqrt(1 - r**2)
    c = largest / error
    kept = 2 * norm.cdf(c) - 1
    left = error**2 * (1 - 2 * c * norm.pdf(c) / kept)
    told = (r * sd) ** 2
    return float(np.sqrt(told / (told + left))), float(kept)


def limit_of(r: float, sd: float) -> float:
    """Half width of the 95 % limits of agreement of a least-squares prediction: 1.96 sd sqrt(1 - r^2)."""
    _check(r, sd)
    return float(Z_LIMIT * sd * np.sqrt(1 - r**2))


def _check(r: float, sd: float) -> None:
    if not (0 <= r <= 1 and sd > 0):
        raise ValueError(f"r must lie between 0 and 1 and sd above 0, got r = {r} and sd = {sd}")
