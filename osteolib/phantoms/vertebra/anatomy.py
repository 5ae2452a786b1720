"""The shape of a vertebra and its neighbours: body, pedicles, laminae, processes, as distances to surfaces in mm.

Axes of every array: (z, y, x) = upwards, forwards, to the right; the patch is centred a little behind the body.
Distances are positive inside. Neighbours above and below repeat the vertebra at the distance of body and disc, so that
a coordinate folded at that distance draws all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
AHEAD_MM = 3.0
"""The body's centre lies so far in front of the patch's."""


@dataclass(frozen=True)
class Shape:
    """Sizes of one vertebra in mm: half-width ``a``, half-depth ``b``, height ``h``, ``pitch`` to the next one."""

    a: float
    b: float
    h: float
    pitch: float
    canal: float
    lumbar: float
    waist: float
    dish: float
    hollow: float
    cortex: float
    tilt: tuple[float, float, float]
    shift: tuple[float, float, float]


@dataclass(frozen=True)
class Bone:
    """What :func:`draw` finds on a grid; distances in mm, positive inside, of shape (n, n, n).

    ``body``, ``posterior`` and ``ribs`` to the surface; ``cell_body`` and ``cell_posterior`` say to which vertebra a
    voxel belongs (0: the one in the middle); ``q`` is 0 in the axis of the body and 1 at its wall; ``u``, ``v``, ``w``
    are coordinates of the vertebra: right, front, up from the body's centre.
    """

    body: Array
    posterior: Array
    ribs: Array | None
    cell_body: NDArray[np.int8]
    cell_posterior: NDArray[np.int8]
    q: Array
    u: Array
    v: Array
    w: Array


def shape_of(levels: Mapping[str, Any], level: str, scale: float, cortex_mm: float, rng: np.random.Generator) -> Shape:
    """Sizes of a vertebra of a level, varied; ``scale`` 1 is the table's."""
    at, e = levels[level], rng.normal(size=12)
    number = list(levels).index(level)
    lumbar = float(np.clip((number - 9) / 4, 0, 1))  # from T10 to L2 one kind of vertebra turns into the other
    grow = scale * np.exp(0.03 * e[:3])
    height = at["height"] * grow[2]
    return Shape(
        a=at["width"] / 2 * grow[0], b=at["depth"] / 2 * grow[1], h=height,
        pitch=height + at["disc"] * scale * np.exp(0.12 * e[3]), canal=(8.2 + 3.3 * lumbar) * scale, lumbar=lumbar,
        waist=0.13 + 0.025 * e[4], dish=(1.1 + 0.9 * lumbar) * np.exp(0.3 * e[5]), hollow=1.6 + 0.5 * e[6],
        cortex=cortex_mm, tilt=tuple(np.radians([5, 4, 3]) * e[7:10]), shift=(1.0 * e[10], 1.5 * e[11], 0.0),
    )  # fmt: skip


def draw(shape: Shape, n: int, voxel_mm: float, rng: np.random.Generator) -> Bone:
    """Distances on a grid of n x n x n voxels."""
    line = ((np.arange(n) - (n - 1) / 2) * voxel_mm).astype(np.float32)
    z, y, x = line[:, None, None], line[None, :, None], line[None, None, :]
    (nod, turn, lean), (dx, dy, _) = shape.tilt, shape.shift
    wobble = _wobble(n, voxel_mm, rng)
    x, y, z = x - dx + turn * y + lean * z, y - AHEAD_MM - dy - turn * x + nod * z, z - lean * x - nod * y
    x = x + wobble[0]
    y = y + wobble[1]
    cell = np.rint(z / shape.pitch)
    w = (z - shape.pitch * cell + wobble[2]).astype(np.float32)
    body, q = _body(shape, x, y, w)
    # processes hang down: their cells are cut along the slope and a little lower
    slope = 0.25 + 0.75 * (1 - shape.lumbar)
    back = np.clip(-y - shape.b - 8, 0, None)
    low = z + slope * back + 0.18 * shape.h
    cell_posterior = np.rint(low / shape.pitch)
    posterior = _posterior(shape, x, y, low - shape.pitch * cell_posterior - 0.18 * shape.h)
    ribs = _ribs(shape, np.abs(x), y, w) if shape.lumbar < 0.7 else None
    return Bone(body, posterior, ribs, cell.astype(np.int8), cell_posterior.astype(np.int8), q, x, y, w)


