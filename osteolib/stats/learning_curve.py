"""How an error falls with the number of people: a power law with a floor, and the number that a given error takes.

    error(n) = floor + scale * n ** -exponent,   floor >= 0, scale >= 0

Source: Figueroa et al., BMC Medical Informatics and Decision Making 12:8, 2012 (inverse power law of classifiers);
Hestness et al., arXiv:1712.00409 (deep learning).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteolib.stats.checks import same_length
from osteolib.stats.inputs import reals, vector

EXPONENTS = np.linspace(0.05, 2, 79)
"""Those that are tried. Below, a curve looks like a straight line in log n and has no floor to speak of."""


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """One or several fitted curves: ``floor, scale, exponent``, each of the shape that the errors had before their last
    axis."""

    floor: NDArray[np.float64]
    scale: NDArray[np.float64]
    exponent: NDArray[np.float64]

    def error(self, n: ArrayLike) -> NDArray[np.float64]:
        """Errors at ``n`` people (k,): shape (..., k)."""
        n = _people(n)
        return self.floor[..., None] + self.scale[..., None] * n ** -self.exponent[..., None]

    def people_for(self, error: ArrayLike) -> NDArray[np.float64]:
        """How many people an error takes, one for all curves or one each: infinity where the floor is not below it."""
        above = reals(error, "error") - self.floor
        with np.errstate(over="ignore"):
            n = (self.scale / np.where(above > 0, above, 1)) ** (1 / self.exponent)
        return np.where(above > 0, n, np.inf)


def fit_power_law(n: ArrayLike, error: ArrayLike) -> PowerLaw:
    """Least squares, all exponents of :data:`EXPONENTS` tried; floor and scale have a closed form for each.

    Parameters
    ----------
    n
        People, shape (k,), at least three different numbers from 1 on.
    error
        Shape (..., k): one curve, or one of each bootstrap replicate. What a perfect reader leaves is no part of it.

    Raises
    ------
    ValueError
        Fewer than three different numbers of people, one below 1, another length, or a value is not finite.
    """
    n, error = _people(n), reals(error, "error")
    if len(np.unique(n)) < 3:
        raise ValueError(f"n must hold three different numbers of people for a curve of three numbers, got {n}")
    if error.ndim < 1 or not np.isfinite(error).all():
        raise ValueError("error must be finite, one value for each number of people in its last axis")
    same_length(n=n, error=np.moveaxis(error, -1, 0))
    mean = error.mean(-1)
    best = np.full(error.shape[:-1], np.inf)
    law = [np.zeros_like(best) for _ in range(3)]
    for exponent in EXPONENTS:
        x = n**-exponent
        scale = ((error - mean[..., None]) @ (x - x.mean())) / np.square(x - x.mean()).sum()
        floor = mean - scale * x.mean()
        through = np.maximum(error @ x / (x @ x), 0)  # without a floor
        scale, floor = np.where(floor < 0, through, scale), np.maximum(floor, 0)
        flat = scale < 0
        scale, floor = np.where(flat, 0, scale), np.where(flat, np.maximum(mean, 0), floor)
        left = np.square(error - floor[..., None] - scale[..., None] * x).sum(-1)
        better = left < best
        best = np.where(better, left, best)
        law = [np.where(better, new, old) for new, old in zip((floor, scale, exponent), law, strict=True)]
    return PowerLaw(*law)


def _people(n: ArrayLike) -> NDArray[np.float64]:
    found = vector(n, "n")
    if found.min() < 1:
        raise ValueError(f"n must hold numbers of people, 1 or more, got {found.min():g}")
    return found
