"""How like real films are simulated ones? Measures of one prepared film, and where a phantom leaves the real spread.

Each measure is applied to real and simulated films in the same way and needs no mask: a region is found on the picture
itself, by the dark gap between two bones. Nothing here knows which bones; a page gives the rows to look at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.radiograph import normalise_intensity, resize

Image = NDArray[np.uint8]
TEXTURE = ("contrast", "homogeneity", "energy", "correlation")
CORTEX = np.linspace(-1, 1, 81)  # where a profile across a shaft is read: its edges stand at -0.5 and 0.5


class Gap(NamedTuple):
    """A joint: its row and middle column in pixels, and how wide the bones are there, in pixels."""

    row: int
    column: int
    width: float


def radial_spectrum(image: NDArray, n_rings: int = 32) -> tuple[NDArray, NDArray]:
    """Mean power by spatial frequency, whatever the direction.

    Returns
    -------
    Frequency in cycles per pixel, the middle of ``n_rings`` rings up to 0.5, and power relative to the mean over rings;
    the film is tapered first (Hann), or its borders would count as sharp edges.

    Raises
    ------
    ValueError
        The film is too small for as many rings: each side must have more than ``2 n_rings`` pixels.
    """
    height, width = image.shape
    if min(height, width) <= 2 * n_rings:
        raise ValueError(f"{n_rings} rings need a film of more than {2 * n_rings} pixels a side, not {image.shape}")
    taper = np.hanning(height)[:, None] * np.hanning(width)
    even = np.average(image, weights=taper)
    power = np.abs(np.fft.fft2((image - even) * taper)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    ring = (radius * 2 * n_rings).astype(int)
    ring[0, 0] = n_rings  # the mean is no pattern, and what lies beyond 0.5 is not seen in every direction
    mean = (np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel()))[:n_rings]
    return (np.arange(n_rings) + 0.5) / (2 * n_rings), mean / mean.mean()


def spectral_slope(frequency: NDArray, power: NDArray, low: float = 0.05, high: float = 0.4) -> float:
    """Exponent b of power ~ frequency^b between two frequencies: 0 for white noise, -2 where amplitude goes as 1/f."""
    used = (frequency >= low) & (frequency <= high)
    return float(np.polyfit(np.log(frequency[used]), np.log(power[used]), 1)[0])


def grey_histogram(image: Image, n_bins: int = 32) -> NDArray:
    """Share of pixels in ``n_bins`` equal steps of grey from 0 to 255."""
    return np.bincount(image.ravel() // (256 // n_bins), minlength=n_bins) / image.size


def film_measures(image: Image) -> dict[str, float]:
    """Spectrum and grey levels of a film: ``slope``, ``fine`` (log10 of relative power), ``grey``, ``grey_sd``."""
    frequency, power = radial_spectrum(image)
    fine = np.log10(power[frequency > 0.25].mean())
    return {"slope": spectral_slope(frequency, power), "fine": fine, "grey": np.median(image), "grey_sd": image.std()}


def hand_measures(square: Image) -> dict[str, float]:
    """:func:`film_measures` of a square of :func:`brightest_square`, and :func:`texture` of its middle half."""
    near, far = len(square) // 4, 3 * len(square) // 4
    return film_measures(square) | texture(square[near:far, near:far])


def brightest_square(film: NDArray, size: int) -> Image:
    """The square around the brightest piece of a film, windowed between its 1st and 99th percentile, (size, size).

    Of the brightest quarter of the film the largest connected piece P is taken, and a square of side 0.8 sqrt(|P|)
    around its centroid, as far as the film reaches.
    """
    from scipy import ndimage

    step = max(1, round(min(film.shape) / 128))  # the piece is looked for on blocks
    grey = ndimage.uniform_filter(film.astype(float), step)[step // 2 :: step, step // 2 :: step]
    bright = ndimage.binary_opening(grey > np.quantile(grey, 0.75), iterations=2)
    pieces, _ = ndimage.label(bright)
    piece = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    half = 0.4 * step * np.sqrt(piece.sum())
    row, column = (step * k for k in ndimage.center_of_mass(piece))
    rows, columns = (slice(max(0, int(k - half)), int(k + half)) for k in (row, column))
    return resize(normalise_intensity(film[rows, columns]), size)


def find_gap(image: Image, rows: tuple[float, float]) -> Gap:
    """A dark line with something brighter above and below, deepest over a fifth of the width: a joint from the front.

    Parameters
    ----------
    rows
        Where to look, as fractions of the height: what is known of the view.

    Raises
    ------
    ValueError
        No pixel there is darker than what lies above and below.
    """
    from scipy.ndimage import gaussian_filter, uniform_filter1d

    n, reach = len(image), round(len(image) / 32)
    grey = gaussian_filter(image.astype(float), n / 90)
    beside = np.minimum(np.roll(grey, reach, 0), np.roll(grey, -reach, 0))
    depth = np.clip(beside - grey, 0, None) / (grey + 40)  # relative, but not in what is all but black
    depth[: max(int(rows[0] * n), reach)], depth[min(int(rows[1] * n), n - reach) :] = 0, 0
    line = uniform_filter1d(depth, n // 5, axis=1, mode="constant")
    row, best = int(line.max(1).argmax()), line.max()
    if best <= 1e-9:
        raise ValueError(f"no dark gap between rows {rows[0]:.0%} and {rows[1]:.0%} of the film: is it even?")
    # along the gap, one deep stretch must not outweigh the rest, nor noise of the background count
    along = np.clip(depth[row - reach : row + reach + 1].max(0), 0.15 * best, 0.7 * best) - 0.15 * best
    left, right = np.searchsorted(np.cumsum(along) / along.sum(), (0.1, 0.9))
    return Gap(row, int(left + right) // 2, (right - left) / 0.8)


def bone_ends(image: Image, gap: Gap) -> dict[str, tuple[int, int, int, int]]:
    """Boxes (x0, y0, x1, y1) in the bone above and below a gap, ends excluded, within the film.

    From 0.08 to 0.30 of the bone's width away from the gap, and over the middle 60 % of that width.
    """
    height, width = image.shape
    near, far, half = (int(share * gap.width) for share in (0.08, 0.30, 0.30))
    far, half = max(far, near + 6), max(half, 6)  # texture needs pixels
    x0, x1 = max(gap.column - half, 0), min(gap.column + half, width)
    above = (x0, max(gap.row - far, 0), x1, max(gap.row - near, 4))
    below = (x0, min(gap.row + near, height - 4), x1, min(gap.row + far, height))
    return {"above": above, "below": below}


def texture(patch: Image, levels: int = 32) -> dict[str, float]:
    """Haralick's features of neighbouring pixels, mean of four directions (IEEE Trans SMC 3:610, 1973).

    The names are :data:`TEXTURE`; contrast is in squared grey levels of ``levels``.
    """
    from skimage.feature import graycomatrix, graycoprops

    angles = np.arange(4) * np.pi / 4
    pairs = graycomatrix(patch // (256 // levels), [1], angles, levels=levels, symmetric=True, normed=True)
    return {name: float(graycoprops(pairs, name).mean()) for name in TEXTURE}


def shaft_profile(image: Image, row: int, column: int, width: float) -> NDArray:
    """Grey across the shaft near (row, column), read at :data:`CORTEX`: outer edges at -0.5 and 0.5.

    The edges are the pair of a steep rise and a steep fall, 0.16 to 0.6 of ``width`` apart and within 0.42 of it from
    the column. Mean over a few rows; beyond the film the last grey goes on.
    """
    from scipy.ndimage import gaussian_filter1d

    thick = max(len(image) // 64, 1)
    grey = image[max(row - thick, 0) : row + thick + 1].mean(0)
    steep = np.gradient(gaussian_filter1d(grey, len(image) / 128))
    at = np.arange(max(int(column - 0.42 * width), 0), min(int(column + 0.42 * width) + 1, len(grey)))
    apart = at - at[:, None]
    rise, fall = np.clip(steep[at], 0, None)[:, None], np.clip(-steep[at], 0, None)
    gain = np.where((apart >= 0.16 * width) & (apart <= 0.6 * width), rise * fall * np.sqrt(np.abs(apart)), -1)
    left, right = at[list(np.unravel_index(gain.argmax(), gain.shape))]
    return np.interp((left + right) / 2 + CORTEX * (right - left), np.arange(len(grey)), grey)


def cortex(profile: NDArray) -> dict[str, float]:
    """Two numbers of a profile across a shaft.

    ``canal`` is how far grey falls from the cortex to the canal, relative to the fall from the cortex to the tissue
    beside the shaft; ``peaks`` the distance of the two brightest places, in widths of the shaft.
    """
    inside = np.abs(CORTEX) <= 0.5
    sides = [np.flatnonzero(inside & (side * CORTEX > 0.1)) for side in (-1, 1)]
    left, right = (side[profile[side].argmax()] for side in sides)
    bright = (profile[left] + profile[right]) / 2
    middle, beside = profile[np.abs(CORTEX) < 0.1].mean(), profile[np.abs(np.abs(CORTEX) - 0.75) < 0.1].mean()
    return {"canal": (bright - middle) / max(bright - beside, 1), "peaks": CORTEX[right] - CORTEX[left]}


def inside_range(real: pd.DataFrame, phantom: pd.DataFrame, n_boot: int, seed: int) -> pd.DataFrame:
    """Which share of the phantom lies within the 5-95 % range of the real films, measure by measure.

    Parameters
    ----------
    real, phantom
        One row per person, the same columns: one per measure.

    Returns
    -------
    Index: the measure. ``real`` and ``phantom`` (medians) with ``_low`` and ``_high`` (5 % and 95 %); ``share`` with
    ``ci_low`` and ``ci_high`` (95 %, people of both resampled); ``verdict``: ``inside`` where the share is at least
    0.8, ``outside`` where it is under 0.5, ``partly`` between. Two samples of one population share about 0.9.
    """
    rng = np.random.default_rng(seed)

    def share(x: NDArray, y: NDArray) -> NDArray:
        low, high = np.quantile(x, (0.05, 0.95), axis=-1)[..., None]
        return ((y >= low) & (y <= high)).mean(-1)

    rows = {}
    for name in real:
        x, y = real[name].to_numpy(float), phantom[name].to_numpy(float)
        row = {}
        for who, values in (("real", x), ("phantom", y)):
            row[f"{who}_low"], row[who], row[f"{who}_high"] = np.quantile(values, (0.05, 0.5, 0.95))
        drawn = share(rng.choice(x, (n_boot, x.size)), rng.choice(y, (n_boot, y.size)))
        row["share"], (row["ci_low"], row["ci_high"]) = float(share(x, y)), np.quantile(drawn, (0.025, 0.975))
        row["verdict"] = "inside" if row["share"] >= 0.8 else "partly" if row["share"] >= 0.5 else "outside"
        rows[name] = row
    return pd.DataFrame(rows).T.infer_objects()
