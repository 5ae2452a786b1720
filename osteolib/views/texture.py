"""Texture maps in place of crops: the pool of views of TP-SwAV (tpswav2025_ct, Section 2.1).

A map holds, at every voxel, one feature of the grey-level co-occurrence matrix (GLCM) of a window around it. Each of
the four features is the mean of a function of a pair of neighbours, so no matrix is ever built: per direction the
function is evaluated once for every pair of the volume, and a map is its moving average.

Source: Haralick et al., IEEE Trans SMC 3:610, 1973; defined as by PyRadiomics 3.0.1 (van Griethuysen et al., Cancer
Research 77:e104, 2017): symmetric matrix, distance 1, every direction normalised by itself and then averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

ORIGINAL = "original"
FEATURES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "autocorrelation": lambda i, j: i * j,
    "joint_average": lambda i, j: (i + j) / 2,
    "contrast": lambda i, j: (i - j) ** 2,
    "difference_average": lambda i, j: (i - j).abs(),
}
"""Of the grey levels of two neighbours: what a map averages. They are symmetric, as the matrix is."""

LEVELS, WINDOW = 32, 5
MAX_LEVELS = 4096  # float32 holds sums of their products well enough; a CT has some 4,000 values
SLAB_VOXELS = 2**19


def texture_maps(
    volume: NDArray | torch.Tensor,
    features: Sequence[str] = tuple(FEATURES),
    levels: int | None = LEVELS,
    window: int = WINDOW,
    *,
    bin_width: float | None = None,
    mask: NDArray | torch.Tensor | None = None,
    slab_voxels: int = SLAB_VOXELS,
) -> dict[str, torch.Tensor]:
    """The texture pool of one image: itself, and a map of each feature.

    Windows are clipped at the border of the image, and with a mask at the border of that: a pair counts if both its
    voxels lie inside. A direction without a pair in a window is left out of its average, a voxel without any is 0.
    (PyRadiomics gives NaN as joint average where one direction is empty, and the mean of the others elsewhere.)

    Parameters
    ----------
    volume
        Shape (height, width) or (depth, height, width), any real type; HU for CT. A tensor's device is used.
    features
        Names of :data:`FEATURES`.
    levels
        Fixed bin number: so many grey levels between the smallest and the largest value.
    window
        Side of the window in voxels, odd: 2 x kernelRadius + 1 of PyRadiomics.
    bin_width
        Fixed bin width in units of the volume, with ``levels=None``: edges at its multiples, the lowest level is 1.
    mask
        Shape of the volume, true inside. Only voxels inside set the grey levels and are paired, as with PyRadiomics'
        ``maskedKernel=True``; maps are 0 outside. (``maskedKernel=False`` is a map without mask, times the mask.)
    slab_voxels
        How many voxels are worked on at a time. It bounds the memory and changes no value.

    Returns
    -------
    ``original`` (the volume) and a map of each feature, in that order: the shape of the volume, float32.

    Raises
    ------
    ValueError
        A volume of another shape, with NaN or infinite values, or constant; an unknown feature; no valid levels; a
        window that is even, below 3 or larger than the volume; a mask of another shape, or an empty one.
    """
    original = _tensor(volume)
    grey = grey_levels(original, levels, bin_width=bin_width, mask=mask)
    return {ORIGINAL: original.to(torch.float32, copy=True)} | level_maps(
        grey, features, window, slab_voxels=slab_voxels
    )


def level_maps(
    grey: torch.Tensor,
    features: Sequence[str] = tuple(FEATURES),
    window: int = WINDOW,
    *,
    slab_voxels: int = SLAB_VOXELS,
) -> dict[str, torch.Tensor]:
    """A map of each feature of an image of grey levels 1, 2, ...; 0 is outside the mask, and so are its maps.

    Parameters, result and errors as :func:`texture_maps`.
    """
    _check(grey.shape, features, window)
    grey = grey.float()
    inside = grey > 0
    inside = None if inside.all() else inside
    pool = torch.empty((len(features), *grey.shape), dtype=torch.float32, device=grey.device)
    reach, step = window // 2, max(1, slab_voxels // max(1, grey[0].numel()))
    for start in range(0, len(grey), step):
        low, high = max(0, start - reach), min(len(grey), start + step + reach)
        slab = _slab_maps(grey[low:high], None if inside is None else inside[low:high], features, window)
        pool[:, start : start + step] = slab[:, start - low : start - low + step]
    if inside is not None:
        pool *= inside
    return dict(zip(features, pool, strict=True))


def middle_maps(
    grey: torch.Tensor, axis: int, features: Sequence[str] = tuple(FEATURES)
) -> dict[str, torch.Tensor]:  # fmt: skip
    """The plane of :func:`level_maps` half-way along an axis, of a slab as thick as a window and without a mask.

    The window of every voxel of that plane holds the whole thickness: pairs are summed along it once, and no map of
    another plane is made. Values are the same, as sums of levels are exact.

    Returns
    -------
    A plane of each feature: the shape of the slab without ``axis``, float32.

    Raises
    ------
    ValueError
        As :func:`level_maps`, of a window as wide as the slab is thick.
    """
    _check(grey.shape, features, grey.shape[axis])
    total = _slab_maps(grey.float(), None, features, grey.shape[axis], through=axis)
    return dict(zip(features, total.squeeze(axis + 1), strict=True))


def grey_levels(
    volume: NDArray | torch.Tensor,
    levels: int | None = LEVELS,
    *,
    bin_width: float | None = None,
    mask: NDArray | torch.Tensor | None = None,
) -> torch.Tensor:
    """Grey levels 1, 2, ... of a volume, int64; 0 outside the mask. Parameters as in :func:`texture_maps`.

    A bin holds its lower edge; the largest value belongs to the last of a fixed number of bins.

    Raises
    ------
    ValueError
        As :func:`texture_maps`.
    """
    if (levels is None) == (bin_width is None):
        raise ValueError("levels, bin_width: give one of them, the other is None")
    if levels is not None and (int(levels) != levels or not 2 <= levels <= MAX_LEVELS):
        raise ValueError(f"levels must be a whole number from 2 to {MAX_LEVELS}: {levels}")
    if bin_width is not None and not (np.isfinite(bin_width) and bin_width > 0):
        raise ValueError(f"bin_width must be above 0: {bin_width}")
    volume = _tensor(volume)
    if volume.ndim not in (2, 3) or volume.is_complex():
        raise ValueError(f"volume: shape (height, width) or (depth, height, width) needed, got {tuple(volume.shape)}")
    values = volume.cpu().numpy()
    inside = np.ones(values.shape, bool) if mask is None else _tensor(mask).cpu().numpy().astype(bool)
    if inside.shape != values.shape:
        raise ValueError(f"mask: shape {inside.shape}, the volume has {values.shape}")
    chosen = values[inside]
    where = "volume" if mask is None else "volume inside its mask"
    if not len(chosen):
        raise ValueError("mask: no voxel is inside; cut the patch around the bone, or leave the mask out")
    if lost := int((~np.isfinite(values)).sum()):
        raise ValueError(f"volume: {lost} values are NaN or infinite; replace them first")
    if chosen.min() == chosen.max():
        raise ValueError(f"{where}: every value is {chosen.flat[0]}; a constant image has no texture, leave it out")
    found = np.zeros(values.shape, np.int64)
    found[inside] = np.digitize(chosen, _edges(chosen, levels, bin_width))
    return torch.from_numpy(found).to(volume.device)


def _check(shape: Sequence[int], features: Sequence[str], window: int) -> None:
    unknown = [name for name in features if name not in FEATURES]
    if unknown or not len(features):
        raise ValueError(f"features: {', '.join(map(str, unknown)) or 'none'}; there are {', '.join(FEATURES)}")
    if int(window) != window or window < 3 or window % 2 == 0:
        raise ValueError(f"window must be an odd number of voxels, 3 or more: {window}")
    if window > min(shape):
        raise ValueError(f"window: {window} voxels are more than the volume has, shape {tuple(shape)}")


def _tensor(array: NDArray | torch.Tensor) -> torch.Tensor:
    return array if isinstance(array, torch.Tensor) else torch.from_numpy(np.array(array))


def _edges(values: NDArray, levels: int | None, bin_width: float | None) -> NDArray:
    """Edges as PyRadiomics rounds them, in the values' own precision."""
    if levels is not None:
        edges = np.histogram_bin_edges(values, levels)
        edges[-1] += 1  # the largest value falls into the last bin
        return edges
    low, high = values.min(), values.max()
    if (high - low) / bin_width >= MAX_LEVELS:
        raise ValueError(f"bin_width {bin_width} makes more than {MAX_LEVELS} levels of values from {low} to {high}")
    return np.arange(low - low % bin_width, high + 2 * bin_width, bin_width)


