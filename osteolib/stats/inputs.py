"""What the statistics accept: one rule for every argument of every public function.

A function answers rightly, or raises one ValueError that names the argument and says what would work. Values are read
*by position*: the index of a pandas Series plays no part, as in NumPy and scikit-learn. A masked array may come without
hidden values; hidden ones are missing values, never read. Booleans in a vector are 0 and 1; where one number is asked
for, a boolean is none. Text, dates and complex numbers are no numbers. Every type of number is taken as float64.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.stats.checks import binary_target, check_confidence, finite_vector

REACH = 1e50
"""Numbers beyond it have squares and cubes that a computer no longer holds."""
EXACT = 2**53
"""Whole numbers beyond it are not told apart as float64."""
MOST = 10**7
"""Replicates, studies and the like that are done at most."""


def vector(values: ArrayLike, name: str) -> np.ndarray:
    """``values`` as a float64 vector of shape (n,), n >= 1, all finite and within :data:`REACH`; or ValueError."""
    return finite_vector(reals(values, name), name)


def reals(values: ArrayLike, name: str) -> np.ndarray:
    """``values`` as float64 of any shape, NaN and infinite ones as they are; ValueError where they are no numbers."""
    raw = unmasked(values, name)
    if raw.dtype == object:
        bad = [v for v in raw.ravel().tolist() if not isinstance(v, Real | np.bool_)]
    else:
        bad = [] if raw.dtype.kind in "biuf" else raw.ravel()[:1].tolist() or [raw.dtype]
    if bad:
        raise ValueError(f"{name} must hold numbers without missing values, got {reprlib.repr(bad[0])}: convert the "
                         "values first, and drop the missing ones")  # fmt: skip
    try:
        with np.errstate(over="ignore"):
            found = raw.astype(float)
    except OverflowError:
        raise ValueError(f"{name} holds whole numbers too large to compute with: give them in another unit") from None
    sizes = np.abs(found[np.isfinite(found)]) if raw.dtype.kind in "Of" else np.abs(found)
    largest = sizes.max(initial=0)
    if raw.dtype.kind in "iu" and largest > EXACT:
        raise ValueError(
            f"{name} holds whole numbers beyond 2**53, which are no longer told apart: subtract a constant"
        )
    if largest > REACH:
        raise ValueError(f"{name} holds {largest:g}, too large to compute with: give it in another unit")
    return found


def unmasked(values: ArrayLike, name: str) -> np.ndarray:
    """``values`` as an array; ValueError where a masked array hides some of them, or they are no array."""
    if isinstance(values, np.ma.MaskedArray):
        if hidden := int(np.ma.getmaskarray(values).sum()):
            raise ValueError(f"{name} is a masked array that hides {hidden} values, which are missing: drop these "
                             "units first, from every array")  # fmt: skip
        values = values.data
    elif isinstance(values, list | tuple) and any(value is np.ma.masked for value in values):
        raise ValueError(f"{name} has missing values (masked): drop these units first")
    elif isinstance(values, pd.DataFrame | dict | set | frozenset | str | bytes):
        raise ValueError(f"{name} must be a vector, got a {type(values).__name__}: give one value for each unit")
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:  # ragged lists, tensors that need a gradient
        raise ValueError(f"{name} must be an array of numbers: {error}") from None


def target(y_true: ArrayLike) -> np.ndarray:
    """``y_true`` as an int64 vector of 0 and 1 that holds both; or ValueError."""
    raw = unmasked(y_true, "y_true")
    if raw.dtype.kind in "cmMV":
        raise ValueError(f"y_true must be a vector of 0 and 1, got {raw.dtype}")
    try:
        return binary_target(raw)
    except TypeError as error:  # lists and other things that are no labels
        raise ValueError(f"y_true must be a vector of 0 and 1: {error}") from None


def zeros_and_ones(values: ArrayLike, name: str) -> np.ndarray:
    """``values`` as an int64 vector of 0 and 1, perhaps of one kind only; or ValueError."""
    found = vector(values, name)
    if (other := found[(found != 0) & (found != 1)]).size:
        raise ValueError(f"{name} must hold 0 and 1 only, got {other[0]:g}: compare with a threshold first")
    return found.astype(np.int64)


def codes(values: ArrayLike, n: int, name: str = "groups") -> np.ndarray:
    """Number what each of ``n`` units belongs to 0, 1, ... in order of first appearance; shape (n,), int64.

    Raises
    ------
    ValueError
        The length is not ``n``, a name is missing (None, NaN, NA, masked), or these are no names.
    """
    if values is np.ma.masked or (
        isinstance(values, np.ma.MaskedArray | list | tuple) and any(value is np.ma.masked for value in values)
    ):
        raise ValueError(f"{name} has no subject for some units (masked): name or drop them")
    try:
        series = pd.Series(list(values) if isinstance(values, tuple) else values)
        found = pd.factorize(series)[0].astype(np.int64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be a vector with one name for each unit: {error}") from None
    if len(series) != n:
        raise ValueError(f"{name} must name the subject of each unit: {n} units, but {len(series)} {name}")
    if missing := np.flatnonzero(found < 0).tolist():
        raise ValueError(
            f"{name} has no subject for {len(missing)} units, at positions {missing[:5]}: name or drop them"
        )
    return found


def number(value: Any, name: str, within: str = "(-inf, inf)", hint: str = "") -> float:
    """One number as a float; ValueError where it is none or does not lie in ``within``, written as ``(0, 1]``.

    A number beyond :data:`REACH`, or one that must be above 0 and is below its inverse, is refused as well.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0 and not np.ma.is_masked(value):
        value = value.item()
    if not _is_number(value):
        raise ValueError(f"{name} must be a number, got {_short(value)}")
    low, high = (float(end) for end in within[1:-1].split(","))
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    inside = (low <= found if within[0] == "[" else low < found) and (
        found <= high if within[-1] == "]" else found < high
    )
    if not inside:
        words = "a finite number" if within == "(-inf, inf)" else f"a number in {within}"
        raise ValueError(f"{name} must be {words}{hint and ', ' + hint}; got {_short(value)}")
    if abs(found) > REACH or (within[:3] == "(0," and found < 1 / REACH):
        raise ValueError(f"{name} = {found:g} is too large or too small to compute with: give it in another unit")
    return found


