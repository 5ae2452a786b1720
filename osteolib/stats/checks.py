"""Checks shared by the statistics: each refuses one kind of bad input and says what to do about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def finite_vector(values: ArrayLike, name: str) -> np.ndarray:
    """``values`` as a float64 vector of shape (n,); ValueError where it is none or holds a missing value."""
    try:
        vector = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers without missing values: {error}") from None
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{name} must be a vector with at least one value, got shape {vector.shape}")
    if bad := np.flatnonzero(~np.isfinite(vector)).tolist():
        raise ValueError(
            f"{name} holds {len(bad)} values that are not finite, at positions {bad[:5]}: "
            "drop or impute these subjects first"
        )
    return vector


def binary_target(y_true: ArrayLike) -> np.ndarray:
    """``y_true`` as an int64 vector of 0 and 1 holding both; booleans and the floats 0.0 and 1.0 will do."""
    raw = np.asarray(y_true)
    classes = pd.unique(pd.Series(raw.ravel()))
    numbers = all(isinstance(c, bool | int | float | np.generic) for c in classes)
    if raw.ndim != 1 or not numbers or not all(c in (0, 1) for c in classes):
        raise ValueError(
            f"y_true must be a vector of 0 and 1, got shape {raw.shape} with {list(classes[:5])}: "
            "derive it first, e.g. y_true = (label == 'osteoporosis').astype(int)"
        )
    if len(classes) < 2:
        raise ValueError(f"y_true holds only the class {[int(c) for c in classes]}: both 0 and 1 are needed")
    return raw.astype(np.int64)


def same_length(**vectors: np.ndarray) -> None:
    """Raise ValueError unless all vectors have one length."""
    if len({len(v) for v in vectors.values()}) > 1:
        lengths = ", ".join(f"{name} {len(v)}" for name, v in vectors.items())
        raise ValueError(f"one value per unit is needed, but the lengths differ: {lengths}")


def subject_codes(groups: ArrayLike, n: int) -> np.ndarray:
    """Number the subjects 0, 1, ... in order of first appearance; shape (n,), int64.

    Raises ValueError where the length is not ``n`` or a subject is missing (None, NaN, NA).
    """
    groups = pd.Series(groups)
    if len(groups) != n:
        raise ValueError(f"groups must name the subject of each unit: {n} units, but {len(groups)} groups")
    codes, _ = pd.factorize(groups)
    if missing := np.flatnonzero(codes < 0).tolist():
        raise ValueError(
            f"groups has no subject for {len(missing)} units, at positions {missing[:5]}: name or drop them"
        )
    return codes.astype(np.int64)


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless ``confidence`` lies strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, e.g. 0.95, got {confidence}")
