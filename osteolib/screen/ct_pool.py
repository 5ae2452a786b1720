"""The texture pool of vertebrae as a network sees it: the vertebra and four maps of it, three planes each.

Maps are made in 3-D (tpswav2025_ct, Section 2.1, by :mod:`osteolib.views.texture`): HU clipped to the window of the
pictures, in 32 grey levels of 31.25 HU counted from its lower end, in a window of 5 voxels. Only the three planes are
needed, and a plane's map looks no farther than half a window, so each is made from a slab as thick as one window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.runs.store import artefact
from osteolib.screen.ct_images import WINDOW_HU, vertebra_patch
from osteolib.views.texture import FEATURES, LEVELS, ORIGINAL, WINDOW, middle_maps
from osteolib.volume import to_planes

MEMBERS = (ORIGINAL, *FEATURES)
RANGES = {"autocorrelation": (1.0, 32.0), "joint_average": (1.0, 32.0), "contrast": (0.0, 16.0),
          "difference_average": (0.0, 16.0)}  # fmt: skip
"""What 0 and 255 stand for, in grey levels, for all vertebrae alike; the original has HU of -200 to 800. Of 100
grey values of contrast or difference average in simulated vertebrae fewer than one lies above."""
ROOTS = ("autocorrelation", "contrast")
"""Means of products of two levels: their root has the unit of the others."""
MODULES = (__name__, "osteolib.screen.ct_images")


def pool_images(
    vertebrae: pd.DataFrame, size: int, spacing_mm: float, key: Mapping[str, Any] | None = None
) -> NDArray[np.uint8]:
    """The pool of each vertebra, from the store if it is there.

    Parameters
    ----------
    vertebrae, size, spacing_mm, key
        As in :func:`osteolib.screen.ct_images.vertebra_images`, whose pictures are the first member.

    Returns
    -------
    Shape (n, 5, 3, size, size): :data:`MEMBERS`, each in the axial, coronal and sagittal plane.

    Raises
    ------
    ValueError
        There is no vertebra; the cube is smaller than the window of a map.
    osteolib.volume.VolumeError
        A file cannot be used; the message names it.
    """
    if not len(vertebrae):
        raise ValueError("no vertebra to make a pool of: ask for more people, or for more vertebrae without DXA")
    rows = vertebrae[[c for c in ("path", "mask_path", "level", "mask_label") if c in vertebrae]].to_dict("records")

    def make(folder) -> None:
        pools = [pool_of_cube(vertebra_patch(row, size, spacing_mm).voxels) for row in rows]
        np.save(folder / "pool.npy", np.stack(pools))

    settings = {"rows": rows, "key": dict(key or {}), "size": size, "spacing_mm": spacing_mm}
    folder = artefact("vertebra-pool", settings, MODULES, make)
    return np.load(folder / "pool.npy", allow_pickle=False)


def pool_of_cube(cube: NDArray) -> NDArray[np.uint8]:
    """The pool of one cube of HU (size, size, size): (5, 3, size, size), as :func:`pool_images` has it."""
    grey = fixed_levels(cube)
    middle, reach = cube.shape[0] // 2, WINDOW // 2
    if middle < reach or middle + reach >= cube.shape[0]:
        raise ValueError(f"a cube of {cube.shape[0]} voxels is smaller than the window of a map, {WINDOW}")
    planes = [middle_maps(grey.narrow(axis, middle - reach, WINDOW), axis) for axis in range(3)]
    maps = {
        name: np.stack([plane[name].numpy()[::-1] for plane in planes]) for name in FEATURES
    }  # the first axis of a slice runs up, or to the front, that of a picture down: see to_planes
    return np.stack([np.rint(255 * to_planes(cube, WINDOW_HU)), *(as_grey(name, m) for name, m in maps.items())]
                    ).astype(np.uint8)  # fmt: skip


def fixed_levels(hu: NDArray) -> torch.Tensor:
    """Grey levels 1 to 32 of HU, int64: the same levels whatever else a cube shows."""
    low, high = WINDOW_HU
    bins = np.floor((np.asarray(hu, float).clip(low, high) - low) * (LEVELS / (high - low)))
    return torch.from_numpy(1 + np.minimum(bins, LEVELS - 1).astype(np.int64))


def as_grey(name: str, values: NDArray) -> NDArray[np.uint8]:
    """A map as grey values: its root where it is one of :data:`ROOTS`, 0 to 255 over its range, clipped there."""
    low, high = RANGES[name]
    level = np.sqrt(values) if name in ROOTS else values
    return np.rint(255 * ((level - low) / (high - low)).clip(0, 1)).astype(np.uint8)
