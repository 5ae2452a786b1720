"""What a DICOM shows of its stored values: modality transformation, then a VOI look-up table or a window.

Written out here, because pydicom 3.0 takes entries of 8 bits for packed whatever the length of their table, and turns a
window round where RescaleSlope is negative; tests hold both side by side where they must agree. Sections are those of
DICOM PS3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osteolib.radiograph.dicom_values import TOP, Values, first_of, number
from osteolib.radiograph.film import RadiographError

if TYPE_CHECKING:
    from pydicom import Dataset

REMEDY = "remove it (all stored values are then shown) or export with a window that shows the bone"
BOTH = "remove WindowCenter and WindowWidth (all stored values are then shown) or export with a window that fits"


def grey_values(data: Dataset, name: str, film: Values) -> tuple[Values, str]:
    """Apply the modality transformation (C.11.1), then the first VOI table or else the first window (C.11.2).

    Returns
    -------
    The values, and the name of the table or window; empty where there is none.
    """
    values, top, padding = film
    slope, intercept = number(data, name, "RescaleSlope", 1.0), number(data, name, "RescaleIntercept", 0.0)
    if data.get("ModalityLUTSequence"):
        values, top = _look_up(data, name, "ModalityLUTSequence", values)
    elif slope == 0:
        raise RadiographError(f"{name}: RescaleSlope is 0; remove RescaleSlope and RescaleIntercept")
    elif abs(slope) < 1 and not data.get("VOILUTSequence") and not _has_window(data):
        values = values * np.sign(slope)  # steps below 1 would be lost; their size means nothing on a projection
    elif (slope, intercept) != (1, 0):
        values = values * slope + intercept
    if data.get("VOILUTSequence"):
        return Values(*_look_up(data, name, "VOILUTSequence", values), padding), "VOILUTSequence"
    if not _has_window(data):
        return Values(values, top, padding), ""
    window = _window(data, name)
    return Values(*_windowed(values, top, *window), padding), "WindowCenter {:g} with WindowWidth {:g}".format(*window)


def _look_up(data: Dataset, name: str, keyword: str, values: NDArray) -> tuple[NDArray, float]:
    """Values through the first table of a sequence (C.11.1.1.1), and the largest value it gives.

    Whether entries of 8 bits are packed, two to a word, is told by the length of the table.
    """
    item = data[keyword].value[0]
    try:
        n, first, bits = (int(part) for part in item.LUTDescriptor)
        n = n % 65536 or 65536
        table = _entries(item.LUTData, n, little=data.original_encoding[1])
    except (AttributeError, TypeError, ValueError):
        raise RadiographError(
            f"{name}: {keyword} is damaged; remove it (all stored values are then shown) or export it again"
        ) from None
    first = (first + 32768) % 65536 - 32768 if values.min() < 0 else first % 65536
    table = table.astype(np.int64)
    largest, stated = int(table.max()), 2 ** min(max(bits, 1), 16) - 1
    top = stated if stated / 2 < largest <= stated else max(largest, 1)
    return table[np.clip(np.rint(values).astype(np.int64) - first, 0, n - 1)], top


def _entries(content: bytes | list[int] | int, n: int, little: bool) -> NDArray:
    if not isinstance(content, bytes):
        table = np.atleast_1d(np.asarray(content, np.int64)) % 65536
    elif len(content) >= 2 * n:
        table = np.frombuffer(content[: 2 * n], "<u2" if little else ">u2")
    else:
        table = np.frombuffer(content, "u1")
        table = table if little else table[: len(table) // 2 * 2].reshape(-1, 2)[:, ::-1].ravel()
    if len(table) < n:
        raise ValueError
    return table[:n]


def _has_window(data: Dataset) -> bool:
    return any(first_of(data, keyword) is not None for keyword in ("WindowCenter", "WindowWidth"))


def _window(data: Dataset, name: str) -> tuple[float, float, str]:
    """Centre, width and function of the first window."""
    empty = [keyword for keyword in ("WindowCenter", "WindowWidth") if first_of(data, keyword) is None]
    if empty:
        raise RadiographError(f"{name}: {empty[0]} is missing, though its twin is given; {BOTH}")
    centre, width = number(data, name, "WindowCenter"), number(data, name, "WindowWidth")
    function = str(first_of(data, "VOILUTFunction") or "LINEAR").upper()
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise RadiographError(f"{name}: VOILUTFunction {function!r} is unknown; {BOTH}")
    if width < 1 if function == "LINEAR" else width <= 0:
        raise RadiographError(f"{name}: WindowWidth is {width:g}, which shows nothing; {BOTH}")
    return centre, width, function


def _windowed(values: NDArray, top: float, centre: float, width: float, function: str) -> tuple[NDArray, float]:
    """Values through a window, 0 to the largest value (C.11.2.1.2 and C.11.2.1.3).

    A window much wider than the stored values would squeeze them into few steps: they get those of 16 bits.
    """
    top = min(top, TOP) if top <= 255 or width <= 2 * (top + 1) else TOP
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return top / (1 + np.exp(-4 * (values - centre) / width)), top
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    if width == 0:
        return np.where(values > centre, float(top), 0.0), top
    return (((values - centre) / width + 0.5) * top).clip(0, top), top
