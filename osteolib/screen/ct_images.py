"""Vertebrae as a network sees them: cut from their scan, in a cube around the body, grey values of a window in HU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.runs.store import artefact
from osteolib.volume import (
    LabelMap,
    Patch,
    Volume,
    cut_vertebra,
    find_vertebrae,
    read_labels,
    read_volume,
    to_cube,
    to_planes,
)

WINDOW_HU = (-200.0, 800.0)  # fat to cortex
MODULES = (__name__, "osteolib.volume.patches", "osteolib.volume.nifti", "osteolib.volume.dicom_series")


def vertebra_images(
    vertebrae: pd.DataFrame, size: int = 64, spacing_mm: float = 1.0, planes: bool = True,
    window_hu: tuple[float, float] = WINDOW_HU, key: Mapping[str, Any] | None = None,
) -> NDArray[np.uint8]:  # fmt: skip
    """Each vertebra in a cube of ``size`` voxels a side around its body, from the store if it is there.

    Parameters
    ----------
    vertebrae
        ``path`` and ``mask_path``, ``level``, and ``mask_label`` where the mask shows several vertebrae by number; else
        whatever is not 0 in it is the vertebra.
    planes
        Axial, coronal and sagittal slice through the middle as channels, or the whole cube as one channel.
    key
        What else names the content, where files come from outside: the cohort's fingerprint.

    Returns
    -------
    Shape (n, 3, size, size), or (n, 1, size, size, size); 0 to 255 over the window.

    Raises
    ------
    osteolib.volume.VolumeError
        A file cannot be used; the message names it.
    """
    rows = vertebrae[[c for c in ("path", "mask_path", "level", "mask_label") if c in vertebrae]].to_dict("records")

    def make(folder) -> None:
        np.save(folder / "images.npy", np.stack([_image(row, size, spacing_mm, planes, window_hu) for row in rows]))

    settings = {"size": size, "spacing_mm": spacing_mm, "planes": planes, "window_hu": window_hu}
    folder = artefact("vertebra-images", {"rows": rows, "key": dict(key or {})} | settings, MODULES, make)
    return np.load(folder / "images.npy", allow_pickle=False)


def vertebra_patch(row: Mapping[str, Any], size: int, spacing_mm: float) -> Patch:
    """The cube of one vertebra: see :func:`vertebra_images`; its regions are the numbers of a mask without label."""
    number = row.get("mask_label")
    paths = [Path(row[name]) for name in ("path", "mask_path")]
    volume, labels = _read(*paths, *(path.stat().st_mtime_ns for path in paths if path.exists()))
    regions = None
    if number is None or pd.isna(number):
        regions, number = labels, 1
        labels = replace(labels, voxels=(labels.voxels > 0).astype(np.uint16))
    (vertebra,) = find_vertebrae(volume, labels, {row["level"]: int(number)}, paths[1].name)
    margin = size * spacing_mm
    patch = cut_vertebra(volume, labels, vertebra, margin_mm=margin, spacing_mm=spacing_mm, regions=regions)
    return to_cube(patch, size)


@lru_cache(maxsize=2)
def _read(path: Path, mask_path: Path, *written: int) -> tuple[Volume, LabelMap]:
    """Vertebrae of one scan come after each other: it is read once, as long as its files stay as they were written."""
    return read_volume(path), read_labels(mask_path)


def _image(row: Mapping[str, Any], size: int, spacing_mm: float, planes: bool, window_hu) -> NDArray[np.uint8]:
    cube = vertebra_patch(row, size, spacing_mm).voxels
    if planes:
        shown = to_planes(cube, window_hu)
    else:
        low, high = window_hu
        shown = ((cube[None] - low) / (high - low)).clip(0, 1)
    return np.rint(255 * shown).astype(np.uint8)
