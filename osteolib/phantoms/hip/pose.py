"""How a pelvis and its femurs lie on a film: millimetres of the drawn hip to pixels, and each femur's own shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteolib.phantoms.films import Box
from osteolib.phantoms.hip.shapes import HEAD, HEAD_RADIUS, NECK_BASE, SHAFT_AXIS
from osteolib.phantoms.rays import Image

SIDES = ("right", "left")
ALONG_NECK = np.subtract(NECK_BASE, HEAD) / np.hypot(*np.subtract(NECK_BASE, HEAD))
ACROSS_NECK = np.array([ALONG_NECK[1], -ALONG_NECK[0]])  # to the greater trochanter


@dataclass(frozen=True)
class HipPose:
    """Where a pelvis lies in its image of ``shape`` pixels: ``centre`` between the heads in pixels, ``scale`` in pixels
    per mm of the drawn pelvis, ``angle`` in radians; ``turn``, by how much the right half is narrower than drawn and
    the left wider (a pelvis that is turned); ``tilt``, by how much the part below the heads is longer and that above
    shorter.
    """

    shape: tuple[int, int]
    centre: tuple[float, float]
    scale: float
    angle: float = 0.0
    turn: float = 0.0
    tilt: float = 0.0

    def to_pixels(self, points: NDArray, side: str, bony: bool = True) -> NDArray:
        """(x, y) of the drawn hip of one side to (column, row); a femur (``bony`` false) is moved but not deformed."""
        x, y = np.asarray(points, float)[:, 0], np.asarray(points, float)[:, 1]
        wide = 1 + self.turn * (1 if side == "left" else -1)
        x = x * wide if bony else x + HEAD[0] * (wide - 1)
        y = y * (1 + self.tilt * np.tanh(y / 60)) if bony else y
        x = x if side == "left" else -x
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.column_stack([x * c - y * s, x * s + y * c]) * self.scale + self.centre

    def to_hip(self, box: Box, side: str) -> tuple[Image, Image]:
        """x and y of the drawn pelvis at the pixels of a box (x0, y0, x1, y1)."""
        c, s = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        u = ((np.arange(box[0], box[2]) + 0.5 - self.centre[0]) / self.scale).astype(np.float32)[None, :]
        v = ((np.arange(box[1], box[3]) + 0.5 - self.centre[1]) / self.scale).astype(np.float32)[:, None]
        x, y = (c * u + s * v) * (1 if side == "left" else -1), c * v - s * u
        wide = np.float32(1 + self.turn * (1 if side == "left" else -1))
        return x / wide, y / (1 + np.float32(self.tilt) * np.tanh(y / 60))


def smooth_step(x: NDArray) -> NDArray:
    """0 below 0, 1 above 1, smooth between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


@dataclass(frozen=True)
class FemurShape:
    """What makes one femur of the drawn one. Angles in degrees; the head keeps its place in the socket.

    ``rotation``: outwards (+) or inwards from the position in which the neck lies in the plane of the film: the neck is
    seen shorter by its cosine, the lesser trochanter stands out further. ``neck_shaft``: degrees more than 128.
    ``neck_width``: factor. ``spread``: degrees that the leg lies to the side.
    """

    rotation: float = 0.0
    neck_shaft: float = 0.0
    neck_width: float = 1.0
    spread: float = 0.0

    def move(self, points: NDArray) -> NDArray:
        """Drawn (x, y) to those of this femur, same shape."""
        p = np.array(points, float)[:, :2]
        head, base = np.array(HEAD), np.array(NECK_BASE)
        t, n = (p - head) @ ALONG_NECK, (p - head) @ ACROSS_NECK
        # a wider or narrower neck, not head nor trochanters
        on_neck = smooth_step((t - 8) / 14) * smooth_step((46 - t) / 14) * smooth_step((34 - np.abs(n)) / 8)
        p = p + (on_neck * n * (self.neck_width - 1))[:, None] * ACROSS_NECK
        # a leg turned about its axis: head and neck go round it
        axis = np.array(SHAFT_AXIS, float)
        shaft = axis[0, 0] + (axis[1, 0] - axis[0, 0]) * p[:, 1] / axis[1, 1]
        short = 1 - np.cos(np.radians(self.rotation))
        near_head = smooth_step((HEAD_RADIUS + 8 - np.hypot(*(p - head).T)) / 8)
        shrink = short * (near_head * (axis[0, 0] - HEAD[0]) + (1 - near_head) * np.clip(shaft - p[:, 0], 0, 60))
        p[:, 0] += shrink * smooth_step((70 - t) / 20)
        lesser = np.exp(-(((p[:, 0] - 101) / 8) ** 2) - ((p[:, 1] - 64) / 9) ** 2)
        p[:, 0] -= lesser * 0.16 * np.clip(self.rotation, -25, 40)
        # the angle between neck and shaft
        turned = np.radians(self.neck_shaft) * smooth_step((44 - t) / 30)
        c, s = np.cos(turned), np.sin(turned)
        d = p - base
        p = base + np.column_stack([c * d[:, 0] - s * d[:, 1], s * d[:, 0] + c * d[:, 1]])
        # back into the socket, and the leg to the side
        at = self._head_at(short)
        angle = np.radians(-self.spread)
        c, s = np.cos(angle), np.sin(angle)
        d = p - at
        return head + np.column_stack([c * d[:, 0] - s * d[:, 1], s * d[:, 0] + c * d[:, 1]])

    def _head_at(self, short: float) -> NDArray:
        x = np.array([HEAD[0] + short * (SHAFT_AXIS[0][0] - HEAD[0]), HEAD[1]]) - NECK_BASE
        c, s = np.cos(np.radians(self.neck_shaft)), np.sin(np.radians(self.neck_shaft))
        return np.add(NECK_BASE, (c * x[0] - s * x[1], s * x[0] + c * x[1]))
