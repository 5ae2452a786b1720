"""Values between spots, polygons with holes, and struts between two edges: what the hip draws its bones with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import distance_transform_edt, gaussian_filter

from osteolib.phantoms.films import Box
from osteolib.phantoms.rays import FINE, Image, by_length, smooth_noise

COARSE_MM = 3.0  # the values of spots are worked out on a grid of this distance


def between_spots(spots: NDArray, curve_px: NDArray, box: Box, scale: float, soften_mm: float = 5.0) -> list[Image]:
    """Each value of spots at every pixel of a box, by inverse fourth power of the distance.

    Parameters
    ----------
    spots
        Shape (n, 2 + k): the last k columns are values.
    curve_px
        Shape (n, 2): where the spots lie, in pixels.

    Returns
    -------
    k images of the box.
    """
    step = max(1.0, COARSE_MM * scale)
    rows, columns = (np.arange(low, high + step, step) for low, high in ((box[1], box[3]), (box[0], box[2])))
    near = (rows[:, None, None] - curve_px[:, 1]) ** 2 + (columns[None, :, None] - curve_px[:, 0]) ** 2
    weight = 1 / (near + (soften_mm * scale) ** 2) ** 2
    weight /= weight.sum(-1, keepdims=True)
    at = [(np.arange(low, high) - low + 0.5) / step for low, high in ((box[1], box[3]), (box[0], box[2]))]
    return [stretch((weight @ value).astype(np.float32), *at) for value in np.asarray(spots, float)[:, 2:].T]


def stretch(grid: Image, rows: NDArray, columns: NDArray) -> Image:
    """Linear between the points of a grid, at fractional rows and columns of it."""
    for axis, at in ((0, rows), (1, columns)):
        low = np.minimum(np.floor(at).astype(int), grid.shape[axis] - 2)
        share = np.expand_dims(at - low, 1 - axis).astype(np.float32)
        grid = grid.take(low, axis) * (1 - share) + grid.take(low + 1, axis) * share
    return grid


def inside_with_holes(curves: Sequence[NDArray], box: Box, scale: float) -> Image:
    """Distance in mm to the nearest of several closed curves, inside the first and outside the others, else 0.

    FINE times the resolution of the box; beyond the box bone goes on, as in :func:`osteolib.phantoms.rays.inside_mm`.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    margin = 12
    drawn = Pillow.new("L", ((box[2] - box[0]) * FINE + 2 * margin, (box[3] - box[1]) * FINE + 2 * margin))
    draw = ImageDraw.Draw(drawn)
    for k, curve in enumerate(curves):
        draw.polygon([tuple(p) for p in ((curve - box[:2]) * FINE + margin - 0.5).tolist()], fill=int(k == 0))
    distance = distance_transform_edt(np.pad(np.asarray(drawn), 1, mode="edge"))
    distance = distance[1 + margin : -1 - margin, 1 + margin : -1 - margin]
    return np.maximum(distance.astype(np.float32) - 0.5, 0) / np.float32(scale * FINE)


def slow_noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> Image:
    """Gaussian noise of SD near 1, smooth over ``sigma`` pixels: drawn on a coarse grid, linear between its points."""
    step = max(1.0, sigma / 2)
    grid = smooth_noise(rng, tuple(int(n / step) + 3 for n in shape), sigma / step)
    return stretch(grid, *((np.arange(n) + 0.5) / step for n in shape))


def draw_lines(lines: Sequence[NDArray], box: Box, width_px: float, blur_px: float) -> Image:
    """Polylines in pixels as an image of the box: 1 on a line, blurred."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    layer = Pillow.new("L", ((box[2] - box[0]) * FINE, (box[3] - box[1]) * FINE))
    draw = ImageDraw.Draw(layer)
    for line in lines:
        draw.line([tuple(p) for p in ((line - box[:2]) * FINE - 0.5).tolist()], 255, max(1, round(width_px * FINE)))
    image = np.asarray(layer.reduce(FINE), np.float32) / 255
    return gaussian_filter(image, blur_px) if blur_px > 0.2 else image


def halved(image: Image) -> Image:
    """Mean over FINE x FINE pixels: :func:`osteolib.phantoms.rays.coarse` but for the last bit, and faster.

    The last bit counts: photons are drawn from it, and a film drawn again must be the same film.
    """
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(image).reduce(FINE))


@cache
def resampled(points: tuple[tuple[float, float], ...], n: int) -> NDArray:
    """n points of a smooth open curve, evenly by length."""
    return CubicSpline(*by_length(np.array(points, float)))(np.linspace(0, 1, n))
