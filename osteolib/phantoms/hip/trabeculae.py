"""Spongy bone of the proximal femur: the groups of the Singh index as struts along their curves, fading in order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from osteolib.phantoms.films import Box
from osteolib.phantoms.hip.fields import draw_lines, resampled, slow_noise
from osteolib.phantoms.hip.shapes import GROUPS, Group
from osteolib.phantoms.rays import Image, smooth_noise

SPONGE = 0.34  # mineral where it is densest at density 1, as a volume fraction of cortical bone
STEEP = 9.0  # of the loss: how soon a group is gone on either side of its density
BREAK = 0.16  # the lateral half of the principal tensile group goes at a density higher by this: grade 3


def visible(name: str, density: float) -> float:
    """How much of a group is there, 0 to 1, at a density (1 in young adults)."""
    return float(1 / (1 + np.exp(-STEEP * (density - GROUPS[name].half_at))))


def singh_grade(density: float) -> int:
    """Grade 6 (all groups seen) to 1 (the principal compressive group itself is thin), as Singh's rules read here.

    A group counts as seen when at least half of it is there; between grades 4 and 3 the tensile group breaks.
    """
    if visible("secondary tensile", density) >= 0.5 and visible("secondary compressive", density) >= 0.5:
        return 6
    if visible("secondary compressive", density) >= 0.5 or visible("greater trochanter", density) >= 0.5:
        return 5
    if density >= GROUPS["principal tensile"].half_at + BREAK / 2:
        return 4
    if visible("principal tensile", density) >= 0.5:
        return 3
    return 2 if visible("principal compressive", density) >= 0.5 else 1


def spongy(
    density: float,
    share: Image,
    px: Callable[[NDArray], NDArray],
    box: Box,
    scale: float,
    rng: np.random.Generator,
) -> Image:
    """Mineral of spongy bone in units of the densest at density 1.

    Parameters
    ----------
    share
        What lies everywhere, without the groups: :data:`~osteolib.phantoms.hip.shapes.FEMUR_INSIDE`.
    px
        Drawn (x, y) to pixels.
    """
    shape = share.shape
    fine_net = smooth_noise(rng, shape, max(0.22 * scale, 0.5)) + smooth_noise(rng, shape, max(0.5 * scale, 0.6))
    patches = slow_noise(rng, shape, 4 * scale)
    contrast = np.float32(0.16 / max(density, 0.5) ** 0.7)
    mineral = np.float32(0.62) * share * np.exp(contrast * fine_net + 0.13 * patches)
    for name, group in GROUPS.items():
        seen = visible(name, density)
        later = seen if name != "principal tensile" else visible(name, density - BREAK)
        mineral += np.float32(group.amount) * bundle(group, px, box, scale, rng, (later, seen))
    return np.float32(density) * mineral


def bundle(
    group: Group,
    px: Callable[[NDArray], NDArray],
    box: Box,
    scale: float,
    rng: np.random.Generator,
    strength: tuple[float, float],
) -> Image:
    """Struts of one group and the haze between them, 1 on a strut of full strength.

    ``strength`` at the beginning and at the end of the edges.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    n = 36
    a, b = (resampled(edge, n) for edge in group.edges)
    struts, ends = [], []
    for k in range(group.struts):
        at = (k + 0.5) / group.struts + rng.normal(0, 0.3 / group.struts)
        sway = np.interp(np.arange(n), np.linspace(0, n - 1, 7), rng.normal(0, 0.3 / group.struts, 7))
        struts.append(a + (at + sway)[:, None] * (b - a))
        begin = rng.integers(0, n // 2)
        ends.append((begin, begin + rng.integers(n // 4, n)))
    lines = np.split(px(np.vstack(struts)), group.struts)
    drawn = draw_lines([line[low:high] for line, (low, high) in zip(lines, ends, strict=True)], box, 0.45 * scale,
                       0.3 * scale)  # fmt: skip
    band = Pillow.new("L", (box[2] - box[0], box[3] - box[1]))
    outline = px(np.vstack([a, b[::-1]])) - box[:2]
    ImageDraw.Draw(band).polygon([tuple(p) for p in outline.tolist()], fill=1)
    haze = gaussian_filter(np.asarray(band, np.float32), 1.8 * scale)
    if strength[0] == strength[1]:
        amount = np.float32(strength[0])
    else:
        middle = px((a + b) / 2) - box[:2]
        v, u = np.ogrid[: haze.shape[0], : haze.shape[1]]
        first, last = middle[3], middle[n // 2]
        along = ((u - first[0]) * (last - first)[0] + (v - first[1]) * (last - first)[1]) / ((last - first) ** 2).sum()
        amount = (strength[0] + (strength[1] - strength[0]) * np.clip(along, 0, 1)).astype(np.float32)
    return amount * haze * (np.float32(0.75) + np.float32(0.45) * drawn)