def _body(s: Shape, x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    """Distance to the surface of the body, and q: a waisted, kidney-shaped column between two hollow endplates."""
    t = np.clip(2 / s.h * w, -1, 1)
    waist = 1 / (1 - s.waist * (1 - t * t))
    u2 = np.square(x * (waist / s.a))
    v = y * (waist / s.b)
    v = np.where(v < 0, v * (1 + (s.hollow / s.b) * np.clip(1.2 - u2, 0, None)), v)
    v2 = v * v
    q = np.sqrt(u2 + v2 - 0.30 * np.minimum(u2, 1) * np.minimum(v2, 1) + 1e-6)
    wall = (1 - q) * q / np.sqrt(u2 / s.a**2 + v2 / s.b**2 + 1e-6)
    plate = s.h / 2 - s.dish * np.clip(1 - q * q, 0, 1) - np.abs(w)
    return _both(wall, plate, 2.0), q


def _posterior(s: Shape, x: Array, y: Array, w: Array) -> Array:
    """Distance to the surface of pedicles, laminae, articular, transverse and spinous processes, behind the body."""
    c, b, h, k = s.canal, s.b, s.h, s.lumbar
    side, depth = np.abs(x), 13.0 + 3 * k
    arch = -b - depth  # where the canal ends
    parts = (
        # ends (x, y, w), radius there, weights of the coordinates (more: thinner that way)
        ((c + 2.2, -b + 4, 0.20 * h), (c + 3.5, -b - 7, 0.16 * h), (4.2, 4.4), (1.2, 1.0, 0.72)),  # pedicle
        ((c + 6.0, -b - 8, 0.52 * h), (c + 3.0, -b - 13, -0.62 * h), (4.2 + k, 5.0 + k), (1.0, 1.05, 1.0)),  # joints
        ((c + 2.5, -b - 11, -0.05 * h), (0.0, arch - 3, -0.22 * h), (3.4, 3.2), (0.85, 1.1, 0.42)),  # lamina
        ((0.0, arch - 3, -0.24 * h), (0.0, arch - 22 - 4 * k, -0.30 * h), (2.6, 3.4), (1.1, 1.0, 0.36)),  # spinous
        (
            (c + 6, -b - 7, 0.08 * h),
            (c + 21 + 11 * k, -b - 17 + 3 * k, 0.14 * h),
            (3.8, 3.0 - 0.6 * k),
            (1.0, 1.1, 0.75),
        ),
    )
    reach = np.full(x.shape, -30, np.float32)
    rows = np.flatnonzero(y.min((0, 2)) < -b + 8)  # nothing of the arch lies further forward
    near = np.s_[:, rows[0] : rows[-1] + 1]
    side, y, w = side[near], y[near], w[near]
    found = reach[near]
    for start, end, radii, weights in parts:
        found = _either(found, _capsule((side, y, w), start, end, radii, weights), 1.5)
    reach[near] = found
    return reach


def _ribs(s: Shape, side: Array, y: Array, w: Array) -> Array:
    """Distance to the surface of the rib that meets the disc above, one on each side."""
    start, end = (s.a + 1, -s.b + 3, 0.5 * s.h), (s.a + 34, -s.b - 20, 0.15 * s.h)
    return _capsule((side, y, w), start, end, (4.2, 4.0), (1.0, 1.0, 0.8))


def _capsule(at: tuple[Array, Array, Array], start, end, radii: tuple[float, float], weights) -> Array:
    """Radius minus distance to a segment, in coordinates stretched by ``weights``."""
    p = np.multiply(start, weights)
    d = np.multiply(end, weights) - p
    rel = [np.float32(k) * c - np.float32(o) for k, c, o in zip(weights, at, p, strict=True)]
    t = np.clip(sum(r * np.float32(k / (d @ d)) for r, k in zip(rel, d, strict=True)), 0, 1)
    apart = sum(np.square(r - np.float32(k) * t) for r, k in zip(rel, d, strict=True))
    return np.float32(radii[0]) + np.float32(radii[1] - radii[0]) * t - np.sqrt(apart)


def _both(p: Array, q: Array, round_mm: float) -> Array:
    """Inside both surfaces, the edge between them rounded."""
    mix = np.clip(0.5 + (q - p) / (2 * round_mm), 0, 1)
    return q + (p - q) * mix - round_mm * mix * (1 - mix)


def _either(p: Array, q: Array, round_mm: float) -> Array:
    """Inside either surface, the corner between them filled."""
    return -_both(-p, -q, round_mm)


def _wobble(n: int, voxel_mm: float, rng: np.random.Generator) -> list[Array]:
    """Three slow waves through the patch, up to about a millimetre, so that nothing is quite symmetric."""
    line = ((np.arange(n) - (n - 1) / 2) * voxel_mm).astype(np.float32)
    waves = []
    for _ in range(3):
        f, phase, height = rng.uniform(0.012, 0.045, 3), rng.uniform(0, 2 * np.pi, 3), rng.normal(0, 0.5, 3)
        z, y, x = (h * np.sin(2 * np.pi * k * line + p) for h, k, p in zip(height, f, phase, strict=True))
        waves.append((z[:, None, None] + y[None, :, None] + x).astype(np.float32))
    return waves