def directions(ndim: int) -> list[tuple[int, ...]]:
    """Steps to one of each two opposite neighbours: 4 in an image, 13 in a volume."""
    return [step for step in product((-1, 0, 1), repeat=ndim) if step > (0,) * ndim]


def _slab_maps(
    grey: torch.Tensor, inside: torch.Tensor | None, features: Sequence[str], window: int, through: int | None = None
) -> torch.Tensor:  # fmt: skip
    """Maps of a slab of grey levels, shape (features, *slab); with ``through`` one plane of them across that axis."""
    shape = tuple(1 if axis == through else n for axis, n in enumerate(grey.shape))
    total = torch.zeros((len(features), *shape), dtype=torch.float32, device=grey.device)
    used = torch.zeros(shape, dtype=torch.float32, device=grey.device)
    for i, j, both, step in _pairs(grey, inside):
        of_pair = torch.stack([FEATURES[name](i, j) for name in features] + [torch.ones_like(i)])
        if both is not None:
            of_pair *= both
        sums = _window_sums(of_pair, step, window, through)
        count = sums[-1]
        total += sums[:-1] / count.clamp(min=1)
        used += count > 0
    return total / used.clamp(min=1)


def _pairs(
    grey: torch.Tensor, inside: torch.Tensor | None
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, tuple[int, ...]]]:
    """Of each direction: grey levels of the pairs' voxels, whether both are inside, and the direction.

    A pair lies where its lower corner is, so an axis along which it steps is one shorter.
    """
    for step in directions(grey.ndim):
        first = tuple(slice(int(s < 0), n - int(s > 0)) for s, n in zip(step, grey.shape, strict=True))
        second = tuple(slice(int(s > 0), n - int(s < 0)) for s, n in zip(step, grey.shape, strict=True))
        both = None if inside is None else inside[first] & inside[second]
        yield grey[first], grey[second], both, step


def _window_sums(values: torch.Tensor, step: Sequence[int], window: int, through: int | None) -> torch.Tensor:
    """Sums over the pairs in the window of each voxel: ``window`` corners along an axis, one less where pairs step.

    Along the axis ``through`` everything lies in the window, and one sum is left.
    """
    reach = window // 2
    pad = values if through is None else values.sum(through + 1, keepdim=True)
    margins = [0 if axis == through else reach for axis in reversed(range(len(step))) for _ in range(2)]
    pad = torch.nn.functional.pad(pad, margins)
    for axis, s in enumerate(step):
        if axis == through:
            continue
        length = window - abs(s)
        n = pad.shape[axis + 1] - length + 1
        total = pad.narrow(axis + 1, 0, n).clone()
        for shift in range(1, length):
            total += pad.narrow(axis + 1, shift, n)
        pad = total
    return pad
