"""The square around the proximal femur: where it lies on a film by the femur's mask, and how it is cut out.

chen2024_hip (Fig. 1b) cuts a pair of squares, one a hip, and brings them to 224 x 224 without distortion; it does not
print how far they reach. Here the side is 1.15 times the width of the proximal femur, from the inner edge of the head
to the outer edge of the greater trochanter, and the square starts a little above the head: head, neck and both
trochanters lie in it, however much of the shaft the film shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIDE = 1.15  # of the square, in widths of the proximal femur
ABOVE = 0.05  # of that width between the upper edge of the square and the head
LEAST = 0.002  # share of the half film that a femur covers at least
ABOVE_SPECKS = 0.05  # pieces smaller than this share of the largest are specks


def half_of_film(width: int, side: str) -> slice:
    """Columns of the half of a film of the pelvis in which a hip lies: the patient's right is on the image's left.

    Raises
    ------
    ValueError
        ``side`` is neither ``right`` nor ``left``.
    """
    if side not in ("right", "left"):
        raise ValueError(f"side must be right or left, the patient's, got {side!r}")
    return slice(0, width // 2) if side == "right" else slice(width // 2, width)


def hip_square(mask: ArrayLike, side: str) -> tuple[int, int, int, int]:
    """Square around head, neck and trochanters of one hip.

    Parameters
    ----------
    mask
        Shape (height, width), bool: femur on the whole film, of one hip or of both.
    side
        ``right`` or ``left``, the patient's; what lies in the other half of the film is not looked at.

    Returns
    -------
    (x0, y0, x1, y1) in pixels of the film, ends excluded, x1 - x0 = y1 - y0. It may reach beyond the film, where
    :func:`cut_square` fills in zeros.

    Raises
    ------
    ValueError
        There is no femur in this half of the film, or only specks of one; or the mask is no (height, width).
    """
    from scipy.ndimage import find_objects, label

    mask = np.asarray(mask, bool)
    if mask.ndim != 2:
        raise ValueError(f"the mask must have the shape (height, width), got {mask.shape}")
    columns = half_of_film(mask.shape[1], side)
    half = mask[:, columns]
    pieces, _ = label(half)
    areas = np.bincount(pieces.ravel())[1:]
    if not len(areas) or areas.max() < LEAST * half.size:
        found = f"{areas.max()} pixels at most in one piece" if len(areas) else "the mask is empty there"
        raise ValueError(f"no femur in the {side} half of the film: {found}; is it an AP film with this hip?")
    kept = np.isin(pieces, 1 + np.flatnonzero(areas >= ABOVE_SPECKS * areas.max()))  # a screw may cut the neck
    rows, across = find_objects(kept.astype(np.uint8))[0]
    top, left, right = rows.start, across.start, across.stop
    for _ in range(5):  # a slanting shaft is no part of the width
        seen = np.flatnonzero(kept[top : top + round(SIDE * (right - left))].any(0))
        if (seen[0], seen[-1] + 1) == (left, right):
            break
        left, right = int(seen[0]), int(seen[-1]) + 1
    size = round(SIDE * (right - left))
    x0 = columns.start + round((left + right - size) / 2)
    y0 = top - round(ABOVE * (right - left))
    return x0, y0, x0 + size, y0 + size


def cut_square(pixels: ArrayLike, box: tuple[int, int, int, int], size: int) -> NDArray[np.uint8]:
    """A square of a film at ``size`` by ``size`` pixels; what lies beyond the film is 0.

    Parameters
    ----------
    pixels
        Shape (height, width), uint8, or bool for a mask.
    box
        As :func:`hip_square` gives it.
    size
        Side of the result. Every new pixel of a film is a mean over those it covers; of a mask it is the nearest.

    Raises
    ------
    ValueError
        The box is empty, is no square, or lies wholly beyond the film.
    """
    from PIL import Image

    pixels = np.asarray(pixels)
    x0, y0, x1, y1 = box
    height, width = pixels.shape
    if not (x1 - x0 == y1 - y0 > 0):
        raise ValueError(f"the box must be a square of at least one pixel, got {box}")
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        raise ValueError(f"the square {box} lies beyond the film of {width} x {height} pixels")
    square = np.zeros((y1 - y0, x1 - x0), pixels.dtype)
    inside = np.s_[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    square[max(-y0, 0) :, max(-x0, 0) :][: inside[0].stop - inside[0].start, : inside[1].stop - inside[1].start] = (
        pixels[inside]
    )
    how = Image.Resampling.NEAREST if pixels.dtype == bool else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(square).resize((size, size), how))
