"""What lies in the beam and is no tissue: side marker, ring, plate with screws, cast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteolib.phantoms.hand.pose import HandPose, skeleton

METAL_PER_MM = 5.0  # opaque at these energies; the figure only has to be large


def foreign(film: Mapping[str, Any], pose: HandPose, rng: np.random.Generator) -> NDArray[np.float32]:
    """Optical depth of what is no tissue: side marker, ring, plate with screws, cast."""
    from PIL import Image, ImageDraw

    height, width = pose.shape
    sheet = Image.new("F", (width, height))
    draw, unit = ImageDraw.Draw(sheet), height / 30
    bones = skeleton(pose, film["joint_space_mm"])

    def px(name: str, *points: tuple[float, float]) -> list[tuple[float, float]]:
        scaled = np.array(points, float) / (bones[name].width, 1)  # mm across, share along
        return [tuple(p) for p in pose.to_pixels(bones[name].to_hand(scaled)).tolist()]

    if film["cast"]:
        sides = [(33, 20), (38, -16), (36, -60), (44, -190)], [(-48, -190), (-42, -60), (-38, -16), (-44, 25)]
        draw.polygon(px("radius", *sides[0], *sides[1]), 0.35)
        for side in sides:
            draw.line(px("radius", *side), 0.7, max(1, round(unit / 4)))
    if film["marker"]:
        right = film["side"] == "right"
        # beside the little finger, unless the hand lies there
        on_left = film["x"] > 0.1 or (film["x"] > -0.1 and not right)
        x, y = (0 if on_left else 0.78) * width + rng.uniform(0.04, 0.1) * width, rng.uniform(0.4, 0.75) * height
        r, l_ = ((0, 1), (0, 0), (0.5, 0.05), (0.5, 0.45), (0, 0.5), (0.55, 1)), ((0, 0), (0, 1), (0.5, 1))
        draw.rectangle((x - unit, y - unit, x + 1.8 * unit, y + 2.4 * unit), 0.12)
        draw.line([(x + unit * a, y + unit * b) for a, b in (r if right else l_)], 8.0, max(1, round(unit / 4)))
    if film["ring"]:
        at, half = rng.uniform(0.3, 0.45), rng.uniform(9.5, 11)
        draw.line(px(f"P{rng.choice([3, 4, 4, 4])}1", (-half, at), (half, at)), 6.0, max(1, round(2.5 * pose.scale)))
    if film["plate"]:
        name, length = rng.choice(["M2", "M3", "M4", "M5"]), rng.uniform(0.2, 0.32)
        draw.line(px(name, (0, 0.5 - length), (0, 0.5 + length)), 0.6 * METAL_PER_MM, max(1, round(3.4 * pose.scale)))
        for at in np.linspace(-0.8, 0.8, 5) * length + 0.5:
            draw.line(px(name, (-3.5, at), (3.5, at)), METAL_PER_MM, max(1, round(1.4 * pose.scale)))
    return np.asarray(sheet, np.float32)
