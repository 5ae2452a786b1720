"""What a view of a bone still holds: its cortex read off with a ruler that knows pose and outline.

A view is pasted back to where it came from, so that only what is in its pixels differs: their size, the light, and
whether the middle of the shaft is in it at all. This reader knows the middle of the shaft alone: what it keeps is in
the view, and what it loses may still be read in other ways, as from the rest of the shaft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.segment.bones import MIDDLE, bone_images, cortical_percentage
from osteolib.views.multicrop import PRESETS, Augmentation, Crop, Placement, draw_views, render, sums_along_rows

SIZE = 256  # pixels of the bone image that views are cut from
WHOLE = (1.0, 1.0)
PAPERS = asdict(PRESETS["lee2025"])
STILL = dict.fromkeys(PAPERS, 0)
KINDS: Mapping[str, tuple[dict[str, float], tuple[float, float]]] = {
    "nothing": ({}, WHOLE),
    "turn and mirror": ({k: PAPERS[k] for k in ("degrees", "flip")}, WHOLE),
    "light": ({k: PAPERS[k] for k in ("brightness", "contrast")}, WHOLE),
    "crop of 40 to 100 %": ({}, (0.4, 1.0)),
    "crop of 14 to 100 %": ({}, (0.14, 1.0)),
    "crop of 5 to 14 %": ({}, (0.05, 0.14)),
    "all of it, 40 to 100 %": (PAPERS, (0.4, 1.0)),
}  # fmt: skip
"""Each step of the papers' augmentation alone, by name: what changes, and the areas of the crop."""


def second_metacarpals(hands: pd.DataFrame) -> tuple[Tensor, NDArray[np.bool_]]:
    """M2 of phantom hands, cut with the true mask: (n, 1, 256, 256) in [0, 1], and which hands have one, (hands,)."""
    images = []
    for hand in hands.itertuples():
        pixels = read_radiograph(hand.path).pixels / 255
        images.append(bone_images(pixels, read_masks(hand.masks_path, hand.image_id), SIZE).images.get(BONES[2]))
    found = np.array([image is not None for image in images])
    return torch.from_numpy(np.stack([image for image in images if image is not None]))[:, None].clamp(0, 1), found


def pasted_back(views: Tensor, placed: Placement, size: int) -> tuple[Tensor, Tensor]:
    """Views (n, 1, k, k) where they came from in images of ``size`` pixels: pictures (n, size, size), and their cover.

    The inverse of :func:`osteolib.views.multicrop.sample`: a pixel p of the image lies at A'(p - c) of the turned one.
    """
    at = torch.arange(size) + 0.5 - size / 2
    point = torch.stack(torch.meshgrid(at, at, indexing="xy"), -1).view(1, -1, 2) - placed.pose[:, None, :, 2]
    turned = torch.linalg.solve(placed.pose[:, :, :2], point.transpose(1, 2)).transpose(1, 2) + size / 2
    corner, side = placed.boxes[:, None, [1, 0]], placed.boxes[:, None, [3, 2]]
    grid = (2 * (turned - corner) / side - 1).view(-1, size, size, 2)
    inside = (grid.abs() <= 1).all(-1)
    back = functional.grid_sample(views, grid, padding_mode="border", align_corners=False)[:, 0]
    return back * inside, inside


def middle_of_shaft(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of a long bone's mask where :func:`cortical_percentage` measures."""
    points = np.argwhere(mask)
    axis = np.linalg.eigh(np.cov(points.T))[1][:, 1]
    along = (points - points.mean(0)) @ axis
    along = (along - along.min()) / np.ptp(along)
    middle = np.zeros_like(mask)
    middle[tuple(points[(along > MIDDLE[0]) & (along < MIDDLE[1])].T)] = True
    return middle


def read_views(bones: Tensor, pixels: Sequence[int], seed: int) -> pd.DataFrame:
    """The cortex of each bone as read off one view of each kind and size.

    Parameters
    ----------
    bones
        Shape (n, 1, 256, 256), float32 in [0, 1], zero outside the bone.
    pixels
        Along each side of a view.

    Returns
    -------
    ``kind, pixels, bone`` (0 to n - 1) and ``percentage`` (0 to 1), NaN where the middle of the shaft is not in the
    view or the ruler finds no canal.
    """
    sums, masks, rows = sums_along_rows(bones), [bone[0].numpy() > 0 for bone in bones], []
    middles = [middle_of_shaft(mask) for mask in masks]
    for kind, (changes, scale) in KINDS.items():
        for size in pixels:
            ratio = (1.0, 1.0) if scale == WHOLE else (3 / 4, 4 / 3)
            crop, generator = Crop(1, size, scale, ratio), torch.Generator().manual_seed(seed)
            placed = draw_views(sums, generator, crop, Augmentation(**(STILL | changes)), 0.1)
            seen, covered = pasted_back(render(bones, placed, size), placed, bones.shape[-1])
            for k, (mask, middle) in enumerate(zip(masks, middles, strict=True)):
                there = bool(covered[k].numpy()[middle].all())
                read = cortical_percentage(seen[k].numpy(), mask).percentage if there else np.nan
                rows.append((kind, size, k, read))
    return pd.DataFrame(rows, columns=["kind", "pixels", "bone", "percentage"])
