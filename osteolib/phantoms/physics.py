"""From millimetres of tissue to grey levels: the imaging physics of every phantom.

Beer and Lambert along the ray, at one effective energy: A = sum_i mu_i(E) t_i, primary intensity exp(-A). Then heel
effect, scatter, blur, Poisson and read noise, -log, an unsharp mask as consoles apply it, and the display window.

Left out: beam hardening along the ray (one energy stands for the spectrum), a real scatter kernel (a wide Gaussian of
the primary stands for it), detector lag and grid lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

ENERGIES_KEV = (30.0, 40.0, 50.0, 60.0, 80.0, 100.0)
TISSUES = {  # density in g/cm3, mass attenuation mu/rho in cm2/g at ENERGIES_KEV
    "cortical": (1.920, (1.331, 0.6655, 0.4242, 0.3148, 0.2229, 0.1855)),
    "soft": (1.060, (0.3790, 0.2688, 0.2264, 0.2048, 0.1823, 0.1693)),
    "fat": (0.950, (0.3063, 0.2396, 0.2123, 0.1974, 0.1800, 0.1688)),
}
"""Bone, cortical; tissue, soft; adipose tissue, all ICRU-44. Hubbell and Seltzer, Tables of X-Ray Mass Attenuation
Coefficients, NIST Standard Reference Database 126 (NISTIR 5632, 2004), doi:10.18434/T4D01F, Tables 2 and 4."""


@dataclass(frozen=True)
class Acquisition:
    """Tube and detector of one department, and how its films vary.

    Attributes
    ----------
    energy_kev
        Effective energy of the beam, 30 to 100.
    photons_per_mm2
        Detected behind the soft tissue that the automatic exposure aims at.
    heel
        Relative fall of the intensity across the film, along the tube axis (rows).
    scatter
        Scatter-to-primary ratio at the detector, behind the grid; its Gaussian has an SD of ``scatter_mm``.
    blur_mm
        SD of focal spot and detector together, in the plane of the detector.
    read_noise
        SD in photons per pixel.
    window
        Edges of the display window, in optical depth relative to that of the aimed-at soft tissue.
    detail
        Gain of the unsharp mask whose Gaussian has an SD of ``detail_mm``.
    exposure_sd, window_shift_sd, window_width_sd
        From film to film: SD of log exposure, of the window's centre (in its width), of its log width.
    """

    energy_kev: float
    photons_per_mm2: float
    heel: float
    scatter: float
    scatter_mm: float
    blur_mm: float
    read_noise: float
    window: tuple[float, float]
    detail: float
    detail_mm: float
    exposure_sd: float
    window_shift_sd: float
    window_width_sd: float


def attenuation_per_mm(tissue: str, energy_kev: float) -> float:
    """Linear attenuation of a tissue in 1/mm, log-log interpolated between the tabulated energies.

    Raises
    ------
    ValueError
        The tissue has no table, or the energy lies outside it.
    """
    if tissue not in TISSUES:
        raise ValueError(f"no attenuation for {tissue!r}: there are {', '.join(TISSUES)}")
    if not ENERGIES_KEV[0] <= energy_kev <= ENERGIES_KEV[-1]:
        raise ValueError(f"energy_kev {energy_kev:g} lies outside {ENERGIES_KEV[0]:g} to {ENERGIES_KEV[-1]:g}")
    density, mass = TISSUES[tissue]
    return density * float(np.exp(np.interp(np.log(energy_kev), np.log(ENERGIES_KEV), np.log(mass)))) / 10


def optical_depth(thickness_mm: Mapping[str, NDArray[np.float32]], energy_kev: float) -> NDArray[np.float32]:
    """A = sum_i mu_i t_i: ``thickness_mm`` maps a tissue to its path along each ray, all of one shape."""
    return sum(np.float32(attenuation_per_mm(tissue, energy_kev)) * t for tissue, t in thickness_mm.items())


def expose(
    depth: NDArray[np.float32],
    spacing_mm: float,
    acquisition: Acquisition,
    rng: np.random.Generator,
    exposure: float = 1.0,
    window: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Take a radiograph of an object.

    Parameters
    ----------
    depth
        Shape (height, width): optical depth minus that of the soft tissue which the automatic exposure aims at; 0 gets
        ``photons_per_mm2``.
    spacing_mm
        Distance of pixels.
    exposure
        Factor on the photons that the display does not know of: a film exposed twice as much is darker.
    window
        In place of the acquisition's.

    Returns
    -------
    Shape (height, width), bright bone.
    """
    nominal = acquisition.photons_per_mm2 * spacing_mm**2
    photons = detect(depth, spacing_mm, acquisition, rng, exposure)
    signal = -np.log(np.maximum(photons, 0.5) / np.float32(nominal))
    if acquisition.detail:
        # of an unbounded -log a black background would pull the skin line: the mask sees the shown range only
        bounded = np.clip(signal, *acquisition.window)
        signal += acquisition.detail * (bounded - gaussian_filter(bounded, acquisition.detail_mm / spacing_mm))
    low, high = window or acquisition.window
    # the sigmoid VOI LUT function of DICOM (PS3.3 C.11.2.1.3.1): as steep as the straight window, but it never clips
    grey = 255 / (1 + np.exp(-4 * (signal - (low + high) / 2) / (high - low)))
    return (grey + 0.5).astype(np.uint8)


def detect(
    depth: NDArray[np.float32], spacing_mm: float, acquisition: Acquisition, rng: np.random.Generator, exposure: float
) -> NDArray[np.float32]:
    """Photons counted in each pixel, read noise included; arguments as in :func:`expose`."""
    rows = np.linspace(0.5, -0.5, depth.shape[0], dtype=np.float32)[:, None]
    primary = np.exp(-depth) * (1 + acquisition.heel * rows)
    source = np.minimum(primary, 1)  # the air beside a leg is brighter than the leg, but scatters nothing
    scatter = acquisition.scatter * _wide_blur(source, acquisition.scatter_mm / spacing_mm)
    mean = gaussian_filter((primary + scatter) / (1 + acquisition.scatter), acquisition.blur_mm / spacing_mm)
    photons = mean * (acquisition.photons_per_mm2 * spacing_mm**2 * exposure)
    counted = rng.poisson(photons).astype(np.float32)
    return counted + rng.normal(0, acquisition.read_noise, depth.shape).astype(np.float32)


def _wide_blur(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian of many pixels, on a grid of an eighth: nothing finer survives it."""
    small = gaussian_filter(image[4::8, 4::8], sigma / 8)
    return zoom(small, np.divide(image.shape, small.shape), order=1, grid_mode=True, mode="nearest")
