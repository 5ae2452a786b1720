"""Millimetres of bone along rays through a closed smooth outline, and what else both anatomies draw with.

At a distance d inside an outline a ray crosses 2 D (1 - (1 - d/D)^p)^(1/p) of bone, with D half the depth of the bone
from front to back: for p = 2 and D the radius, the chord of a cylinder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import distance_transform_edt, gaussian_filter

Image = NDArray[np.float32]
FINE = 2  # outlines are drawn at twice the resolution and averaged, for smooth edges


def closed_curve(points: NDArray, n: int = 600) -> NDArray:
    """A smooth closed curve through points (k, 2): periodic cubic spline over the root of the chord length."""
    ring = np.vstack([points, points[:1]])
    # centripetal: a spline over the plain length swings out at corners (Lee, Computer-Aided Design 21:363, 1989)
    step = np.sqrt(np.hypot(*np.diff(ring, axis=0).T))
    s = np.append(0, np.cumsum(step))
    return CubicSpline(s, ring, bc_type="periodic")(np.linspace(0, s[-1], n, endpoint=False))


def inside_mm(curve: NDArray, box: tuple[int, int, int, int], scale: float) -> Image:
    """Distance to the outline in mm inside of it, 0 outside; FINE times the resolution of the box."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    margin = 12  # beyond the film a bone goes on: its border there is no outline
    size = ((box[2] - box[0]) * FINE + 2 * margin, (box[3] - box[1]) * FINE + 2 * margin)
    drawn = Pillow.new("L", size)
    corner = np.array(box[:2])
    ImageDraw.Draw(drawn).polygon([tuple(p) for p in ((curve - corner) * FINE + margin - 0.5).tolist()], fill=1)
    filled = np.pad(np.asarray(drawn), 1, mode="edge")
    distance = distance_transform_edt(filled)[1:-1, 1:-1][margin:-margin, margin:-margin]
    return np.maximum(distance.astype(np.float32) - 0.5, 0) / np.float32(scale * FINE)


def chord(d: Image, half_depth: Image, p: Image) -> Image:
    """Path of a ray at distance ``d`` inside an outline: 2 D (1 - (1 - d/D)^p)^(1/p), 2 D from d = D on."""
    share = np.clip(d / half_depth, 0, 1)
    return 2 * half_depth * (1 - (1 - share) ** p) ** (1 / p)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float | tuple[float, float]) -> Image:
    """Gaussian noise of SD 1, smoothed by ``sigma`` pixels."""
    noise = gaussian_filter(rng.standard_normal(shape, np.float32), sigma, mode="wrap", truncate=2.5)
    return noise / max(float(noise.std()), 1e-6)


def sheet(x: Image, y: Image, cx: NDArray, cy: NDArray, width: float, amount: float) -> Image:
    """Mineral of a thin sheet seen edge-on, y = f(x) along increasing x."""
    order = np.argsort(cx)
    f = np.interp(x, cx[order], cy[order], left=1e3, right=1e3).astype(np.float32)
    return np.float32(amount) * np.exp(-0.5 * ((y - f) / width) ** 2)


def along(table: tuple[tuple[float, float], ...], y: Image) -> Image:
    """A table (y, value) interpolated at each pixel."""
    at, value = np.array(table, float).T
    return np.interp(y, at, value).astype(np.float32)


def fine(image: Image) -> Image:
    """Each pixel FINE x FINE times."""
    return image.repeat(FINE, 0).repeat(FINE, 1)


def coarse(image: Image) -> Image:
    """Mean over FINE x FINE pixels."""
    return image.reshape(image.shape[0] // FINE, FINE, -1, FINE).mean((1, 3))


def by_length(points: NDArray) -> tuple[NDArray, NDArray]:
    """Share of the length, 0 to 1, at each of the points (k, 2); and the points."""
    s = np.append(0, np.cumsum(np.hypot(*np.diff(points, axis=0).T)))
    return s / s[-1], points
