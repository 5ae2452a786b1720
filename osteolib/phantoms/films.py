"""From curves to files, for the films of hips: boxes of curves, bone laid into tissue, grey levels, threads that write.

Nothing here knows a hip, but the other phantoms make their films on their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from osteolib.phantoms.dicom import write_dicom
from osteolib.phantoms.physics import Acquisition
from osteolib.phantoms.rays import Image

MASKS = "masks.npz"
Box = tuple[int, int, int, int]


def box_of(curve: NDArray, shape: tuple[int, int], margin: int = 2) -> Box | None:
    """(x0, y0, x1, y1) around a curve in pixels, ends excluded, as far as the film reaches; None where it does not."""
    (x0, y0), (x1, y1) = np.floor(curve.min(0)).astype(int) - margin, np.ceil(curve.max(0)).astype(int) + margin + 1
    box = (max(x0, 0), max(y0, 0), min(x1, shape[1]), min(y1, shape[0]))
    return None if box[0] >= box[2] - 2 or box[1] >= box[3] - 2 else box


def lay_in(tissue: dict[str, Image], box: Box, mineral: Image, marrow: Image, size: float) -> None:
    """Bone in the place of muscle, at the rim of a thin limb of whatever is there; paths in mm of a drawn body."""
    window, size = np.s_[box[1] : box[3], box[0] : box[2]], np.float32(size)
    tissue["cortical"][window] += mineral * size
    tissue["fat"][window] += marrow * size
    tissue["soft"][window] = np.maximum(tissue["soft"][window] - (mineral + marrow) * size, 0)


def developed(
    photons: NDArray[np.float32], spacing_mm: float, tube: Acquisition, window: tuple[float, float], bits: int
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Grey levels of counted photons as :func:`osteolib.phantoms.physics.expose` shows them, of 8 or 16 bits."""
    signal = -np.log(np.maximum(photons, 0.5) / np.float32(tube.photons_per_mm2 * spacing_mm**2))
    if tube.detail:
        bounded = np.clip(signal, *tube.window)
        signal += np.float32(tube.detail) * (bounded - blurred(bounded, tube.detail_mm / spacing_mm))
    low, high = window
    grey = np.float32(2**bits - 1) / (
        1 + np.exp(np.float32(-4 / (high - low)) * (signal - np.float32((low + high) / 2)))
    )
    return (grey + 0.5).astype(np.uint8 if bits == 8 else np.uint16)


def blurred(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur; where it is wide, on coarser pixels: nothing finer survives it."""
    from PIL import Image

    factor = int(sigma / 4)
    if factor < 2:
        return gaussian_filter(image, sigma)
    small = np.asarray(Image.fromarray(image).reduce(factor))
    small = gaussian_filter(small, sigma / factor)
    size = tuple(n * factor for n in small.shape[::-1])  # a last block may reach beyond the image
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BILINEAR))[
        : image.shape[0], : image.shape[1]
    ]


def write_films(
    films: pd.DataFrame,
    render: Callable[[Mapping[str, Any], np.random.Generator], tuple[NDArray, NDArray[np.uint8]]],
    entropy: list[int],
    folder: Path,
    file_format: str,
    header: Mapping[str, str],
) -> None:
    """Write every film as PNG or DICOM, and their masks as one NPZ under the films' names.

    Parameters
    ----------
    films
        One row per film: ``image_id``, ``spacing_mm`` and whatever ``render`` takes; an own ``side`` goes into DICOM.
    render
        A film and its mask, both of shape (height, width), from a row and a generator of random numbers.
    entropy
        Seeds one generator per film, so that threads may finish in any order.
    header
        ``body_part`` and ``view`` of a DICOM film.
    """
    from PIL import Image

    seeds = np.random.SeedSequence(entropy).spawn(len(films))

    def one(job: tuple) -> tuple[str, NDArray[np.uint8]]:
        film, sequence = job
        pixels, mask = render(film, np.random.default_rng(sequence))
        if file_format == "png":
            Image.fromarray(pixels).save(folder / f"{film['image_id']}.png", compress_level=1)
        else:
            write_dicom(pixels, film["spacing_mm"], folder / f"{film['image_id']}.dcm", film.get("side"), **header)
        return film["image_id"], mask

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        masks = dict(pool.map(one, zip(films.to_dict("records"), seeds, strict=True)))
    np.savez_compressed(folder / MASKS, **masks)
