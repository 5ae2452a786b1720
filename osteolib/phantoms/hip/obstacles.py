"""Metal in and about a femur: screws, nails and plates, artificial joints; and the side marker.

All is drawn in the plane of the film, in millimetres of the drawn hip, and moves with its femur.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteolib.phantoms.films import Box, box_of
from osteolib.phantoms.hip.fields import halved
from osteolib.phantoms.hip.pose import ACROSS_NECK, ALONG_NECK, SIDES, FemurShape, HipPose
from osteolib.phantoms.hip.shapes import HEAD, HEAD_RADIUS, SHAFT_AXIS
from osteolib.phantoms.hip.truth import JOINT, SCREW
from osteolib.phantoms.rays import FINE, Image

METAL_PER_MM = 0.55  # attenuation of steel and titanium alloys lies near this at these energies: 10 mm are opaque


def metal(
    pose: HipPose, people: Mapping[str, Mapping[str, Any]], femurs: Mapping[str, FemurShape], rng: np.random.Generator
) -> tuple[Image, NDArray[np.uint8]]:
    """Optical depth of the metal of both hips, and its bits of the mask; ``obstacle`` says which hip has which."""
    depth, mask = np.zeros(pose.shape, np.float32), np.zeros(pose.shape, np.uint8)
    for side in SIDES:
        kind = people[side]["obstacle"]
        if kind == "none":
            continue
        draw = (CANNULATED, NAIL, PLATE)[rng.choice(3, p=(0.3, 0.45, 0.25))] if kind == "screw" else None
        parts = draw(rng) if draw else joint(rng)
        thick, box = painted(parts, pose, side, femurs[side])
        if box is None:
            continue
        window = np.s_[box[1] : box[3], box[0] : box[2]]
        depth[window] += METAL_PER_MM * np.float32(people[side]["bone_scale"]) * thick
        mask[window] |= np.where(thick > 0.8, SCREW if kind == "screw" else JOINT, 0).astype(np.uint8)
    return depth, mask


Part = tuple[NDArray, float]  # a polygon in mm of the drawn hip, mm of metal


def painted(parts: Sequence[Part], pose: HipPose, side: str, femur: FemurShape) -> tuple[Image, Box | None]:
    """Thickness of metal in mm of the drawn hip in a box: the largest of the parts at each pixel."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    curves = [pose.to_pixels(femur.move(points), side, bony=False) for points, _ in parts]
    box = box_of(np.vstack(curves), pose.shape)
    if box is None:
        return np.zeros((0, 0), np.float32), None
    size = ((box[2] - box[0]) * FINE, (box[3] - box[1]) * FINE)
    total = np.zeros(size[::-1], np.float32)
    for curve, (_, mm) in zip(curves, parts, strict=True):
        layer = Pillow.new("L", size)
        ImageDraw.Draw(layer).polygon([tuple(p) for p in ((curve - box[:2]) * FINE - 0.5).tolist()], fill=1)
        total = np.maximum(total, np.asarray(layer) * np.float32(mm))
    return halved(total), box


def rod(start: Sequence[float], end: Sequence[float], width: float, mm: float | None = None) -> Part:
    """A straight piece; by default as deep as wide."""
    a, b = np.array(start, float), np.array(end, float)
    across = width / 2 * np.array([a[1] - b[1], b[0] - a[0]]) / np.hypot(*(b - a))
    points = np.vstack([a + across, (2 * a + b) / 3 + across, (a + 2 * b) / 3 + across, b + across])
    back = np.vstack([b - across, (a + 2 * b) / 3 - across, (2 * a + b) / 3 - across, a - across])
    return np.vstack([points, back]), mm or 0.8 * width


def thread(start: Sequence[float], end: Sequence[float], width: float, pitch: float = 2.6) -> Part:
    """The threaded end of a screw: a rod with teeth."""
    a, b = np.array(start, float), np.array(end, float)
    n = max(3, int(np.hypot(*(b - a)) / pitch))
    along = np.linspace(0, 1, 2 * n + 1)
    half = np.where(np.arange(2 * n + 1) % 2, 0.5, 0.36) * width
    across = np.array([a[1] - b[1], b[0] - a[0]]) / np.hypot(*(b - a))
    middle = a + along[:, None] * (b - a)
    return np.vstack([middle + half[:, None] * across, (middle - half[:, None] * across)[::-1]]), 0.7 * width


def disc(centre: Sequence[float], radius: float, mm: float) -> Part:
    """A circle."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.asarray(centre) + radius * np.column_stack([np.cos(angle), np.sin(angle)]), mm


def on_neck(t: float, n: float = 0.0) -> NDArray:
    """Point t mm from the head's centre along the neck axis, n mm across to the greater trochanter."""
    return np.array(HEAD) + t * ALONG_NECK + n * ACROSS_NECK


def on_shaft(y: float, across: float = 0.0) -> NDArray:
    """Point on the shaft's axis at a height, ``across`` mm to the outside."""
    (x0, _), (x1, y1) = SHAFT_AXIS
    return np.array([x0 + (x1 - x0) * y / y1 + across, y])


