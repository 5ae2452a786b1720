"""Is there a femur with a joint where a hip must be? A detector has no class *something else*: its answers are asked.

From what a detector says of a hip, its score and the contour, a few numbers are read: how sure it is, where in its half
of the film the femur lies, how large it is there, how full the square, how large the head is and where. A hip whose
numbers lie farther from those of the nearest hips of the training than nearly all of these lie from one another is not
taken for one. No other bone is needed to draw the line.

Source: distance to nearest neighbours as a sign of novelty, Ramaswamy et al., SIGMOD 2000 (doi:10.1145/342009.335437).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from osteolib.segment.hip_squares import cut_square, half_of_film
from osteolib.segment.mask_rcnn import HipFound

NUMBERS = ("score", "size", "from the middle", "height", "filled", "head", "head across", "head down", "upright")
"""Of one hip: :func:`hip_numbers`."""
GRID = 64  # pixels along a square on which the head is measured
CORNER = np.s_[: GRID // 2, GRID * 9 // 16 :]  # of the square of a right hip, where the head is
NEAREST = 5
KEPT = 0.95
"""Share of the hips it was drawn on that lie within the line."""
FEWEST = 30
"""Hips from which a line is drawn at least."""

Seen = tuple[tuple[int, int], Sequence[HipFound]]
"""Height and width of a film, and what was found on it: the patient's right hip and the left one."""


def hip_numbers(found: HipFound, shape: tuple[int, int]) -> NDArray[np.float64]:
    """What is asked of one hip, in the order of :data:`NUMBERS`; all but the first follow from the contour.

    Parameters
    ----------
    found
        A hip with a square.
    shape
        Height and width of the film in pixels.

    Returns
    -------
    Shape (9,). ``score``: log odds. ``size``: log of the square's side by the width of half a film. ``from the
    middle``: gap between the square and the middle of the film, by the same width. ``height``: centre of the square by
    the height of the film. ``filled``: share of the square. ``head``: radius of the largest circle inside the femur in
    the square's upper inner quarter, ``head across`` and ``head down`` its centre from the outer upper corner, by the
    square's side. ``upright``: how much further out the lower half's mass lies than the upper half's, by that side.

    Raises
    ------
    ValueError
        The hip has no square.
    """
    from scipy.ndimage import distance_transform_edt

    if found.square is None:
        raise ValueError(f"the {found.side} hip has no square to be looked at: {found.reason}")
    x0, y0, x1, y1 = found.square
    half = half_of_film(shape[1], found.side)
    wide = half.stop - half.start
    gap = (half.stop - x1 if found.side == "right" else x0 - half.start) / wide
    femur = cut_square(found.masks["femur"], found.square, GRID)
    femur = femur if found.side == "right" else femur[:, ::-1]  # the head is on the right
    room = distance_transform_edt(np.pad(femur, 1))[1:-1, 1:-1]
    corner = room[CORNER]
    down, across = np.unravel_index(corner.argmax(), corner.shape)
    middles = [np.flatnonzero(part.any(0)).mean() if part.any() else GRID for part in np.split(femur, 2)]
    score = np.clip(found.scores["femur"], 1e-4, 1 - 1e-4)
    return np.array([
        np.log(score / (1 - score)), np.log((x1 - x0) / wide), gap, (y0 + y1) / 2 / shape[0], femur.mean(),
        corner.max() / GRID, (across + CORNER[1].start) / GRID, down / GRID, (middles[0] - middles[1]) / GRID,
    ])  # fmt: skip


@dataclass(frozen=True)
class UsualHips:
    """What hips on films of the pelvis look like to a detector; made by :func:`fit_usual`.

    Attributes
    ----------
    known
        Shape (n, 9): :func:`hip_numbers` of hips of the training, divided by ``spread`` (9,), their SDs.
    line
        The distance from which a hip is a strange one.
    """

    known: NDArray[np.float64] = field(repr=False)
    spread: NDArray[np.float64] = field(repr=False)
    line: float

    def distance(self, numbers: NDArray) -> NDArray[np.float64]:
        """Mean distance of rows (n, 9) to the :data:`NEAREST` hips of the training, in their SDs, shape (n,)."""
        return np.sort(cdist(np.atleast_2d(numbers) / self.spread, self.known), axis=1)[:, :NEAREST].mean(1)

    def strange(self, found: Sequence[HipFound], shape: tuple[int, int]) -> dict[str, str]:
        """Why what was found on a film is no hip, by side, in words; empty where it is like one, or has no square."""
        words = {}
        for one in found:
            words[one.side] = ""
            if one.square is not None:
                numbers = hip_numbers(one, shape)
                far = float(self.distance(numbers)[0])
                off = np.abs(numbers / self.spread - self.known.mean(0))
                if far > self.line:
                    odd = f"most unusual is {NUMBERS[off.argmax()]!r}"
                    words[one.side] = f"unlike hips known, {far:.1f} SD from the nearest of them ({odd})"
        return words


def fit_usual(films: Iterable[Seen]) -> UsualHips:
    """Draw the line from films of the pelvis that trained the detector, hips with metal among them.

    A hip is held against those of other films: the two of a person are alike.

    Raises
    ------
    ValueError
        On these films too few hips were found.
    """
    rows = [(film, hip_numbers(one, shape)) for film, (shape, found) in enumerate(films) for one in found if one.square]
    if len(rows) < FEWEST:
        raise ValueError(f"{len(rows)} hips were found on the films, {FEWEST} are needed to say what is usual")
    film, numbers = (np.array(part) for part in zip(*rows, strict=True))
    spread = numbers.std(0) + 1e-9
    apart = cdist(numbers / spread, numbers / spread)
    apart[film[:, None] == film] = np.inf
    return UsualHips(numbers / spread, spread, float(np.quantile(np.sort(apart, axis=1)[:, :NEAREST].mean(1), KEPT)))