def whole(value: Any, name: str, low: int = 0, high: int = EXACT) -> int:
    """A whole number from ``low`` to ``high`` as an int, 30.0 too; or ValueError."""
    if isinstance(value, np.ndarray) and value.ndim == 0 and not np.ma.is_masked(value):
        value = value.item()
    if (
        not _is_number(value)
        or not (isinstance(value, Integral) or float(value).is_integer())
        or not low <= value <= high
    ):
        upper = "" if high == EXACT else f" and at most {high}"
        raise ValueError(f"{name} must be a whole number of at least {low}{upper}, got {_short(value)}")
    return int(value)


def level(confidence: Any) -> float:
    """``confidence`` as a float strictly between 0 and 1; or ValueError."""
    if not _is_number(confidence):
        raise ValueError(f"confidence must be a number between 0 and 1, e.g. 0.95, got {_short(confidence)}")
    check_confidence(confidence)
    if not 0.5 < 0.5 + float(confidence) / 2 < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, e.g. 0.95; {confidence} is too near to an end")
    return float(confidence)


def flag(value: Any, name: str) -> bool:
    """True or False; ValueError for anything else, which Python would take for one of them."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {_short(value)}")
    return bool(value)


def one_of(value: Any, name: str, known: Iterable[str]) -> str:
    """One of the ``known`` words; or ValueError that lists them."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {_short(value)}")
    return value


def each(values: Any, name: str) -> list:
    """What one can go through as a list; or ValueError."""
    if isinstance(values, str | bytes | dict):
        raise ValueError(f"{name} must be a list or tuple, got {_short(values)}")
    try:
        return list(values)
    except TypeError:
        raise ValueError(f"{name} must be a list or tuple, got {_short(values)}") from None


def instance(kind: type | tuple[type, ...], value: Any, name: str) -> Any:
    """``value`` if it is of a kind; or ValueError."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise ValueError(f"{name} must be a {' or '.join(k.__name__ for k in kinds)}, got {_short(value)}")
    return value


def generator(rng: Any) -> np.random.Generator:
    """``rng`` if it is one; ValueError for a seed or the older RandomState."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a generator, e.g. np.random.default_rng(0), got {_short(rng)}")
    return rng


def frame(table: Any, name: str, columns: Iterable[str]) -> pd.DataFrame:
    """A table with at least one row and these columns, without missing values in them; or ValueError."""
    instance(pd.DataFrame, table, name)
    columns = list(columns)
    if lacking := [column for column in columns if column not in table.columns]:
        raise ValueError(f"{name} lacks the columns {', '.join(lacking)}; it has {', '.join(map(str, table.columns))}")
    if twice := [column for column in columns if isinstance(table[column], pd.DataFrame)]:
        raise ValueError(f"{name} has several columns of the name {', '.join(twice)}")
    if not len(table):
        raise ValueError(f"{name} has no rows")
    for column in columns:
        if missing := int(table[column].isna().sum()):
            raise ValueError(f"{name} has {missing} missing values in column {column}: fill or drop these rows first")
        try:
            pd.factorize(table[column])
            if table[column].isin([np.inf, -np.inf]).any() or any(isinstance(v, complex) for v in table[column]):
                raise TypeError("infinite or complex")
        except TypeError as error:
            raise ValueError(f"{name}, column {column}, holds what is no single value: {error}") from None
    return table


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.timedelta64)


def _short(value: Any) -> str:
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else reprlib.repr(value)
