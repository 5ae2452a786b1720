"""Millimetres of tissue along the rays through a pelvis and both proximal femurs, seen from the front, and masks.

Rays cross a bone as in :mod:`osteolib.phantoms.rays`: an outline, its depth, a cortex, spongy bone within; the values
of :mod:`osteolib.phantoms.hip.shapes` lie at spots of a bone and are interpolated between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteolib.phantoms.films import box_of, lay_in
from osteolib.phantoms.hip.femur import femur
from osteolib.phantoms.hip.fields import between_spots, draw_lines, halved, inside_with_holes, resampled, slow_noise
from osteolib.phantoms.hip.flesh import soft_tissue
from osteolib.phantoms.hip.pose import SIDES, FemurShape, HipPose
from osteolib.phantoms.hip.shapes import (
    HEAD,
    HEMIPELVIS,
    LINES,
    SACRAL_ARCS,
    SACRUM,
    TRANSVERSE,
    VERTEBRA,
    WALLS,
    Flat,
)
from osteolib.phantoms.hip.trabeculae import SPONGE
from osteolib.phantoms.hip.truth import PELVIS
from osteolib.phantoms.rays import Image, chord, closed_curve, fine, smooth_noise


def pelvis(
    pose: HipPose, people: Mapping[str, Mapping[str, Any]], shapes: Mapping[str, FemurShape], rng: np.random.Generator
) -> tuple[dict[str, Image], NDArray[np.uint8]]:
    """Tissue along the rays of a pelvis with both hips.

    Parameters
    ----------
    people
        Latents of the ``right`` and the ``left`` hip: ``density`` (of spongy bone, 1 in young adults),
        ``cortical_thickness_mm`` (one wall of the femur's shaft), ``bone_scale``, ``fat_mm``, ``muscle_scale``,
        ``joint_space_mm``; and ``obstacle``: where it is ``joint``, head and neck are not there. Of the ``pelvis``
        itself ``density`` and ``cortical_thickness_mm``.
    shapes
        What makes each femur of the drawn one.

    Returns
    -------
    Thickness in mm of ``cortical``, ``soft`` and ``fat``, each of ``pose.shape``; and the mask with the bits of
    :mod:`osteolib.phantoms.hip.truth`, without metal.
    """
    tissue, mask = soft_tissue(pose, people["right"], rng), np.zeros(pose.shape, np.uint8)
    for flat in (VERTEBRA, SACRUM):
        place_flat(flat, "left", pose, people["left"] | people["pelvis"], tissue, mask, rng, 0.6)
    for side in SIDES:
        latent = people[side] | people["pelvis"]
        place_flat(TRANSVERSE, side, pose, latent, tissue, mask, rng, 0.6)
        for flat in (HEMIPELVIS, *WALLS.values()):
            place_flat(flat, side, pose, latent, tissue, mask, rng)
        lines(side, pose, latent, tissue)
        femur(side, pose, people[side], shapes[side], tissue, mask, rng)
    tissue["soft"] = np.maximum(tissue["soft"], 0)
    return tissue, mask


def socket(points: NDArray, space_mm: float) -> NDArray:
    """Outline of the drawn pelvis with its joint space: points beside the head keep their distance from it."""
    d = points - HEAD
    r = np.hypot(*d.T)
    near = np.exp(-(((r - 27.5) / 7) ** 2)) * (points[:, 1] < 20)
    return points + (near * (space_mm - 4.0) / np.maximum(r, 1))[:, None] * d


def place_flat(
    flat: Flat,
    side: str,
    pose: HipPose,
    latent: Mapping[str, Any],
    tissue: dict[str, Image],
    mask: NDArray[np.uint8],
    rng: np.random.Generator,
    firmness: float = 1.0,
) -> None:
    """One bone of the pelvis into the tissue."""
    size = np.float32(latent["bone_scale"])
    space = latent["joint_space_mm"] / latent["bone_scale"]

    def px(points: tuple) -> NDArray:
        drawn = np.array(points, float)
        loose = (np.hypot(*(drawn - HEAD).T) > 32) & (drawn[:, 0] > 4)  # no two are alike, but the socket fits
        drawn = socket(drawn, space) + rng.normal(0, 0.7, drawn.shape) * loose[:, None]
        return pose.to_pixels(closed_curve(drawn), side)

    curves = [px(points) for points in (flat.outline, *flat.holes)]
    box = box_of(curves[0], pose.shape)
    if box is None:
        return
    inside = inside_with_holes(curves, box, pose.scale)
    spots = np.array(flat.inside)
    half, wall, share = between_spots(spots, pose.to_pixels(spots, side), box, pose.scale, 8.0)
    t = wall * np.float32((latent["cortical_thickness_mm"] / 5.5) ** 0.6 / size * firmness)
    t = t * (1 + 0.2 * slow_noise(rng, t.shape, 6 * pose.scale)).clip(0.4)
    half = half * (1 + 0.07 * slow_noise(rng, t.shape, 9 * pose.scale))
    p = np.float32(flat.roundness)
    outer = chord(inside, fine(half), p)
    inner = chord(np.maximum(inside - fine(t), 0), fine(np.maximum(half - t, 0.3)), p)
    outer, inner = halved(outer), halved(inner)
    fraction = SPONGE * np.float32(0.5 * latent["density"]) * share
    net = 0.14 * smooth_noise(rng, t.shape, max(0.4 * pose.scale, 0.5)) + 0.16 * slow_noise(
        rng, t.shape, 3 * pose.scale
    )
    fraction = fraction * np.exp(net)
    fraction = np.minimum(fraction, 0.9)
    for x, y, radius in SACRAL_ARCS if flat is SACRUM else ():
        u, v = pose.to_hip(box, side)
        r = np.hypot(np.abs(u) - x, (v - y) * 1.25) / radius
        fraction = fraction * (1 - 0.75 * np.exp(-(r**4)))
        outer = outer + 1.6 * np.exp(-(((r - 1.05) / 0.14) ** 2)) * (v < y + 1)
    mineral = np.maximum(outer - inner, 0) + inner * fraction
    lay_in(tissue, box, mineral, inner * (1 - fraction), size)
    if firmness == 1:
        mask[box[1] : box[3], box[0] : box[2]] |= np.where(outer > 0.5, PELVIS, 0).astype(np.uint8)


def lines(side: str, pose: HipPose, latent: Mapping[str, Any], tissue: dict[str, Image]) -> None:
    """Edges of the pelvis that a ray grazes: brim, teardrop, roof of the socket."""
    size = np.float32(latent["bone_scale"])
    firm = np.float32((latent["cortical_thickness_mm"] / 5.5) ** 0.6)
    for points, half_width, amount in LINES:
        moved = socket(resampled(points, 40), latent["joint_space_mm"] / latent["bone_scale"])
        curve = pose.to_pixels(moved, side)
        box = box_of(curve, pose.shape, int(6 * pose.scale))
        if box is not None:
            drawn = draw_lines([curve], box, half_width * 2 * pose.scale, half_width * 0.7 * pose.scale)
            ends = np.float32(amount) * firm * drawn
            lay_in(tissue, box, ends, 0 * drawn, size)
