"""From the stored words of a DICOM to grey values of a film: which bits are stored, what is padding, what is bright.

pydicom decodes the words, but looks neither at HighBit nor at padding. Sections are those of DICOM PS3.3 and PS3.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osteolib.radiograph.film import RadiographError

if TYPE_CHECKING:
    from pydicom import Dataset

TOP = 65535  # the largest grey value of a film


class Values(NamedTuple):
    """Grey values (height, width) of any range, their largest possible one, and where nothing was exposed."""

    values: NDArray
    top: float
    padding: NDArray[np.bool_] | None


def stored_values(data: Dataset, name: str, words: NDArray, packed: bool) -> Values:
    """Cut the stored bits out of the words (PS3.5 8.1.1) and find the padding (C.7.5.1.1.2).

    Bits above or below the stored ones may hold an overlay and are cleared. Values that plainly need them, since the
    picture falls apart without, contradict BitsStored and are refused.

    Parameters
    ----------
    words
        Shape (height, width), integers of BitsAllocated bits.
    packed
        Native and RLE pixels are words, of which HighBit tells what is stored; other codes keep the values themselves.
    """
    stored, high = bits_of(data, name)
    signed = whole(data, name, "PixelRepresentation", 0) == 1
    if not packed:
        return Values(words, 2**stored - 1, _padding(data, name, words, words, signed))
    words = words.view(f"u{words.itemsize}") if words.dtype.kind == "i" else words
    full = words.view(f"i{words.itemsize}") if signed else words
    shift, mask = high + 1 - stored, 2**stored - 1
    values = full
    if stored < 8 * words.itemsize:
        values = (words >> shift) & mask
        if signed:
            sign = 2 ** (stored - 1)
            values = (values.astype(np.int64) ^ sign) - sign
    padding = _padding(data, name, full, values, signed)
    if shift == 0 and _overflows(full, values, padding):
        raise RadiographError(f"{name}: values exceed BitsStored {stored}; export it again, with what it stores")
    return Values(values, mask, padding)


def bits_of(data: Dataset, name: str) -> tuple[int, int]:
    """BitsStored and HighBit; RadiographError where they do not fit BitsAllocated."""
    allocated, stored = whole(data, name, "BitsAllocated"), whole(data, name, "BitsStored")
    high = whole(data, name, "HighBit", stored - 1)
    if not (1 <= stored <= allocated and stored - 1 <= high < allocated):
        raise RadiographError(
            f"{name}: BitsStored {stored} and HighBit {high} do not fit BitsAllocated {allocated}; export it again"
        )
    return stored, high


def unsigned(film: Values, inverted: bool) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Keep the values where they fit; else shift, and scale what would exceed 16 bits. Padding becomes the darkest."""
    values, top, padding = film
    if values.dtype not in (np.uint8, np.uint16):  # differences of signed words may need a bit more than they have
        values = values.astype(np.int64 if values.dtype.kind in "iu" else np.float64)
    own = values if padding is None else values[~padding]
    low, high = own.min(), own.max()
    if low < 0 or high > top:
        values, top = values - low, high - low
    if top > TOP:
        values, top = values * (TOP / top), TOP
    if inverted:
        values = top - values
        least = (values if padding is None else values[~padding]).min()
        if least > top / 2:  # values that use a small part of the stored bits stay near 0 when they are inverted
            values = values - least
    if padding is not None:
        values = np.where(padding, values[~padding].min(), values)
    return np.rint(values).astype(np.uint8 if top <= 255 else np.uint16)


def number(data: Dataset, name: str, keyword: str, default: float | None = None) -> float:
    """First value of an element as a finite number; ``default`` where it is missing or empty.

    Raises
    ------
    RadiographError
        It is no number, or is missing and there is no default.
    """
    value = first_of(data, keyword)
    if value is None and default is not None:
        return default
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if not np.isfinite(found):
        said = "missing" if value is None else "no number"
        raise RadiographError(f"{name}: {keyword} is {said}; export it again")
    return found


def whole(data: Dataset, name: str, keyword: str, default: int | None = None) -> int:
    """The same, as a whole number."""
    return int(number(data, name, keyword, default))


def first_of(data: Dataset, keyword: str) -> object:
    """First value of an element, None where it is missing or empty, a word where it cannot be parsed."""
    try:
        value = data.get(keyword)
    except Exception:  # pydicom parses an element when it is asked for
        return "unreadable"
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return None if value in ("", b"") else value
    return value[0] if len(value) and value[0] != "" else None


def _padding(data: Dataset, name: str, full: NDArray, values: NDArray, signed: bool) -> NDArray[np.bool_] | None:
    """Where pixels are padding; it may be told in more bits than are stored, and with the other sign."""
    if first_of(data, "PixelPaddingValue") is None:
        if first_of(data, "PixelPaddingRangeLimit") is not None:
            raise RadiographError(
                f"{name}: PixelPaddingRangeLimit without PixelPaddingValue; add the one or remove the other"
            )
        return None
    bits = 8 * full.itemsize

    def as_stored(value: int) -> int:
        value %= 2**bits
        return value - 2**bits if signed and value >= 2 ** (bits - 1) else value

    one = as_stored(whole(data, name, "PixelPaddingValue"))
    other = as_stored(whole(data, name, "PixelPaddingRangeLimit", one))
    low, high = min(one, other), max(one, other)
    padding = ((values >= low) & (values <= high)) | ((full >= low) & (full <= high))
    if padding.all():
        raise RadiographError(
            f"{name}: every pixel is padding (PixelPaddingValue {one}, PixelPaddingRangeLimit {other}); "
            "remove both elements or export it again"
        )
    return padding if padding.any() else None


def _overflows(full: NDArray, values: NDArray, padding: NDArray[np.bool_] | None) -> bool:
    """Whether the bits above the stored ones go on counting: without them, steps between neighbours grow.

    An overlay in these bits is the other way round, its edges are steps of the whole word.
    """
    if np.array_equal(full, values):
        return False
    full, values = full.astype(np.int64), values.astype(np.int64)
    above = full - values
    turns = above[:, 1:] != above[:, :-1]
    turns &= True if padding is None else ~(padding[:, 1:] | padding[:, :-1])
    grow = (np.abs(np.diff(full, axis=1)) < np.abs(np.diff(values, axis=1)))[turns]
    return bool(grow.size) and grow.mean() > 0.1
