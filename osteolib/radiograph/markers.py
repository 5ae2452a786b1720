"""Hide what is on a film but not of the patient: side markers, burnt-in text, calibration coins, viewer logos.

Such things tell a model the ward, the machine or the person, and must not stand in a figure. Three kinds are found:

- a *plate*, a small rectangle of one exact grey value as only software draws it; film grain is never that flat;
- an *island*, a small compact bright object with dark all around: a coin, a logo in a corner, a letter of lead;
- a *line of text*, four or more thin bright glyphs of one height side by side.

What these rules miss is given by hand, as boxes. Lengths below are fractions of the film's longer side, grey values
are on a scale of 0 to 255, and the search runs on the extremes of small blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]

WORKING_SIZE = 600  # blocks along the longer side, at most twice that
PAD = 0.005  # the bevel or border around a plate, the black square behind a logo


def mask_markers(
    pixels: NDArray[np.unsignedinteger], boxes: Iterable[Sequence[float]] = ()
) -> tuple[NDArray[np.unsignedinteger], list[Box]]:
    """Replace markers, burnt-in text and calibration objects by what surrounds them.

    Parameters
    ----------
    pixels
        Shape (height, width), bright bone. Not changed.
    boxes
        Further places to hide, each (x0, y0, x1, y1) in fractions of width and height, 0 <= x0 < x1 <= 1.

    Returns
    -------
    A masked copy of the same type, and the boxes that were filled, (x0, y0, x1, y1) in pixels, ends excluded.

    Raises
    ------
    ValueError
        A box given by hand does not lie in the frame.
    """
    height, width = pixels.shape
    pad = max(2, round(PAD * max(pixels.shape)))
    filled = [_in_pixels(box, width, height) for box in boxes]
    for x0, y0, x1, y1 in find_markers(pixels):
        filled.append((max(x0 - pad, 0), max(y0 - pad, 0), min(x1 + pad, width), min(y1 + pad, height)))
    filled = _united(filled)
    masked = pixels.copy()
    for box in filled:
        _fill(masked, box, band=pad)
    return masked, filled


def find_markers(pixels: NDArray[np.unsignedinteger]) -> list[Box]:
    """Tight boxes in pixels, (x0, y0, x1, y1), of the plates, islands and lines of text of one film."""
    # A power of two, so that blocks do not straddle those of JPEG, within which a drawn plate stays exactly even.
    block = max(2, 2 ** round(np.log2(max(pixels.shape) / WORKING_SIZE)))
    if min(pixels.shape) < block:
        return []
    low, high = _block_extremes(pixels, block)
    scale = 255 / (2 ** max(8, int(high.max()).bit_length()) - 1)
    low, high = low * scale, high * scale
    found = [*_plates(low, high), *_islands(low), *_lines_of_text(high)]
    return [(x0 * block, y0 * block, x1 * block, y1 * block) for x0, y0, x1, y1 in found]


def _block_extremes(pixels: NDArray, block: int) -> tuple[NDArray, NDArray]:
    """Least and largest value of each block; rows first, so that the long axis is reduced in memory order."""
    height, width = (side // block for side in pixels.shape)
    rows = pixels[: height * block, : width * block].reshape(height, block, width * block)
    low, high = rows.min(axis=1), rows.max(axis=1)
    steps = range(block)
    return (
        np.minimum.reduce([low[:, i::block] for i in steps]),
        np.maximum.reduce([high[:, i::block] for i in steps]),
    )


def _plates(low: NDArray, high: NDArray) -> Iterator[Box]:
    longer = max(high.shape)
    flat = (high - low <= 3) & (low > 12) & (high < 240)  # black and burnt-out areas are flat on any film
    for box, part in _parts(flat):
        short, long = sorted(part.shape)
        if short < 0.004 * longer or not 0.025 * longer <= long <= 0.16 * longer:
            continue
        values = high[_inside(box)][part]
        grey = np.median(values)
        even = (abs(values - grey) <= 2).mean()
        # How far each side of the box is lined. A letter may break one side, or leave only two, an L, of an even plate.
        top, bottom, left, right = part[:2].any(0), part[-2:].any(0), part[:, :2].any(1), part[:, -2:].any(1)
        _, second, third, _ = sorted(side.mean() for side in (top, bottom, left, right))
        lined = (second > 0.7 and even > 0.85) or (third > 0.9 and even > 0.95)
        wide = _inside(box, 2)
        if lined and abs(high[wide][~flat[wide]] - grey).mean() > 12:
            yield box


def _islands(low: NDArray) -> Iterator[Box]:
    longer = max(low.shape)
    dark, bright = np.percentile(low, (5, 99.5))
    lit = low > dark + 0.5 * (bright - dark)
    for box, part in _parts(lit):
        if min(part.shape) < 0.006 * longer or max(part.shape) > 0.08 * longer or part.mean() < 0.6:
            continue
        wide = _inside(box, 4)
        if np.percentile(low[wide][~lit[wide]], 80) < dark + 0.25 * (bright - dark):
            yield box


def _lines_of_text(high: NDArray) -> Iterator[Box]:
    from scipy import ndimage

    longer = max(high.shape)
    strokes = high - ndimage.grey_opening(high, (max(2, round(0.012 * longer)),) * 2) > 90
    glyphs = []
    for (x0, y0, x1, y1), _ in _parts(strokes):
        height, width = y1 - y0, x1 - x0
        if 0.008 * longer <= height <= 0.04 * longer and 0.15 * height <= width <= 3 * height:
            glyphs.append((x0, y0, x1, y1))
    lines: list[list[Box]] = []
    for x0, y0, x1, y1 in sorted(glyphs):
        for line in lines:
            _, top, end, bottom = line[-1]
            height = bottom - top
            if max(abs(y0 - top), abs(y1 - bottom)) < 0.25 * height and x0 - end < 1.2 * height:
                line.append((x0, y0, x1, y1))
                break
        else:
            lines.append([(x0, y0, x1, y1)])
    for line in lines:
        if len(line) >= 4:
            x0, y0, x1, y1 = np.transpose(line).tolist()
            reach = round(1.5 * (max(y1) - min(y0)))  # a glyph at an end may have melted into what lies under it
            yield max(min(x0) - reach, 0), min(y0), min(max(x1) + reach, high.shape[1]), max(y1)


def _parts(mask: NDArray[np.bool_]) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
    """Box of each connected part of at least five blocks, and the part alone within its box."""
    from scipy import ndimage

    label, _ = ndimage.label(mask)
    places = ndimage.find_objects(label)
    for i in np.flatnonzero(np.bincount(label.ravel())[1:] >= 5):
        rows, columns = places[i]
        yield (columns.start, rows.start, columns.stop, rows.stop), label[rows, columns] == i + 1


def _inside(box: Box, wider: int = 0) -> tuple[slice, slice]:
    x0, y0, x1, y1 = box
    return slice(max(y0 - wider, 0), y1 + wider), slice(max(x0 - wider, 0), x1 + wider)


def _in_pixels(box: Sequence[float], width: int, height: int) -> Box:
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ValueError(f"box {tuple(box)}: give (x0, y0, x1, y1) in fractions of the frame, x0 < x1 and y0 < y1")
    return round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height)


def _united(boxes: list[Box]) -> list[Box]:
    """Unite boxes that overlap, so that none is filled from another marker."""
    united: list[Box] = []
    for box in boxes:
        while near := next((b for b in united if _overlap(b, box)), None):
            united.remove(near)
            box = (min(near[0], box[0]), min(near[1], box[1]), max(near[2], box[2]), max(near[3], box[3]))
        united.append(box)
    return sorted(united)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _fill(pixels: NDArray, box: Box, band: int) -> None:
    """Fill a box in place with the medians of the four bands around it, weighted by 1 / distance squared."""
    x0, y0, x1, y1 = box
    down, across = np.arange(1.0, y1 - y0 + 1)[:, None], np.arange(1.0, x1 - x0 + 1)[None]
    borders = (
        (pixels[max(y0 - band, 0) : y0, x0:x1], 0, down),
        (pixels[y1 : y1 + band, x0:x1], 0, down[::-1]),
        (pixels[y0:y1, max(x0 - band, 0) : x0], 1, across),
        (pixels[y0:y1, x1 : x1 + band], 1, across[:, ::-1]),
    )
    here = [(np.median(border, axis, keepdims=True), distance) for border, axis, distance in borders if border.size]
    if not here:  # the box is the whole frame
        pixels[:] = 0
        return
    filled = sum(value / distance**2 for value, distance in here) / sum(1 / distance**2 for _, distance in here)
    pixels[y0:y1, x0:x1] = np.rint(filled)
