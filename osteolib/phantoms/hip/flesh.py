"""Skin, fat and muscle of the pelvis and the thighs in mm along the rays, and gas in the bowel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter

from osteolib.phantoms.films import box_of
from osteolib.phantoms.hip.fields import draw_lines, resampled, slow_noise, stretch
from osteolib.phantoms.hip.pose import SIDES, HipPose
from osteolib.phantoms.hip.shapes import FAT_PLANES, THIGH, TRUNK
from osteolib.phantoms.rays import Image, smooth_noise

SKIN_MM = 2.0
FINEST = 1.0  # pixels per mm: skin and muscle are smooth


def soft_tissue(pose: HipPose, latent: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Image]:
    """Thickness in mm of ``soft`` and ``fat`` without bones; ``cortical`` is zero. Each of ``pose.shape``.

    Trunk and thighs are flattened cylinders side by side; fat lies under the skin and in planes between muscles.
    """
    shrink = max(1.0, pose.scale / FINEST)
    shape = tuple(int(np.ceil(n / shrink)) + 1 for n in pose.shape)
    small = HipPose(shape, tuple(np.divide(pose.centre, shrink)), pose.scale / shrink, pose.angle)
    x, y = small.to_hip((0, 0, shape[1], shape[0]), "left")
    g = small.scale
    muscle, size = latent["muscle_scale"], np.float32(latent["bone_scale"])
    fat = latent["fat_mm"] / latent["bone_scale"]
    girth = 1 + 0.6 * (muscle - 1)
    lopsided = float(rng.normal(0, 0.02))
    belly, leg = (float(np.exp(rng.normal(0, sd))) for sd in (0.07, 0.12))  # depth is not width: of this person alone
    flesh = _body(x, y, 0.0, girth, (lopsided, belly, leg))
    under = _body(x, y, fat, girth, (lopsided, belly, leg))
    whole = _body(x, y, fat + SKIN_MM, girth, (lopsided, belly, leg))
    bellies = 1 + 0.009 * smooth_noise(rng, shape, (14 * g, 3 * g)) + 0.01 * slow_noise(rng, shape, 18 * g)
    gluteal = 0.05 * np.exp(-(((np.abs(x) - 95) / 55) ** 2) - ((y + 20) / 60) ** 2)
    inner = 0.92 * flesh * (bellies + gluteal)
    lobules = 1 + 0.018 * slow_noise(rng, shape, 9 * g)
    soft = whole - under + inner
    layer = np.maximum(under - flesh, 0) * lobules + np.maximum(flesh - inner, 0)
    soft, layer = _gas(x, y, g, soft, layer, rng)
    soft, layer = _apron(x, y, fat, soft, layer, rng)
    tissue = {"soft": soft, "fat": layer}
    rows, columns = ((np.arange(n) + 0.5) / shrink - 0.5 for n in pose.shape)
    tissue = {k: stretch(gaussian_filter(part, 0.5 * g) * size, rows, columns) for k, part in tissue.items()}
    tissue["cortical"] = np.zeros(pose.shape, np.float32)
    _planes(pose, tissue, rng, float(size))
    return tissue


def _body(x: Image, y: Image, grown: float, girth: float, own: tuple[float, float, float]) -> Image:
    """Path through trunk and thighs, ``grown`` mm larger all around."""
    lopsided, belly, leg = own
    out = np.float32(1.25 * grown)  # fat lies thicker at the hips than in front
    half_width, half_depth = _tables(TRUNK, y)
    sides = (1 + lopsided * np.tanh(x / 40)) * girth
    share = np.clip(np.abs(x) / (half_width * sides + out), 0, 1)
    near = np.clip(half_depth / 20, 0, 1)
    trunk = 2 * (half_depth * girth * belly + near * grown) * (1 - share**3) ** (1 / 2.2)
    at, half_width, half_depth = _tables(THIGH, y)
    fade = np.clip((y + 60) / 60, 0, 1)
    share = np.clip(np.abs(np.abs(x) - at * (0.5 + 0.5 * girth)) / (half_width * girth + out), 0, 1)
    thigh = 2 * (half_depth * girth * leg + grown) * np.sqrt(1 - share**2) * fade
    return (trunk**5 + thigh**5) ** np.float32(0.2)


def _tables(table: tuple, y: Image) -> list[Image]:
    """Columns of a table by its first, smoothly, at every pixel."""
    rows, *columns = np.array(table, float).T
    at = np.linspace(rows[0], rows[-1], 400)
    return [np.interp(y, at, PchipInterpolator(rows, column)(at)).astype(np.float32) for column in columns]


def _gas(x: Image, y: Image, g: float, soft: Image, fat: Image, rng: np.random.Generator) -> tuple[Image, Image]:
    """Gas and stool in the bowel: blobs in which soft tissue is missing."""
    missing = np.zeros_like(soft)
    rough, stool = slow_noise(rng, soft.shape, 8 * g).clip(-1.3, 1.3), smooth_noise(rng, soft.shape, 2.4 * g)
    spots = [(0.0, -66.0, 15.0, 20.0, 0.7), (66, -118, 18, 32, 0.6), (-70, -112, 16, 34, 0.6), (-38, -78, 18, 12, 0.5),
             (20, -140, 30, 14, 0.5), (0, -20, 11, 16, 0.35)]  # fmt: skip
    for cx, cy, rx, ry, chance in spots:
        for _ in range(rng.integers(1, 4)):
            if rng.random() > chance:
                continue
            u, v = cx + rng.normal(0, 13), cy + rng.normal(0, 16)
            a, b = rx * rng.uniform(0.45, 1.0), ry * rng.uniform(0.4, 0.9)
            lean = rng.normal(0, 0.5)
            dx, dy = x - u, y - v
            r = np.hypot((dx + lean * dy) / a, (dy - lean * dx) / b) * (1 + 0.3 * rough)
            depth = rng.uniform(8, 28) * np.clip(1.15 - r**2, 0, 1) ** 0.75
            mottled = 1 if rng.random() < 0.5 else np.clip(0.3 + 0.45 * stool, 0, 1)
            missing = np.maximum(missing, depth * mottled)
    taken = np.minimum(missing, 0.6 * soft)
    bladder = 12 * np.clip(1 - np.hypot(x / 44, (y + 14) / 26) ** 2, 0, 1) * rng.uniform(0, 1)
    return soft - taken + bladder, fat - 0.8 * np.minimum(bladder, fat)


def _apron(x: Image, y: Image, fat: float, soft: Image, layer: Image, rng: np.random.Generator) -> tuple[Image, Image]:
    """The belly of a heavy person hangs over the upper film: more fat above an arc, and its fold."""
    hang = float(np.clip((fat - 28) / 25, 0, 1)) * rng.uniform(0.5, 1)
    if hang == 0:
        return soft, layer
    edge = -62 + 55 * hang + rng.normal(0, 12) - (x / 170) ** 2 * 30
    over = 1 / (1 + np.exp(np.clip((y - edge) / 4, -50, 50)))
    return soft + 3 * np.exp(-(((y - edge) / 4) ** 2)) * hang, layer + 18 * hang * over * np.clip(
        1.2 - np.abs(x) / 190, 0, 1
    )


def _planes(pose: HipPose, tissue: dict[str, Image], rng: np.random.Generator, size: float) -> None:
    """Stripes of fat between muscles."""
    for side in SIDES:
        for points in FAT_PLANES:
            sway = np.interp(np.linspace(0, 1, 40), np.linspace(0, 1, 5), rng.normal(0, 2, 5))[:, None]
            curve = pose.to_pixels(resampled(points, 40) + rng.normal(0, 4, 2) + sway, side)
            box = box_of(curve, pose.shape, int(12 * pose.scale))
            if box is None:
                continue
            width = rng.uniform(1, 3)
            stripe = draw_lines([curve], box, width * pose.scale, width * 0.5 * pose.scale)
            window = np.s_[box[1] : box[3], box[0] : box[2]]
            moved_mm = np.minimum(np.float32(rng.uniform(5, 16) * size) * stripe, 0.5 * tissue["soft"][window])
            tissue["soft"][window] -= moved_mm
            tissue["fat"][window] += moved_mm
