"""Millimetres of tissue along the rays through one knee, seen from the front.

A bone is a closed smooth outline with the ray lengths of :mod:`osteolib.phantoms.rays`. What lies deeper than the
cortex, d - t with D - t, is spongy bone; the difference is cortex, so that rims shine where rays graze it.

Coordinates are those of :mod:`osteolib.phantoms.knee.shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from osteolib.phantoms.knee.shapes import BONES, LEG, Bone
from osteolib.phantoms.rays import (
    Image,
    along,
    by_length,
    chord,
    closed_curve,
    coarse,
    fine,
    inside_mm,
    sheet,
    smooth_noise,
)

SPONGE = 0.15  # mineral of the densest spongy bone at density 1, as a volume fraction of cortical bone
ROI_Y = {"femur": (-45, -4), "tibia": (10, 45)}  # the bands of spongy bone beside the joint
ROI_RIM_MM = 4.0  # kept from the outline: no cortex in the region


@dataclass(frozen=True)
class Pose:
    """Where a knee lies in its image of ``shape`` pixels: joint centre in pixels, scale in pixels per mm of the average
    knee, angle in radians, lateral to the image's right (+1, a left knee) or left (-1), varus angle of the tibia.
    """

    shape: tuple[int, int]
    centre: tuple[float, float]
    scale: float
    angle: float
    lateral: int
    varus: float

    def to_pixels(self, points: NDArray, distal: bool) -> NDArray:
        """(x, y) of the average knee to (column, row)."""
        angle = self.angle + (self.varus if distal else 0.0)
        x, y = points[:, 0] * self.lateral, points[:, 1]
        c, s = np.cos(angle), np.sin(angle)
        return np.column_stack([x * c - y * s, x * s + y * c]) * self.scale + self.centre

    def to_knee(self, box: tuple[int, int, int, int], distal: bool) -> tuple[Image, Image]:
        """x and y of the average knee at the pixels of a box (x0, y0, x1, y1)."""
        angle = self.angle + (self.varus if distal else 0.0)
        c, s = np.cos(angle), np.sin(angle)
        u = ((np.arange(box[0], box[2]) + 0.5 - self.centre[0]) / self.scale).astype(np.float32)[None, :]
        v = ((np.arange(box[1], box[3]) + 0.5 - self.centre[1]) / self.scale).astype(np.float32)[:, None]
        return (np.float32(c) * u + np.float32(s) * v) * self.lateral, np.float32(c) * v - np.float32(s) * u


def knee(
    pose: Pose, latent: Mapping[str, float], rng: np.random.Generator
) -> tuple[dict[str, Image], NDArray[np.uint8]]:
    """Tissue along the rays of one knee.

    Parameters
    ----------
    latent
        ``density`` (of spongy bone, 1 in young adults), ``cortical_thickness_mm``, ``joint_space_mm``, ``bone_scale``
        (size relative to the average knee), ``fat_mm`` (subcutaneous), ``muscle_scale``.

    Returns
    -------
    Thickness in mm of ``cortical``, ``soft`` and ``fat``, each of ``pose.shape``; and a mask with bit 1 bone, bit 2
    the periarticular region: spongy bone of distal femur and proximal tibia.
    """
    tissue = soft_tissue(pose, latent, rng)
    mask = np.zeros(pose.shape, np.uint8)
    for name, bone in BONES.items():
        placed = place(bone, name, pose, latent, rng)
        if placed is None:
            continue
        box, cortex, sponge, region = placed
        window = np.s_[box[1] : box[3], box[0] : box[2]]
        size = np.float32(latent["bone_scale"])
        mineral, marrow = sponge
        tissue["cortical"][window] += (cortex + mineral) * size
        tissue["fat"][window] += marrow * size
        # bone takes the place of muscle, at the rim of a thin leg of whatever is there
        tissue["soft"][window] = np.maximum(tissue["soft"][window] - (cortex + mineral + marrow) * size, 0)
        mask[window] |= region
    return tissue, mask


def place(bone: Bone, name: str, pose: Pose, latent: Mapping[str, float], rng: np.random.Generator) -> tuple | None:
    """One bone in its own box: (box, cortex, (mineral, marrow of spongy bone), mask), None where it is off the film."""
    distal = name in ("tibia", "fibula")
    outline = np.array(bone.outline, float)
    outline += rng.normal(0, 0.5, outline.shape) + rng.normal(0, 0.012, 2) * outline  # no two knees are alike
    shift = np.array([0.0, latent["joint_space_mm"] - 5.0]) if distal else np.zeros(2)
    if name == "patella":
        shift = np.append(rng.normal(0, 2.5), rng.normal(0, 5))
    curve = pose.to_pixels(closed_curve(outline + shift), distal)
    (x0, y0), (x1, y1) = np.floor(curve.min(0)).astype(int) - 2, np.ceil(curve.max(0)).astype(int) + 3
    box = (max(x0, 0), max(y0, 0), min(x1, pose.shape[1]), min(y1, pose.shape[0]))
    if box[0] >= box[2] - 2 or box[1] >= box[3] - 2:
        return None
    inside = inside_mm(curve, box, pose.scale)
    x, y = pose.to_knee(box, distal)
    y = y - np.float32(shift[1])
    # distances are in mm of the average knee, as the thickness tables are
    shaft = np.float32(latent["cortical_thickness_mm"] / latent["bone_scale"])
    uneven = 1 + 0.18 * smooth_noise(rng, y.shape, 14 * pose.scale)  # a cortex is nowhere of one thickness
    t = along(bone.cortex, y) * shaft * uneven.clip(0.5)
    depth, p = along(bone.depth, y), along(bone.roundness, y)
    outer, inner = chord(inside, fine(depth), fine(p)), chord(inside - fine(t), fine(depth - t), fine(p))
    if name == "femur":  # between the condyles rays pass through the notch
        notch = np.exp(-(((x - 1) / 13) ** 4) - ((y + 4) / 17) ** 4)
        outer, inner = outer * fine(1 - 0.42 * notch), inner * fine(1 - 0.42 * notch)
    outer, inner = coarse(outer), coarse(inner)
    density = np.float32(latent["density"])
    fraction = SPONGE * density * along(bone.sponge, y) * struts(rng, x, y, pose.scale, density)
    cortex = np.maximum(outer - inner, 0)
    for points, width, amount in bone.lines:
        cx, cy = CubicSpline(*by_length(np.array(points, float)))(np.linspace(0, 1, 60)).T
        cortex += sheet(x, y, cx, cy, width, amount) * (inner > 0) * np.float32(min(1.5, shaft / 4.5))
    depth_inside = coarse(inside)
    region = (outer > 0.5).astype(np.uint8)
    if name in ROI_Y:
        low, high = ROI_Y[name]
        region |= 2 * ((depth_inside > ROI_RIM_MM) & (y > low) & (y < high)).astype(np.uint8)
    fraction = np.minimum(fraction, 0.9)
    return box, cortex, (inner * fraction, inner * (1 - fraction)), region


def struts(rng: np.random.Generator, x: Image, y: Image, scale: float, density: float) -> Image:
    """Relative mineral of spongy bone around 1: struts along the load, ties across, patches; fewer where thin."""
    shape = y.shape
    vertical = smooth_noise(rng, shape, (1.5 * scale, 0.28 * scale))
    across = smooth_noise(rng, shape, (0.3 * scale, 0.8 * scale))
    patches = smooth_noise(rng, shape, 6 * scale)
    contrast = 0.11 / max(density, 0.5) ** 0.7  # ties are lost first: what remains stands out
    return np.exp(contrast * vertical + 0.6 * contrast * density * across + 0.12 * patches)


def soft_tissue(pose: Pose, latent: Mapping[str, float], rng: np.random.Generator) -> dict[str, Image]:
    """Skin, fat and muscle of the leg without bone, in mm along the rays; ``cortical`` is zero."""
    x, y = pose.to_knee((0, 0, pose.shape[1], pose.shape[0]), False)
    rows, lateral, medial = np.array(LEG, float).T
    fat, muscle, size = latent["fat_mm"], latent["muscle_scale"], latent["bone_scale"]
    wobble = rng.normal(0, 0.03, (2, rows.size))
    near = 1 - 0.45 * np.exp(-((rows / 45) ** 2))  # fat and muscle are thin around the joint
    out = [side * (1 + (muscle - 1) * near + noise) for side, noise in zip((lateral, medial), wobble, strict=True)]
    edges = [CubicSpline(rows, side)(np.clip(y, -330, 340)).astype(np.float32) for side in out]
    layer = np.interp(y, rows, fat * near * np.where(rows < -40, 1.35, 0.9)).astype(np.float32) / np.float32(size)
    halves = (edges[0] + edges[1]) / 2
    centre = (edges[0] - edges[1]) / 2 + np.float32(rng.normal(0, 2))
    along_ray = np.float32(0.98)  # a leg is about as deep as it is wide
    paths = []
    for grown in (layer + 2.0, layer, 0 * layer):  # skin of 2 mm, fat, muscle within its fascia
        radius = halves + grown
        rest = 1 - np.minimum(np.abs((x - centre) / radius), 1) ** 2.2
        paths.append(2 * along_ray * radius * np.sqrt(rest))
    skin, under, flesh = (p * np.float32(size) for p in paths)
    planes = sum(_fat_plane(rng, x, y, centre, halves) for _ in range(6))
    streaks = 1 + 0.02 * smooth_noise(rng, y.shape, (9 * pose.scale, 1.2 * pose.scale))
    streaks += 0.03 * smooth_noise(rng, y.shape, 14 * pose.scale)
    between = np.minimum(planes, 0.3) * flesh
    meat = (flesh - between) * streaks
    return {"cortical": np.zeros(pose.shape, np.float32), "soft": skin - under + meat, "fat": under - meat}


def _fat_plane(rng: np.random.Generator, x: Image, y: Image, centre: Image, halves: Image) -> Image:
    """Share of fat in a plane between two muscles: a slanting, curved stripe over part of the leg."""
    at, slope, bend = rng.uniform(-0.95, 0.95), rng.normal(0, 0.0025), rng.normal(0, 1.2e-5)
    middle, reach = rng.choice([-1, 1]) * rng.uniform(55, 170), rng.uniform(30, 70)
    f = centre + halves * (at + slope * (y - middle) + bend * (y - middle) ** 2)
    width, amount = rng.uniform(1.2, 3.5), rng.uniform(0.03, 0.14)
    return np.float32(amount) * np.exp(-0.5 * ((x - f) / width) ** 2 - (((y - middle) / reach) ** 4).clip(0, 50))
