"""How like a real vertebra is a simulated one? The same measures of both, from HU and the mask of the vertebra."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.realism import TEXTURE, texture
from osteolib.volume import body_core

ACROSS = np.linspace(-1.6, 1.6, 65)
"""Where a profile from right to left is read: the two cortices stand at -1 and 1."""
WINDOW_HU = (-250.0, 450.0)
"""What grey levels of the texture span."""
NAMES = {
    "core": "mean within the body, HU",
    "core_sd": "SD within the body, HU",
    "cortex": "both cortices above the body's mean, HU",
    "outside": "beside the body, HU",
    "fine": "share of power above 0.2 cycles/mm",
    **{name: f"texture: {name}" for name in TEXTURE},
}
"""What each measure is called."""


def core_box(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """The box around the inside of the vertebral body; ValueError for an empty mask."""
    where = np.argwhere(body_core(mask))
    if not len(where):
        raise ValueError("the mask is empty: cut the patch with the map that shows the vertebra")
    return tuple(slice(int(a), int(b) + 1) for a, b in zip(where.min(0), where.max(0), strict=True))


def profile_across(voxels: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """HU from left to right through the middle of the body, mean of a few lines, at :data:`ACROSS`.

    The cortices are the highest point on each side between half of and one and a half times the half-width of the mask.
    """
    z, y, _ = core_box(mask)
    middle, row = (z.start + z.stop) // 2, (y.start + y.stop) // 2
    lines = voxels[middle - 1 : middle + 2, row - 1 : row + 2].mean((0, 1))
    inside = np.flatnonzero(mask[middle, row])
    centre, half = inside.mean(), (len(inside) - 1) / 2
    at = np.arange(len(lines))
    peaks = [
        at[side][lines[side].argmax()] if side.any() else centre + sign * half
        for sign in (-1, 1)
        for side in [(sign * (at - centre) > 0.5 * half) & (sign * (at - centre) < 1.3 * half + 1)]
    ]
    return np.interp(np.mean(peaks) + ACROSS * (peaks[1] - peaks[0]) / 2, at, lines)


def measures(voxels: NDArray[np.float32], mask: NDArray[np.bool_], spacing_mm: float) -> dict[str, float]:
    """The measures of :data:`NAMES` of a patch in HU; voxels of more than 2 mm, or too few of them, have no texture."""
    box = core_box(mask)
    core, profile = voxels[box], profile_across(voxels, mask)
    inside = voxels[body_core(mask)]
    walls = [profile[np.abs(ACROSS - side) < 0.12].max() for side in (-1, 1)]
    found = {
        "core": inside.mean(), "core_sd": inside.std(), "cortex": np.mean(walls) - inside.mean(),
        "outside": profile[np.abs(ACROSS) > 1.3].mean(),
    }  # fmt: skip
    if spacing_mm > 2 or min(core.shape[1:]) < 6:
        return {**dict.fromkeys(NAMES, np.nan), **found}
    low, high = WINDOW_HU
    grey = (255 * ((core - low) / (high - low)).clip(0, 1)).astype(np.uint8)
    slices = [texture(one) for one in grey]
    found |= {name: float(np.mean([one[name] for one in slices])) for name in TEXTURE}
    return found | {"fine": fine_power(core, spacing_mm)}


def axial_power(core: NDArray[np.float32], spacing_mm: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequency in cycles per mm and mean power of axial slices, their means left out, tapered (Hann)."""
    height, width = core.shape[1:]
    taper = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[1:-1]
    even = core - (core * taper).sum((1, 2), keepdims=True) / taper.sum()
    power = (np.abs(np.fft.fft2(even * taper)) ** 2).mean(0)
    return np.hypot(np.fft.fftfreq(height, spacing_mm)[:, None], np.fft.fftfreq(width, spacing_mm)), power


def fine_power(core: NDArray[np.float32], spacing_mm: float, above: float = 0.2) -> float:
    """Share of the power at more than ``above`` cycles per mm; corners, not seen in every direction, are left out."""
    f, power = axial_power(core, spacing_mm)
    seen = f <= 0.5 / spacing_mm
    return float(power[seen & (f > above)].sum() / power[seen].sum())


def radial_power(core: NDArray[np.float32], spacing_mm: float, edges: Sequence[float]) -> NDArray[np.float64]:
    """Mean power in rings of spatial frequency (edges in cycles per mm), relative to the mean over rings."""
    f, power = axial_power(core, spacing_mm)
    rings = np.array([power[(f >= a) & (f < b)].mean() for a, b in pairwise(edges)])
    return rings / rings.mean()


def beside_bone(mask: NDArray[np.integer], reach: int = 4) -> NDArray[np.bool_]:
    """Voxels in no column, along the spine, of the vertebra or ``reach`` voxels around it: no bone but ribs."""
    from scipy.ndimage import binary_dilation

    shadow = binary_dilation((mask > 0).any(0), iterations=reach)
    return np.broadcast_to(~shadow, mask.shape)


def field_statistics(voxels: NDArray[np.float32], mask: NDArray[np.integer]) -> dict[str, float]:
    """What a patch tells without its bones: mean, SD and percentiles of HU beside them, and the noise there.

    The noise along each axis is the median absolute difference of neighbours over 0.954, the SD where noise is normal.
    """
    field = beside_bone(mask)
    hu = voxels[field]
    found = {"mean": hu.mean(), "sd": hu.std()}
    found |= {
        f"p{p}": value for p, value in zip((5, 25, 50, 75, 95), np.percentile(hu, (5, 25, 50, 75, 95)), strict=True)
    }
    for axis, name in enumerate("zyx"):
        n = field.shape[axis]
        both = np.take(field, range(1, n), axis) & np.take(field, range(n - 1), axis)
        found[f"noise_{name}"] = np.median(np.abs(np.diff(voxels, axis=axis)[both])) / 0.954
    return {key: float(value) for key, value in found.items()}


def compare(real: pd.DataFrame, phantom: pd.DataFrame) -> pd.DataFrame:
    """Where real vertebrae lie among simulated ones; rows of :func:`measures` each, measures that all have.

    Returns
    -------
    Index: the measure. ``real`` (median), ``real_low``, ``real_high`` (range, as there are few), ``phantom`` with
    ``phantom_low`` and ``phantom_high`` (median, 5 and 95 %), and ``inside``, the share of real ones between those.
    """
    rows = {}
    for name in real.columns[real.notna().all()]:
        x, y = real[name].to_numpy(float), phantom[name].dropna().to_numpy(float)
        low, middle, high = np.quantile(y, (0.05, 0.5, 0.95))
        rows[name] = {
            "real": np.median(x), "real_low": x.min(), "real_high": x.max(), "phantom": middle, "phantom_low": low,
            "phantom_high": high, "inside": ((x >= low) & (x <= high)).mean(),
        }  # fmt: skip
    return pd.DataFrame(rows).T
