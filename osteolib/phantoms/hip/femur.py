"""One proximal femur in mm along the rays: outline, cortex, spongy bone, and DXA's region of its neck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteolib.phantoms.films import Box, box_of, lay_in
from osteolib.phantoms.hip.fields import between_spots, draw_lines, halved, resampled, slow_noise
from osteolib.phantoms.hip.pose import ACROSS_NECK, ALONG_NECK, FemurShape, HipPose
from osteolib.phantoms.hip.shapes import (
    FEMUR,
    FEMUR_CORTEX,
    FEMUR_INSIDE,
    HEAD,
    HEAD_RADIUS,
    NECK_NARROWEST,
    NECK_ROI_MM,
)
from osteolib.phantoms.hip.trabeculae import SPONGE, spongy
from osteolib.phantoms.hip.truth import FEMUR as FEMUR_BIT
from osteolib.phantoms.hip.truth import NECK
from osteolib.phantoms.rays import Image, chord, closed_curve, fine, inside_mm

CUT = ((107.0, 53.0), (131.0, 3.0))  # an artificial joint: what lies on the midline's side of it is taken out
CRESTS = (  # between the trochanters and on the lesser one: points, mm of mineral
    (((137, 4), (133, 16), (125, 32), (115, 46), (107, 56)), 1.1),
    (((109, 54), (110, 62), (107, 72)), 1.2),
)


def femur(
    side: str,
    pose: HipPose,
    latent: Mapping[str, Any],
    shape: FemurShape,
    tissue: dict[str, Image],
    mask: NDArray[np.uint8],
    rng: np.random.Generator,
) -> None:
    """One femur into the tissue; its bits into the mask."""
    size = np.float32(latent["bone_scale"])

    def px(points: NDArray) -> NDArray:
        return pose.to_pixels(shape.move(points), side, bony=False)

    drawn = np.array(FEMUR, float)
    d = np.hypot(*(drawn - HEAD).T)
    drawn += rng.normal(0, 0.45, drawn.shape) * (d > HEAD_RADIUS + 1)[:, None]
    curve = px(closed_curve(drawn))
    box = box_of(curve, pose.shape)
    if box is None:
        return
    inside = inside_mm(curve, box, pose.scale)
    spots = np.array(FEMUR_INSIDE)
    half, p, share = between_spots(spots, px(spots), box, pose.scale)
    half = np.maximum(half, 1)
    walls = np.array(FEMUR_CORTEX)
    (t,) = between_spots(walls, px(walls), box, pose.scale, 2.5)
    shaft = np.float32(latent["cortical_thickness_mm"]) / size
    t = np.maximum(t * shaft * (1 + 0.14 * slow_noise(rng, t.shape, 10 * pose.scale)).clip(0.5), 0.35)
    t = np.minimum(t, half - 1)
    outer = halved(chord(inside, fine(half), fine(p)))
    inner = halved(chord(np.maximum(inside - fine(t), 0), fine(half - t), fine(p)))
    fraction = np.minimum(SPONGE * spongy(latent["density"], share, px, box, pose.scale, rng), 0.9)
    cortex = np.maximum(outer - inner, 0)
    for points, amount in CRESTS:
        edge = draw_lines([px(resampled(points, 30))], box, 1.6 * pose.scale, 1.0 * pose.scale)
        cortex += np.float32(amount * min(1.5, shaft / 5.5)) * edge * (inner > 0)
    if latent["obstacle"] == "joint":
        kept = _kept(px(np.array(CUT)), px(np.array([HEAD]))[0], box)
        outer, inner, cortex = outer * kept, inner * kept, cortex * kept
    lay_in(tissue, box, cortex + inner * fraction, inner * (1 - fraction), size)
    bits = np.where(outer > 0.5, FEMUR_BIT, 0).astype(np.uint8)
    if latent["obstacle"] != "joint":
        bits |= np.where((outer > 0.5) & neck_region(px, box), NECK, 0).astype(np.uint8)
    mask[box[1] : box[3], box[0] : box[2]] |= bits


def _kept(cut: NDArray, head: NDArray, box: Box) -> NDArray[np.bool_]:
    """Pixels of a box on the other side of a line than the head."""
    (x0, y0), (dx, dy) = cut[0], cut[1] - cut[0]
    u, v = np.arange(box[0], box[2])[None, :] + 0.5, np.arange(box[1], box[3])[:, None] + 0.5
    away = dx * (v - y0) - dy * (u - x0)
    return away * (dx * (head[1] - y0) - dy * (head[0] - x0)) < 0


def neck_region(px: Callable[[NDArray], NDArray], box: Box) -> NDArray[np.bool_]:
    """DXA's region of the femoral neck: a band across the neck where it is narrowest, without the outline."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    near, far = (NECK_NARROWEST + s * NECK_ROI_MM / 2 for s in (-1, 1))
    corners = [
        np.array(HEAD) + t * ALONG_NECK + n * ACROSS_NECK for t, n in ((near, -25), (near, 25), (far, 25), (far, -25))
    ]
    drawn = Pillow.new("L", (box[2] - box[0], box[3] - box[1]))
    ImageDraw.Draw(drawn).polygon([tuple(p) for p in (px(np.array(corners)) - box[:2] - 0.5).tolist()], fill=1)
    return np.asarray(drawn, bool)
