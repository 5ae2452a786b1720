"""How many legs a film shows, and where one ends and the next begins.

The shape of the frame does not tell: single knees lie on wide films and two legs on narrow ones. The content does.
Bone and muscle are brighter than the gap between the legs, at most heights if not at all, so the film is cut into
horizontal bands, each band counts its bright humps, and the bands vote. Side markers, coins, hands, collimator edges
and thighs that touch spoil some bands only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osteolib.radiograph.io import RadiographError

Box = tuple[int, int, int, int]

BANDS, COLUMNS = 40, 128  # the grid that the exposed field is averaged to
THIN = 5  # columns: whatever is thinner (fibula, collimator edge, letter) is no leg
SMOOTH = 3.0  # columns, SD: joins tibia and fibula, but not two legs
VALLEY = 0.45  # a hump counts when it stands this far, of the band's range, above the valleys beside it
CONTRAST = 0.25  # of the film's brightness: with less between bright and dark columns there is no leg to see


@dataclass(frozen=True)
class Legs:
    """Legs of one film, from the image's left to its right."""

    n: int
    splits: tuple[int, ...]  # n - 1 columns, in pixels
    boxes: tuple[Box, ...]  # (x0, y0, x1, y1) in pixels, ends excluded: the part of the exposed field around each leg
    agreement: float  # share of the bands that see a leg and see n of them


def count_legs(pixels: NDArray[np.unsignedinteger]) -> Legs:
    """Count the legs of a knee film and box each of them.

    Parameters
    ----------
    pixels
        Shape (height, width), bright bone, legs upright.

    Returns
    -------
    :class:`Legs`; ``n`` is 0 for a film without legs and may exceed 2, see :func:`split_knees`.
    """
    from scipy import ndimage

    (x0, y0, x1, y1), grid = _exposed_field(pixels)
    bright, dark = np.percentile(grid, (95, 5))
    humps = ndimage.gaussian_filter1d(ndimage.grey_opening(grid, (1, THIN)), SMOOTH, axis=1)
    peaks = [_peaks(band, 0.3 * (bright - dark)) for band in humps]
    votes = np.bincount([len(found) for found in peaks], minlength=2)
    n = int(votes[1:].argmax()) + 1
    if bright - dark <= CONTRAST * grid.max() or votes[n] < BANDS / 3 or votes[n] < votes[1:].sum() / 2:
        return Legs(0, (), (), 0.0)

    agreeing = [i for i, found in enumerate(peaks) if len(found) == n]
    centres = np.median([peaks[i] for i in agreeing], axis=0).round().astype(int)
    profile = humps[agreeing].mean(axis=0)
    scale = (x1 - x0) / COLUMNS
    splits = [round(x0 + scale * _valley(profile, a, b)) for a, b in pairwise(centres)]
    edges = [x0, *splits, x1]
    boxes = tuple((a, y0, b, y1) for a, b in pairwise(edges))
    return Legs(n, tuple(splits), boxes, float(votes[n] / votes[1:].sum()))


def split_knees(pixels: NDArray[np.unsignedinteger], mirrored: bool = False) -> list[tuple[str | None, Box]]:
    """Cut a film into its knees.

    Parameters
    ----------
    pixels
        Shape (height, width), bright bone, legs upright.
    mirrored
        The patient's right stands at the image's right. By the convention of radiography it stands at the left.

    Returns
    -------
    (side, box) of each knee from the image's left to its right; side is ``"right"`` or ``"left"`` of the patient, None
    when there is one leg, box is (x0, y0, x1, y1) in pixels, ends excluded.

    Raises
    ------
    RadiographError
        The film shows no leg, or more than two.
    """
    legs = count_legs(pixels)
    if legs.n == 0:
        raise RadiographError("no leg found: is this a knee film, with bright bone and the leg upright?")
    if legs.n > 2:
        raise RadiographError(f"{legs.n} legs found: crop the film to one patient's knees first")
    sides = [None] if legs.n == 1 else ["left", "right"] if mirrored else ["right", "left"]
    return list(zip(sides, legs.boxes, strict=True))


def _exposed_field(pixels: NDArray) -> tuple[Box, NDArray[np.float32]]:
    """Box without the black frame, and the pixels in it averaged to (BANDS, COLUMNS)."""
    from PIL import Image

    step = max(1, max(pixels.shape) // 512)
    small = pixels[::step, ::step].astype(np.float32)
    lit = small > 0.06 * np.percentile(small, 99)
    rows, columns = np.flatnonzero(lit.mean(1) > 0.02), np.flatnonzero(lit.mean(0) > 0.02)
    if not (rows.size and columns.size):
        rows, columns = np.array([0, small.shape[0] - 1]), np.array([0, small.shape[1] - 1])
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    grid = Image.fromarray(small[top:bottom, left:right]).resize((COLUMNS, BANDS), Image.Resampling.BOX)
    height, width = pixels.shape
    box = (left * step, top * step, min(right * step, width), min(bottom * step, height))
    return tuple(int(edge) for edge in box), np.asarray(grid)


def _peaks(band: NDArray, least_range: float) -> NDArray[np.intp]:
    """Columns of the humps of one band; none where it is too even, as a band of black frame is."""
    from scipy.signal import find_peaks

    low, high = band.min(), band.max()
    if high - low <= least_range:
        return np.empty(0, np.intp)
    padded = np.pad(band, 1, constant_values=low)  # a leg cut by the border is a hump as well
    return find_peaks(padded, prominence=VALLEY * (high - low))[0] - 1


def _valley(profile: NDArray, left: int, right: int) -> float:
    """Middle of the lowest stretch between two humps: in a flat dark gap the very minimum may lie at either leg."""
    between = profile[left : right + 1]
    floor = between.min()
    lowest = np.flatnonzero(between <= floor + 0.1 * (min(between[0], between[-1]) - floor))
    return left + (lowest[0] + lowest[-1]) / 2 + 0.5
