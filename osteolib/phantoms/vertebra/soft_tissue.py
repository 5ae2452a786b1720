"""What lies around a vertebra: discs, cord, muscles, fat, large vessels, and in the chest the lungs; in HU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from osteolib.phantoms.vertebra.anatomy import AHEAD_MM, Array, Shape


def soft_tissue(
    shape: Shape, level: str, fatness: float, n: int, spacing_mm: float, rng: np.random.Generator, q: Array, w: Array
) -> NDArray[np.float32]:
    """HU without bone on the grid of the patch, shape (n, n, n).

    ``fatness`` is 0 for usual people, 1 for an SD more, and knows nothing of BMI; ``q`` and ``w`` are those of a
    :class:`~osteolib.phantoms.vertebra.anatomy.Bone` on this grid. Muscles and vessels are the same in every slice,
    apart from a slow drift.
    """
    line = ((np.arange(n) - (n - 1) / 2) * spacing_mm).astype(np.float32)
    y, x = (line - AHEAD_MM - shape.shift[1])[:, None], (line - shape.shift[0])[None, :]
    a, b, e = shape.a, shape.b, rng.normal(size=14)
    chest = level.startswith("T")
    muscle, fat = 54 + 6 * e[0] - 5 * np.clip(fatness, -2, 2), -104 + 5 * e[1]
    plane = np.full((n, n), fat, np.float32)

    def put(value: float, cx: float, cy: float, rx: float, ry: float) -> None:
        """An ellipse with an edge of a voxel."""
        r = np.sqrt(np.square((x - cx) / rx) + np.square((y - cy) / ry) + 1e-6)
        cover = np.clip((1 - r) * min(rx, ry) / spacing_mm + 0.5, 0, 1)
        plane[:] = plane * (1 - cover) + value * cover

    for side in (-1, 1):
        put(muscle - 4, side * 17, -b - 36 + 2 * e[2], 21 + 2 * e[3], 21 - 2 * fatness)  # erector spinae
        put(muscle - 10, side * 9, -b - 24, 9, 10)  # multifidus
        if chest:
            put(-845 + 20 * e[4], side * (a + 42 + 2 * e[5]), 8 + 3 * e[6], 36, 40)  # lung
            put(muscle, side * (a + 24), -b - 20, 20, 7)  # between the ribs
        else:
            grown = 0.55 + 0.17 * (int(level[1]) - 1)  # the psoas begins at T12 and is thickest at L5
            wide, deep = (np.clip(s * min(grown, 1.2), 5, 24) for s in (14 + 2 * e[4], 17 + 2 * e[5]))
            put(muscle - 6, side * (a + wide + 0.5), -3 + 2 * e[6], wide, deep)
            put(muscle, side * (a + 30), -b - 14, 15, 9)  # quadratus
    if chest:
        put(40 + 4 * e[7], -a * 0.75, b + 3, 11.5, 11.5)  # aorta, at the left
        put(34, a * 0.5, b + 9, 12, 8)  # oesophagus and veins
    else:
        put(42 + 4 * e[7], -6 + 3 * e[8], b + 10, 9, 9)
        put(38, 13 + 3 * e[9], b + 9, 11, 8)
    put(-55 + 10 * e[10], 0, -b - 9.5, shape.canal, 8.5)  # fat of the canal
    put(24 + 4 * e[11], 0, -b - 7.5, shape.canal * 0.82, 6.6)  # dural sac
    drift = gaussian_filter(rng.standard_normal((n, n, n), np.float32), 3.0 / spacing_mm, truncate=2)
    muscly = np.clip((plane + 60) / 80, 0, 1) * (plane > -200)
    volume = plane + drift * (9 / drift.std()) * muscly
    # between two bodies the disc, and around them a thin ligament
    disc = np.clip((1.04 - q) * min(a, b) / spacing_mm, 0, 1) * (np.abs(w) > shape.h / 2 - shape.dish - 1.5)
    around = np.clip((1.10 - q) * min(a, b) / spacing_mm, 0, 1)
    volume = volume * (1 - around) + around * 45
    return (volume * (1 - disc) + disc * (78 + 6 * e[12] + 14 * np.clip(q, 0, 1))).astype(np.float32)
