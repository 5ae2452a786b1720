"""Crop, window and resize a film as the knee paper does (STR-Net, arXiv:2604.20268, Section 2.2).

Threshold and percentiles come from the histogram. For integer pixels that is exact, and much faster than sorting.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Unsigned = NDArray[np.uint8] | NDArray[np.uint16]
MEAN, SD = 0.5, 0.25  # Section 2.2, step 4


def otsu_crop(pixels: Unsigned, margin: float = 0.03, min_foreground: float = 0.10) -> tuple[int, int, int, int]:
    """Box of the foreground by Otsu's threshold, widened by a margin (step 1).

    Parameters
    ----------
    pixels
        Shape (height, width), uint8 or uint16, bright bone.
    margin
        Added on each side, as a fraction of the box's own width and height; the paper does not say of what.
    min_foreground
        Least share of the frame brighter than the threshold; with less, the box is the whole frame.

    Returns
    -------
    (x0, y0, x1, y1) in pixels, ends excluded.
    """
    height, width = pixels.shape
    foreground = pixels > _otsu_threshold(_histogram(pixels))
    if np.count_nonzero(foreground) < max(min_foreground * pixels.size, 1):
        return 0, 0, width, height
    rows, columns = np.flatnonzero(foreground.any(axis=1)), np.flatnonzero(foreground.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    dy, dx = round(margin * (bottom - top)), round(margin * (right - left))
    return max(left - dx, 0), max(top - dy, 0), min(right + dx, width), min(bottom + dy, height)


def normalise_intensity(pixels: Unsigned, low: float = 1, high: float = 99) -> NDArray[np.uint8]:
    """Clip to the percentiles ``low`` and ``high`` and rescale linearly to 0-255 (step 2); an even image becomes 0."""
    bottom, top = _percentiles(_histogram(pixels), (low, high))
    values = np.arange(np.iinfo(pixels.dtype).max + 1)
    table = np.clip((values - bottom) / max(top - bottom, 1e-9), 0, 1) * 255
    return np.rint(table).astype(np.uint8)[pixels]


def resize(pixels: NDArray[np.uint8], size: int = 512) -> NDArray[np.uint8]:
    """Shape (size, size), bilinear over all pixels that a new one covers (step 3); proportions are not kept."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR))


def to_tensor_range(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """0-255 to [-2, 2]: (x / 255 - 0.5) / 0.25 (step 4)."""
    return ((pixels.astype(np.float32) / 255) - np.float32(MEAN)) / np.float32(SD)


def preprocess(pixels: Unsigned, size: int = 512) -> NDArray[np.float32]:
    """All four steps: shape (height, width), uint8 or uint16, to shape (size, size), float32 in [-2, 2]."""
    x0, y0, x1, y1 = otsu_crop(pixels)
    return to_tensor_range(resize(normalise_intensity(pixels[y0:y1, x0:x1]), size))


def _histogram(pixels: Unsigned) -> NDArray[np.int64]:
    """Counts of 0, 1, ... up to the largest value of the type."""
    if pixels.dtype == np.uint8:
        from PIL import Image

        return np.asarray(Image.fromarray(pixels).histogram())  # ten times faster than bincount
    return np.bincount(pixels.ravel(), minlength=np.iinfo(pixels.dtype).max + 1)


def _percentiles(counts: NDArray[np.int64], wanted: tuple[float, ...]) -> list[float]:
    """What ``np.percentile`` gives on the pixels: between two ranks by linear interpolation."""
    ranks = np.cumsum(counts)
    positions = np.asarray(wanted) / 100 * (ranks[-1] - 1)
    below, above = (np.searchsorted(ranks, rank, side="right") for rank in (np.floor(positions), np.ceil(positions)))
    return list(below + (positions - np.floor(positions)) * (above - below))


def _otsu_threshold(counts: NDArray[np.int64]) -> float:
    from skimage.filters import threshold_otsu

    values = np.flatnonzero(counts)
    first, last = int(values[0]), int(values[-1])
    if first == last:
        return first
    return float(threshold_otsu(hist=(counts[first : last + 1], np.arange(first, last + 1))))
