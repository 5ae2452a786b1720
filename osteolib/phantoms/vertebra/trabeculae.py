"""Spongy bone as a network: a noise field, stretched along the spine and thresholded, whose spacing follows density.

Level sets of a Gaussian field whose spectrum is a thin shell are sheets and rods about one wavelength apart. Where it
is above a high threshold rods are left, as in thin bone; where its absolute value is small there are plates, as in
dense bone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

STEPS = (45.0, 75.0, 110.0, 150.0, 210.0)
"""Densities in mg/cm3 of hydroxyapatite for which a network is made; a vertebra takes the nearest."""

RESOLVED = 0.6
"""Share of the contrast that is left of struts 0.1 to 0.2 mm thin, which are drawn thicker; set so that the SD within a
real trunk's bodies at 3 mm is met."""


def spacing_mm(density_mg_cm3: float) -> float:
    """Distance of struts, 0.75 to 1.5 mm, wider in thin bone; assumption near histology of the lumbar spine."""
    return float(np.clip(1.55 - 0.0042 * density_mg_cm3, 0.75, 1.5))


def network(density_mg_cm3: float, n: int, voxel_mm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Mineral of a piece of spongy bone relative to its mean, shape (n, n, n), first axis along the spine.

    The same few networks, shifted and mirrored at random; each is periodic.
    """
    step = min(range(len(STEPS)), key=lambda k: abs(np.log(STEPS[k] / density_mg_cm3)))
    tile = _tile(step, n, voxel_mm)
    flips = tuple(slice(None, None, 1 if keep else -1) for keep in rng.random(3) < 0.5)
    return np.roll(tile, rng.integers(0, n, 3), axis=(0, 1, 2))[flips]


@lru_cache(maxsize=2 * len(STEPS))
def _tile(step: int, n: int, voxel_mm: float) -> NDArray[np.float32]:
    """One periodic network at three times the resolution, averaged over blocks of 3 x 3 x 3."""
    density, rng = STEPS[step], np.random.default_rng([31, step])
    fine = _shell(3 * n, voxel_mm / 3, spacing_mm(density), 4.0, rng)
    plates = np.clip((density - 60) / 160, 0, 0.8)  # share of plates among rods; assumption
    share = np.clip(density / 900, 0.05, 0.3)  # of the volume that is bone
    rods = _soft(fine - np.quantile(fine[::3, ::3, ::3], 1 - share))
    sheets = _soft(np.quantile(np.abs(fine[::3, ::3, ::3]), share) - np.abs(fine))
    bone = (1 - plates) * rods / rods.mean() + plates * sheets / sheets.mean()
    bone = bone.reshape(n, 3, n, 3, n, 3).mean((1, 3, 5))
    clumps = _shell(n, voxel_mm, 9.0, 0.7, rng, width=0.8)  # islands of marrow, wider than struts
    bone *= np.exp(0.16 * clumps)
    return (1 + RESOLVED * (bone / bone.mean() - 1)).clip(0).astype(np.float32)


def _soft(x: NDArray) -> NDArray:
    """0 to 1 through 0.5 at x = 0: a strut's edge is not a step in a voxel."""
    return 1 / (1 + np.exp(-x / 0.12))


def _shell(n: int, voxel_mm: float, wave_mm: float, stretch: float, rng: np.random.Generator, width: float = 0.3):
    """Gaussian field, SD 1, with waves of ``wave_mm`` across the spine, which go on along it the further, the larger
    ``stretch`` is; ``width`` is that of the shell of wavelengths, relative.
    """
    from scipy.fft import irfftn

    f = [np.fft.fftfreq(n, voxel_mm), np.fft.fftfreq(n, voxel_mm), np.fft.rfftfreq(n, voxel_mm)]
    across = wave_mm * np.hypot(f[1][:, None], f[2])
    along = stretch * wave_mm * f[0][:, None, None]
    amplitude = (np.exp(-0.5 * ((across - 1) / width) ** 2) * np.exp(-0.5 * along**2)).astype(np.float32)
    amplitude[0, 0, 0] = 0
    white = rng.standard_normal((*amplitude.shape, 2), np.float32)
    field = irfftn(amplitude * (white[..., 0] + 1j * white[..., 1]), s=(n, n, n)).astype(np.float32)
    return field / field.std()
