"""What an argument of a quantity may be; everything else is one ValueError that names it."""

from __future__ import annotations

from math import isfinite


def fractions(**named: float) -> None:
    """Each lies in [0, 1]; a percentage is refused."""
    for name, value in named.items():
        if not 0 <= value <= 1:
            said = f"write {value:g} % as {value / 100:g}" if 1 < value <= 100 else "write 97.2 % as 0.972"
            raise ValueError(f"{name} must be a fraction in [0, 1], got {value}: {said}")


def between(low: float, high: float, **named: float) -> None:
    """Each is a finite number in [low, high]."""
    for name, value in named.items():
        if not (isfinite(value) and low <= value <= high):
            raise ValueError(f"{name} must lie between {low:g} and {high:g}, got {value}")


def at_least(least: float, **named: float) -> None:
    """Each is a finite number and no smaller."""
    for name, value in named.items():
        if not (isfinite(value) and value >= least):
            raise ValueError(f"{name} must be at least {least:g}, got {value}")


def above_zero(**named: float) -> None:
    """Each is a finite number above 0."""
    for name, value in named.items():
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} must be above 0, got {value}")