def CANNULATED(rng: np.random.Generator) -> list[Part]:
    """Two or three parallel screws up the neck."""
    lean, parts = rng.normal(0, 3), []
    for n in (-9, 0.5, 9)[: rng.integers(2, 4)]:
        n = n + rng.normal(0, 1)
        tip, head = on_neck(-rng.uniform(9, 15), n * 0.8), on_neck(rng.uniform(72, 80), n + lean)
        inner = tip + (head - tip) * 0.2
        parts += [rod(inner, head, 4.8, 3.6), thread(tip, inner, 6.8), rod(head, head - (tip - head) * 0.035, 8, 6)]
    return parts


def NAIL(rng: np.random.Generator) -> list[Part]:
    """A nail in the shaft with a screw into the head, long or short."""
    top, thick = on_shaft(-6, -0.5), rng.uniform(10, 12)
    bend, end = on_shaft(62, 0), on_shaft(rng.choice([165, 320]), 0)
    side = np.array([7.6, 0.6])
    flare = np.vstack([top - side, on_shaft(62, -thick / 2), on_shaft(62, thick / 2), top + side])
    tip, out = on_neck(-rng.uniform(11, 16), rng.normal(0, 1.5)), on_neck(rng.uniform(74, 79), rng.normal(0, 1.5))
    inner = tip + (out - tip) * 0.27
    low = rng.uniform(138, 150)
    parts = [(flare, 12), rod(bend, end, thick, 9), rod(inner, out, 9.5, 8), thread(tip, inner, 10.5, 3.4)]
    if end[1] < 200:
        parts.append(rod(on_shaft(low + 1, -19), on_shaft(low - 1, 21), 4.6, 4.2))
    return parts


def PLATE(rng: np.random.Generator) -> list[Part]:
    """A screw in the neck that slides in the barrel of a plate on the shaft."""
    tip, out = on_neck(-rng.uniform(11, 16)), on_neck(62)
    inner, barrel = tip + (out - tip) * 0.3, on_neck(44)
    holes = rng.integers(3, 5)
    last = 70 + 17 * holes
    top = on_neck(66)
    outer = np.vstack([np.add(top, (-3, -22)), on_shaft(60, 18.2), on_shaft(last + 8, 16.5), on_shaft(last + 8, 21.5),
                       on_shaft(60, 24), np.add(top, (5, -20))])  # fmt: skip
    parts = [rod(inner, barrel, 8, 6.5), thread(tip, inner, 12.5, 3.2), rod(barrel, on_neck(71), 12.6, 9), (outer, 8)]
    for y in last - 17 * np.arange(holes):
        parts.append(rod(on_shaft(y, 23), on_shaft(y + 1, -18.5), 4.4, 4))
    return parts


def joint(rng: np.random.Generator) -> list[Part]:
    """A stem with a head, in a cup fixed to the pelvis or filling the whole socket itself."""
    head = np.array(HEAD) + rng.normal(0, 0.8, 2)
    tip_y, wide = rng.uniform(135, 165), rng.uniform(0.9, 1.1)
    stem = np.vstack([
        on_neck(37, 6), on_neck(45, 9), on_shaft(27, 8.5 * wide), on_shaft(38, 9.8 * wide), on_shaft(75, 6.8 * wide),
        on_shaft(tip_y - 4, 4.4), on_shaft(tip_y), on_shaft(tip_y - 4, -4.4), on_shaft(80, -7.6 * wide),
        on_shaft(60, -11 * wide), on_neck(46, -13), on_neck(39, -7),
    ])  # fmt: skip
    neck = rod(head, on_neck(42, 0), 12.5, 12)
    if rng.random() < 0.45:  # half a joint: its head fills the socket
        return [disc(head, rng.uniform(23.5, 25.5), 30), neck, (stem, 14)]
    lean, outer = np.radians(rng.normal(45, 5)), HEAD_RADIUS + rng.uniform(2, 4.5)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 30) + np.arctan2(-np.cos(lean), -np.sin(lean))
    arc = np.column_stack([np.cos(angle), np.sin(angle)])
    shell = np.vstack([head + outer * arc, head + (outer - rng.uniform(3.5, 5)) * arc[::-1]])
    parts = [(shell, 22), (head + (outer - 4) * arc, 2.2), disc(head, rng.choice([14, 16, 18]), 26), neck, (stem, 14)]
    for k in range(rng.integers(0, 3)):
        start = head + outer * 0.96 * np.array([-0.25 - 0.35 * k, -0.95 + 0.2 * k])
        parts.append(rod(start, start + (start - head) * rng.uniform(0.9, 1.3), 5.2, 4.4))
    return parts


def marker_depth(film: Mapping[str, Any], shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Optical depth of the letter R at the patient's right, or L at the left."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    sheet, unit = Pillow.new("F", shape[::-1]), shape[0] / 34
    right = rng.random() < 0.7
    x = (rng.uniform(0.05, 0.1) if right else rng.uniform(0.87, 0.93)) * shape[1]
    y = rng.choice([rng.uniform(0.06, 0.2), rng.uniform(0.75, 0.9)]) * shape[0]
    r, left = ((0, 1), (0, 0), (0.5, 0.05), (0.5, 0.45), (0, 0.5), (0.55, 1)), ((0, 0), (0, 1), (0.5, 1))
    if film["marker"]:
        draw = ImageDraw.Draw(sheet)
        draw.line(
            [(x + 1.6 * unit * a, y + 2 * unit * b) for a, b in (r if right else left)], 4.0, max(1, round(unit / 3))
        )
    return np.asarray(sheet, np.float32)
