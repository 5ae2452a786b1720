"""Millimetres of tissue along the rays through one hand, seen from the back, and which bone lies where.

Rays cross a bone as in :mod:`osteolib.phantoms.rays`: an outline, its depth, a cortex, spongy bone within.
Shapes are those of :mod:`osteolib.phantoms.hand.shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from osteolib.phantoms.hand.flesh import soft_tissue
from osteolib.phantoms.hand.pose import HandPose, Placed, skeleton
from osteolib.phantoms.hand.shapes import BONES, SHAFTS
from osteolib.phantoms.rays import (
    Image,
    along,
    chord,
    closed_curve,
    coarse,
    fine,
    inside_mm,
    sheet,
    smooth_noise,
)  # fmt: skip

SPONGE = 0.23  # mineral of the densest spongy bone at density 1, as a volume fraction of cortical bone
WALLS = {"M2": 1.0, "M3": 0.96, "M4": 0.98, "M5": 0.92, "M1": 0.86, "radius": 0.64, "ulna": 0.7}
"""Cortical percentage of each shaft in units of that of M2, phalanges 0.9; assumption."""


def hand(
    pose: HandPose, latent: Mapping[str, float], rng: np.random.Generator
) -> tuple[dict[str, Image], NDArray[np.uint8]]:
    """Tissue along the rays of one hand.

    Parameters
    ----------
    latent
        ``density`` (of spongy bone, 1 in young adults), ``cortical_percentage`` (of M2 at mid-shaft, 0 to 1),
        ``joint_space_mm``, ``bone_scale`` (size relative to the drawn hand), ``fat_mm``, ``muscle_scale``.

    Returns
    -------
    Thickness in mm of ``cortical``, ``soft`` and ``fat``, each of ``pose.shape``; and the label map of :data:`BONES`.
    Where two target bones lie over each other, a pixel belongs to the one in which its ray runs longer; carpals, which
    are no target, take nothing away.
    """
    bones = skeleton(pose, latent["joint_space_mm"])
    tissue = soft_tissue(pose, bones, latent, rng)
    longest, labels = np.zeros(pose.shape, np.float32), np.zeros(pose.shape, np.uint8)
    size = np.float32(latent["bone_scale"])
    for bone in bones.values():
        placed = render(bone, pose, latent, rng)
        if placed is None:
            continue
        box, cortex, mineral, marrow = placed
        window = np.s_[box[1] : box[3], box[0] : box[2]]
        path = cortex + mineral + marrow
        tissue["cortical"][window] += (cortex + mineral) * size
        tissue["fat"][window] += marrow * size
        tissue["soft"][window] = np.maximum(tissue["soft"][window] - path * size, 0)
        if bone.name in BONES:
            wins = path > np.maximum(longest[window], 0.5)
            labels[window][wins] = BONES.index(bone.name) + 1
            longest[window] = np.maximum(longest[window], path)
    return tissue, labels


def render(bone: Placed, pose: HandPose, latent: Mapping[str, float], rng: np.random.Generator) -> tuple | None:
    """One bone in its own box: (box, cortex, mineral and marrow of spongy bone), None where it is off the film."""
    shape, long = bone.shape, bone.length > 10
    drawn = closed_curve(np.array(shape.outline, float) * (bone.width, bone.length), 400)
    # no two hands are alike: width, a bow to one side, low waves; nothing of it moves the middle of a shaft's walls
    waves, low = rng.normal(0, (0.03, 0.012, 0.02)), drawn.min(0)
    middle, u = (drawn.max(0) + low)[0] / 2, (drawn[:, 1] - low[1]) / np.ptp(drawn[:, 1])
    drawn[:, 0] += (drawn[:, 0] - middle) * (waves[0] + waves[1] * np.sin(9 * u + rng.uniform(0, 6)))
    drawn[:, 0] += (0.15 * bone.width + waves[2] * bone.length) * 4 * u * (1 - u) * long
    curve = pose.to_pixels(bone.to_hand(drawn / (bone.width, bone.length)))
    (x0, y0), (x1, y1) = np.floor(curve.min(0)).astype(int) - 2, np.ceil(curve.max(0)).astype(int) + 3
    box = (max(x0, 0), max(y0, 0), min(x1, pose.shape[1]), min(y1, pose.shape[0]))
    if box[0] >= box[2] - 2 or box[1] >= box[3] - 2:
        return None
    inside = inside_mm(curve, box, pose.scale)
    across, up = _frame(bone, pose, box)
    u = up / np.float32(bone.length)
    share = latent["cortical_percentage"] * WALLS.get(bone.name, 0.9)
    at, uneven = 0.0, 0.0
    if bone.name in SHAFTS:
        wall = share * SHAFTS[bone.name][0]
    elif long:  # of the width drawn at mid-shaft, so that the share holds there exactly
        sides = drawn[np.flatnonzero(np.diff(drawn[:, 1] > bone.length / 2)), 0]
        wall, at = share * np.ptp(sides) / 2, sides.mean()
        uneven = rng.normal(0.06, 0.05)  # the side of the nutrient artery is thicker, the sum stays what it is
    else:
        wall = 1.2 * latent["cortical_percentage"]
    wall = np.float32(wall)
    uneven = np.float32(uneven) * np.tanh((across - np.float32(at)) / np.float32(0.2 * bone.width))
    t = np.maximum(along(shape.cortex, u) * wall * (1 + uneven), np.float32(0.4))
    deep, p = along(shape.depth, u) * np.float32(bone.width), along(shape.roundness, u)
    outer = coarse(chord(inside, fine(deep), fine(p)))
    inner = coarse(chord(np.maximum(inside - fine(t), 0), fine(np.maximum(deep - t, 0.3)), fine(p)))
    cortex = np.maximum(outer - inner, 0)
    for points in shape.lines:
        cx, cy = np.array(points, float).T * ((bone.width,), (bone.length,))
        grid = np.linspace(cx[0], cx[-1], 40)
        cortex += sheet(across, up, grid, np.interp(grid, cx, cy), 0.4, 0.7) * (inner > 0) * wall ** np.float32(0.5)
    density = np.float32(latent["density"])
    fraction = SPONGE * density * along(shape.sponge, u) * _struts(rng, across, up, pose.scale, density)
    fraction = np.minimum(fraction, 0.9)
    return box, cortex, inner * fraction, inner * (1 - fraction)


def _frame(bone: Placed, pose: HandPose, box: tuple[int, int, int, int]) -> tuple[Image, Image]:
    """mm across (to the thumb) and along a bone at the pixels of a box."""
    c, s = np.cos(pose.angle), np.sin(pose.angle)
    column = (np.arange(box[0], box[2]) + 0.5 - pose.centre[0])[None, :] / pose.scale
    row = (np.arange(box[1], box[3]) + 0.5 - pose.centre[1])[:, None] / pose.scale
    x, y = (c * column + s * row) * pose.thumb - bone.base[0], c * row - s * column - bone.base[1]
    return (bone.up[0] * y - bone.up[1] * x).astype(np.float32), (bone.up[0] * x + bone.up[1] * y).astype(np.float32)


def _struts(rng: np.random.Generator, across: Image, up: Image, scale: float, density: float) -> Image:
    """Relative mineral of spongy bone around 1: struts along the bone and ties between them; fewer where thin."""
    step = min(0.5, 1 / scale)
    low, high = (across.min(), up.min()), (across.max(), up.max())
    shape = tuple(int((h - a) / step) + 3 for a, h in zip(low, high, strict=True))
    along_it = smooth_noise(rng, shape, (0.16 / step, 0.9 / step))
    ties = smooth_noise(rng, shape, (0.4 / step, 0.16 / step))
    patches = smooth_noise(rng, shape, 2.5 / step)
    contrast = 0.13 / max(density, 0.5) ** 0.7  # ties are lost first: what remains stands out
    relative = np.exp(contrast * along_it + 0.8 * contrast * density * ties + 0.06 * patches)
    return map_coordinates(relative, [(across - low[0]) / step, (up - low[1]) / step], order=1, mode="nearest")
