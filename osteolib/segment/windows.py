"""Squares of a film that no mask was laid over: around a bone, around the hand, the whole film, or anywhere.

A box is row and column of the upper left corner, which may lie outside the film, and side, as in
:class:`osteolib.segment.bones.BoneImages`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from osteolib.radiograph import resize
from osteolib.segment.bones import MARGIN

Box = tuple[int, int, int]

SOMETHING = 0.10
"""Least share of a random square that is not zero: what extended multi-crop asks of each view."""

TRIES = 1000  # a square that 1 in 100 places allows is missed in fewer than one film of 20,000


def cut_square(film: NDArray[np.uint8], box: Box, size: int) -> NDArray[np.uint8]:
    """The box at ``size`` x ``size`` pixels, zero where it lies outside the film; ``film`` (height, width)."""
    top, left, side = box
    square = np.zeros((side, side), np.uint8)
    rows, columns = (
        slice(max(0, -at), max(0, min(side, n - at))) for at, n in zip((top, left), film.shape, strict=True)
    )
    square[rows, columns] = film[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    return resize(square, size)


def film_box(shape: tuple[int, int]) -> Box:
    """The square that holds a film of (height, width) in its middle."""
    side = max(shape)
    return (shape[0] - side) // 2, (shape[1] - side) // 2, side


def hand_box(labels: NDArray[np.integer]) -> Box:
    """The square around all bones of a label map (height, width), with the margin that a single bone has.

    Raises
    ------
    ValueError
        There is no bone.
    """
    where = np.argwhere(labels > 0)
    if not len(where):
        raise ValueError("labels hold no bone: leave this film out, or give boxes for it")
    low, high = where.min(0), where.max(0) + 1
    side = int(np.ceil(MARGIN * (high - low).max()))
    top, left = ((low + high - side) // 2).tolist()
    return top, left, side


def random_boxes(film: NDArray[np.uint8], sides: Iterable[int], rng: np.random.Generator) -> list[Box]:
    """A box of each side anywhere inside the film, uniformly among those that are not almost empty.

    A side longer than the film is wide is cut to it. Empty means fewer than 10 % non-zero pixels, as in the frame that
    a film may have.

    Raises
    ------
    ValueError
        Of 1,000 boxes of a side all were empty.
    """
    boxes = []
    for side in sides:
        side = min(side, *film.shape)
        for _ in range(TRIES):
            top, left = (int(rng.integers(n - side + 1)) for n in film.shape)
            if (film[top : top + side, left : left + side] > 0).mean() >= SOMETHING:
                boxes.append((top, left, side))
                break
        else:
            raise ValueError(
                f"film: {(film > 0).mean():.1%} of it is not zero, and none of {TRIES:,} squares of {side} pixels "
                f"holds {SOMETHING:.0%}: leave the film out, or ask for larger squares"
            )
    return boxes
