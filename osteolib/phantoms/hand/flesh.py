"""Skin, fat and muscle of a posed hand in mm along the rays: what is painted around the bones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from osteolib.phantoms.hand.pose import HandPose, Placed, direction
from osteolib.phantoms.hand.shapes import ARM, FLESH
from osteolib.phantoms.rays import Image, chord, smooth_noise

SKIN_MM = 1.5
PALM_MM, WEB_MM, WRIST_MM, ARM_MM = 13.0, 11.0, 15.0, 15.5  # half the depth from back to palm
FINEST = 2.2  # pixels per mm: skin and muscle are smooth
PAD = 24  # pixels beyond the film, where the flesh goes on


def soft_tissue(
    pose: HandPose, bones: Mapping[str, Placed], latent: Mapping[str, float], rng: np.random.Generator
) -> dict[str, Image]:
    """Thickness in mm of ``soft`` and ``fat`` of a hand without bones; ``cortical`` is zero. Each of ``pose.shape``.

    Limbs and webs are painted with half their depth; the rays run through them as through a bone
    (:func:`osteolib.phantoms.rays.chord`), by their distance to the skin.
    """
    shrink = max(1.0, pose.scale / FINEST)
    g = pose.scale / shrink
    plump = 1 + 0.5 * (latent["muscle_scale"] - 1) + 0.012 * (latent["fat_mm"] - 2.5)
    body, depth, relief = paint(pose, bones, shrink, plump, rng)
    solid = gaussian_filter(body, 2.2 * g) > 0.5  # rounds the webs
    edge = distance_transform_edt(solid) - distance_transform_edt(~solid)
    inside = np.maximum(gaussian_filter(edge.astype(np.float32), g) / np.float32(g), 0)
    deep = np.maximum(gaussian_filter(depth, 4.5 * g) / np.maximum(gaussian_filter(body, 4.5 * g), 0.05), 3)
    fat = latent["fat_mm"] / latent["bone_scale"]
    whole, under, flesh = (
        chord(np.maximum(inside - np.float32(at), 0), np.maximum(deep - np.float32(at), 0.5), np.float32(2.7))
        for at in (0, SKIN_MM, SKIN_MM + fat)
    )
    bellies = 1 + gaussian_filter(relief, 0.7 * g)
    bellies += 0.02 * smooth_noise(rng, body.shape, (5 * g, 0.7 * g)) + 0.025 * smooth_noise(rng, body.shape, 6 * g)
    soft = whole - under + 0.94 * flesh * bellies
    rows, columns = ((np.arange(n, dtype=np.float32) + 0.5) / shrink + PAD - 0.5 for n in pose.shape)
    size = np.float32(latent["bone_scale"])
    parts = {"soft": soft, "fat": np.maximum(under - flesh, 0) + 0.06 * flesh * bellies}
    tissue = {name: resample(gaussian_filter(part, 0.45 * g) * size, rows, columns) for name, part in parts.items()}
    return tissue | {"cortical": np.zeros(pose.shape, np.float32)}


def paint(
    pose: HandPose, bones: Mapping[str, Placed], shrink: float, plump: float, rng: np.random.Generator
) -> tuple[Image, Image, Image]:
    """Where flesh is (0 or 1), half its depth in mm, and the relative relief of muscle bellies and skin folds."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    size = tuple(int(np.ceil(n / shrink)) + 2 * PAD for n in pose.shape[::-1])
    layers = [Pillow.new("F", size) for _ in range(3)]
    body, depth, relief = (ImageDraw.Draw(layer) for layer in layers)
    circle = np.linspace(0, 2 * np.pi, 28)

    def px(points: Sequence | NDArray) -> list[tuple[float, float]]:
        return [tuple(p) for p in (pose.to_pixels(np.asarray(points, float)) / shrink + PAD).tolist()]

    def fill(points: Sequence | NDArray, deep: float) -> None:
        body.polygon(px(points), 1.0)
        depth.polygon(px(points), deep * plump)

    def limb(a: NDArray, b: NDArray, ra: float, rb: float, deep: float | None = None) -> None:
        normal = plump * np.array([a[1] - b[1], b[0] - a[0]]) / np.hypot(*(b - a))
        fill([a + normal * ra, b + normal * rb, b - normal * rb, a - normal * ra], deep or 0.39 * (ra + rb))
        for at, r in ((a, ra), (b, rb)):
            fill(at + plump * r * np.column_stack([np.cos(circle), np.sin(circle)]), deep or 0.78 * r)

    def spot(name: str, v: float, u: float) -> NDArray:
        return bones[name].to_hand(np.array([[v, u]]))[0]

    for finger, widths in FLESH.items():
        chain = [f"M{finger}", *(f"P{finger}{k}" for k in (1, 2, 3) if f"P{finger}{k}" in bones)]
        joints = [spot(chain[0], 0, 0), *(spot(name, 0, 1) for name in chain)]
        joints[-1] = joints[-1] + bones[chain[-1]].up * (3.2 - widths[-1] * 0.75)
        radii = (*widths, widths[-1])
        for k in range(len(joints) - 1, 0, -1):
            limb(joints[k - 1], joints[k], radii[k - 1], radii[k], PALM_MM if k == 1 else None)
    for a, b in ((2, 3), (3, 4), (4, 5)):  # webs reach towards the middle of the proximal phalanges
        corners = ((f"M{a}", 0), (f"M{a}", 1), (f"P{a}1", 0.36), (f"P{b}1", 0.42), (f"M{b}", 1), (f"M{b}", 0))
        fill([spot(name, 0, u) for name, u in corners], PALM_MM)
    web, thumb, little = spot("M2", 1.5, 0.66), spot("M1", 0, 0), spot("M5", 0, 0)
    fill([spot("M2", 0, 0), web, 0.45 * web + 0.55 * spot("P11", 0, 0), spot("P11", 0, 0.35), thumb], WEB_MM)
    arm = bones["radius"].to_hand(np.array(ARM, float))
    middle = arm.mean(0)
    fill(middle + (arm - middle) * (0.5 + 0.5 * plump, 1), ARM_MM)
    fill([np.add(little, (-13, -9)), arm[-2], arm[1], np.add(thumb, (13, 0)), thumb, little], WRIST_MM)
    for at, shift, radii, lean, rise in (
        (spot("M1", 0, 0.5), (-9, 4), (11, 24), 25, 0.22),  # thenar
        ((spot("M2", 0, 1) + 2 * spot("M1", 0, 1)) / 3, (-3, 6), (9, 15), 40, 0.12),  # first dorsal interosseous
        (spot("M5", 0, 0.5), (-5, 2), (9, 26), -17, 0.15),  # hypothenar
    ):
        up = direction(lean)
        frame = np.array([[-up[1], up[0]], up]) * np.array(radii)[:, None]
        belly = at + shift + np.column_stack([np.cos(circle), np.sin(circle)]) @ frame
        relief.polygon(px(belly), rise * rng.uniform(0.5, 1.3))
    for finger in range(2, 6):  # skin folds over the joints, and between palm and finger
        for name, u in ((f"P{finger}1", 0.97), (f"P{finger}1", 0.42), (f"P{finger}2", 0.98)):
            relief.line(px([spot(name, v, u) for v in (-3, 3)]), rng.normal(-0.04, 0.05), 2)
    return tuple(np.asarray(layer) for layer in layers)


def resample(image: Image, rows: NDArray, columns: NDArray) -> Image:
    """Linear between the pixels, one axis after the other."""
    for axis, at in ((0, rows), (1, columns)):
        low = np.floor(at).astype(int)
        share = np.expand_dims(at - low, 1 - axis).astype(np.float32)
        image = image.take(low, axis) * (1 - share) + image.take(low + 1, axis) * share
    return image
