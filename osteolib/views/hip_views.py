"""Squares of hips as X1AI-Osteo's network sees them (Methods, Anatomical segmentation and Model evaluation).

A square around the proximal femur is cut from the film, resized, mirrored so that every hip is a right one, and its
contrast enhanced. Outside the femur the background is black or white, and the bone is tilted a little: two of the
paper's augmentations. The paper prints neither the method of enhancement nor how far hips are tilted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from osteolib.phantoms.hip.truth import FEMUR, read_masks
from osteolib.radiograph import read_radiograph
from osteolib.radiograph.augment import warp
from osteolib.runs.store import artefact
from osteolib.segment.hip_instances import eight_bit
from osteolib.segment.hip_squares import cut_square, hip_square

CLIP_LIMIT = 0.02
"""Of the contrast-limited adaptive histogram equalisation: share of a tile's pixels that one grey level may hold."""
BLACK, WHITE = 0.0, 1.0


def hip_images(subjects: pd.DataFrame, size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The enhanced square of every hip and the femur in it, from the store if they are there.

    Parameters
    ----------
    subjects
        One row per hip: ``unit_id, image_id, side, path, masks_path``; outlines are the true ones.
    size
        Pixels along each side; the paper has 224.

    Returns
    -------
    Shape (n, size, size) each: uint8, bool; every hip as a right one.

    Raises
    ------
    ValueError
        A film has no femur on the side of a hip; the hip is named.
    """

    def make(folder: Path) -> None:
        both = [_square(*hip, size) for hip in _films(subjects)]
        images, femur = (np.stack(part) for part in zip(*both, strict=True))
        np.savez_compressed(folder / "hips.npz", images=images, femur=femur)

    films = subjects["sha256" if "sha256" in subjects else "path"].tolist()
    key = {"films": films, "sides": subjects["side"].tolist(), "size": size}
    with np.load(artefact("hip-images", key, (__name__,), make) / "hips.npz", allow_pickle=False) as arrays:
        return arrays["images"], arrays["femur"]


def right_hip(
    pixels: NDArray, femur: NDArray[np.bool_], side: str, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The square of one hip and the femur in it, before enhancement: shape (size, size) each, as a right hip.

    ``pixels`` and ``femur`` are a film, uint8 or uint16, and the femurs on it, shape (height, width); ``side`` is the
    patient's. One of 16 bits becomes one of 8 as everywhere (:func:`osteolib.segment.hip_instances.eight_bit`).
    """
    box = hip_square(femur, side)
    both = cut_square(eight_bit(pixels), box, size), cut_square(femur, box, size)
    return both if side == "right" else tuple(square[:, ::-1].copy() for square in both)


def _films(subjects: pd.DataFrame) -> Iterator[tuple]:
    """Film, its femurs and side of each hip in order; a film of two hips is read once where they follow each other."""
    name, film, femur = None, None, None
    for row in subjects.itertuples():
        if row.image_id != name:
            name, film = row.image_id, read_radiograph(Path(row.path)).pixels
            femur = (read_masks(row.masks_path, name) & FEMUR).astype(bool)
        yield film, femur, row.side, row.unit_id


def _square(film: NDArray, femur: NDArray, side: str, unit: str, size: int) -> tuple[NDArray, NDArray]:
    try:
        image, inside = right_hip(film, femur, side, size)
    except ValueError as error:
        raise ValueError(f"hip {unit}: {error}") from None
    return enhance(image), inside


def enhance(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Contrast-limited adaptive histogram equalisation (scikit-image, 8 x 8 tiles), uint8 in and out.

    Texture is kept and the level of grey is not: what is left of how dense bone looks is its pattern.
    """
    from skimage.exposure import equalize_adapthist

    return np.rint(equalize_adapthist(square, clip_limit=CLIP_LIMIT) * 255).astype(np.uint8)


def on_background(images: Tensor, femur: Tensor, grey: Tensor | float) -> Tensor:
    """Images with one grey outside the femur.

    Parameters
    ----------
    images, femur
        Shape (n, 1, height, width): float in [0, 1]; the share of each pixel that is femur, 0 to 1.
    grey
        One for all, or shape (n,): :data:`BLACK`, :data:`WHITE`.
    """
    grey = torch.as_tensor(grey, dtype=images.dtype, device=images.device).reshape(-1, 1, 1, 1)
    return femur * images + (1 - femur) * grey


def augmented(images: Tensor, femur: Tensor, generator: torch.Generator, degrees: float = 6.0) -> Tensor:
    """Each hip tilted about the bone's vertical direction by up to ``degrees``, on black or on white.

    Interpolation smooths the texture a little: train on upright hips as well.

    Shapes as in :func:`on_background`; the generator, on the CPU, alone decides what is drawn.
    """
    n = len(images)
    draw = torch.rand(n, 2, generator=generator).to(images.device)
    tilt = degrees * (2 * draw[:, 0] - 1)
    still = {"mirrored": draw[:, 0] < 0, "shift": torch.zeros_like(draw), "scale": torch.ones_like(tilt)}
    tilted, outline = (warp(each, degrees=tilt, **still) for each in (images, femur))
    return on_background(tilted, outline, (draw[:, 1] < 0.5).to(images.dtype))


def network_input(images: NDArray[np.uint8], femur: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    """Squares (n, size, size) and their masks as tensors (n, 1, size, size) in [0, 1] and of 0 or 1."""
    return torch.from_numpy(images)[:, None].float() / 255, torch.from_numpy(femur)[:, None].float()
