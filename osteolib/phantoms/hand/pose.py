"""How a hand lies on its film: every bone's frame, from angles of the fingers and the forearm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import DISC, FINGERS, SESAMOIDS, SHAFTS, TEMPLATES, WRIST, WRIST_MIDDLE, Shape


@dataclass(frozen=True)
class HandPose:
    """Where a hand lies in its image of ``shape`` pixels: ``centre`` of the capitate in pixels, ``scale`` in pixels per
    mm of the drawn hand, ``angle`` in radians, ``thumb`` to the image's right (+1, a left hand seen from the back) or
    left (-1), ``spread`` in degrees that the five fingers turn to the thumb, ``deviation`` of the forearm in degrees.
    """

    shape: tuple[int, int]
    centre: tuple[float, float]
    scale: float
    angle: float
    thumb: int
    spread: tuple[float, ...] = (0.0,) * 5
    deviation: float = 0.0

    def to_pixels(self, points: NDArray) -> NDArray:
        """(x, y) of the drawn hand to (column, row)."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        x, y = points[:, 0] * self.thumb, points[:, 1]
        return np.column_stack([x * c - y * s, x * s + y * c]) * self.scale + self.centre


class Placed(NamedTuple):
    """A bone in the hand: where u = 0 lies (``base``), the unit vector ``up`` its axis, the size of its units in mm."""

    name: str
    shape: Shape
    base: NDArray
    up: NDArray
    length: float
    width: float

    def to_hand(self, points: NDArray) -> NDArray:
        """(v, u) of the shape to (x, y) of the hand."""
        across = np.array([-self.up[1], self.up[0]])
        return self.base + points[:, :1] * self.width * across + points[:, 1:] * self.length * self.up


def direction(degrees: float) -> NDArray:
    """Unit vector away from the elbow, turned to the thumb."""
    return np.array([np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])


def skeleton(pose: HandPose, space_mm: float) -> dict[str, Placed]:
    """Every bone of the posed hand by name, those of the wrist first; ``space_mm`` is the mean width of a joint."""
    middle, turned = np.array(WRIST_MIDDLE), direction(pose.deviation)
    bones = {}
    for name, shape in WRIST.items():
        base, up = (middle + middle[1] * turned, turned) if name in SHAFTS else (np.zeros(2), direction(0))
        bones[name] = Placed(name, shape, base, up, 1.0, 1.0)
    for finger, (base, chain) in FINGERS.items():
        at, spread = np.array(base, float), pose.spread[finger - 1]
        for rank, (template, length, width, degrees) in enumerate(chain):
            up = direction(degrees + spread * (0.35 if rank == 0 and finger > 1 else 1.0))
            name = f"P{finger}{rank}" if rank else f"M{finger}"
            bones[name] = Placed(name, TEMPLATES[template], at, up, length, width)
            at = at + up * (length + space_mm * (0.35 if rank else 0.75))
    for finger, (v, u), radius in SESAMOIDS:
        bone = bones[f"M{finger}"]
        spot = bone.to_hand(np.array([[v / bone.width, u]]))[0]
        bones[f"S{finger}{v:g}"] = Placed("sesamoid", DISC, spot, bone.up, radius * 1.1, radius)
    return bones
