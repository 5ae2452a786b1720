"""Crops as the hand papers draw them: turn the image, draw a box, look, and draw again until it holds enough bone.

:mod:`osteolib.views.multicrop` draws from the same law without the loop; this one is there to be compared with, and to
count what crops hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.stats import bootstrap_statistic
from osteolib.views.multicrop import Augmentation, Crop, multi_crop, place, sums_along_rows

EVENTS = {"empty": 0.0, "under 10 %": 0.1}
"""A crop is empty if its content is 0; it is under 10 % if its content is less than that."""


def turned(bone: torch.Tensor, rng: np.random.Generator, preset: Augmentation) -> torch.Tensor:
    """Mirror, rotate and shift an image (1, size, size) at random; nearest neighbour, zero where it has no pixel."""
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms import functional as tv

    for flip in (tv.hflip, tv.vflip):
        bone = flip(bone) if rng.random() < preset.flip else bone
    shift = rng.uniform(-preset.translation, preset.translation, 2) * bone.shape[-1]
    angle = rng.uniform(-preset.degrees, preset.degrees)
    return tv.affine(bone, angle, shift.round().astype(int).tolist(), 1.0, [0.0], InterpolationMode.NEAREST)


def sampled_boxes(bone: torch.Tensor, crop: Crop, preset: Augmentation, least: float, n: int, seed: int) -> NDArray:
    """Boxes that the sampler draws of one bone (1, size, size): content, height, middle across and down, shape (n, 4).

    ``crop`` draws one view each; the seed is the sampler's own.
    """
    many = sums_along_rows(bone[None]).expand(n, -1, -1)
    placed = next(place(many, torch.Generator().manual_seed(seed), crop, preset, least))
    top, left, tall, wide = placed.boxes.double().T.numpy()
    return np.stack([placed.content.numpy(), tall, left + wide / 2, top + tall / 2], 1)


def views_and_contents(
    bones: torch.Tensor, crops: Sequence[Crop], preset: Augmentation, least: float, seed: int
) -> tuple[list[NDArray], list[NDArray]]:
    """Views of bones (k, 1, size, size) with at least so much content, and that content, from the same random numbers.

    Returns
    -------
    One entry per view of all crops: pictures (k, crop.size, crop.size), and shares of non-zero pixels (k,).
    """
    own, same = (torch.Generator().manual_seed(seed) for _ in range(2))
    views = [view[:, 0].numpy() for crop in multi_crop(bones, own, crops, preset, least) for view in crop]
    sums = sums_along_rows(bones)
    return views, [p.content.numpy() for crop in crops for p in place(sums, same, crop, preset, least)]


def silhouettes(bones: torch.Tensor, preset: Augmentation, seed: int, n: int = 4) -> tuple[NDArray, NDArray]:
    """Is more than half of a bone pure white? Of ``n`` relit whole views of each bone, and of each bone itself; bool.

    ``bones`` (k, 1, size, size) from 0 to 1, zero outside the bone.
    """
    whole = Crop(n, 64, (1, 1), (1, 1))
    lit = multi_crop(bones, torch.Generator().manual_seed(seed), (whole,), preset, 0)[0]

    def white(images: torch.Tensor) -> NDArray:
        inside = (images > 0).sum((-3, -2, -1)).clamp(min=1)
        return ((images > 0.999).sum((-3, -2, -1)) / inside > 0.5).numpy()

    return white(lit).ravel(), white(bones)


def happens(content: NDArray, event: str) -> NDArray[np.bool_]:
    """Which crops meet one of :data:`EVENTS`."""
    return content == 0 if event == "empty" else content < EVENTS[event]


def shares_without_content(
    contents: Mapping[int, NDArray], segments: pd.DataFrame, n_boot: int, seed: int
) -> pd.DataFrame:
    """How often crops are empty or nearly so, by size of the crop and bone.

    Parameters
    ----------
    contents
        By size of the crop in pixels: content of each view of each bone, shape (bones, views), 0 to 1.
    segments
        One row per bone: ``hand`` and ``bone``. Intervals resample hands with all their bones.

    Returns
    -------
    ``size, bone, event, share, low, high, n``; bone ``all`` holds all of them, n counts bone images.
    """
    rows = []
    for size, content in contents.items():
        for name in (*segments["bone"].unique(), "all"):
            mine = (segments["bone"].eq(name) | (name == "all")).to_numpy()
            for event in EVENTS:
                share = happens(content[mine], event).mean(1)
                ci = bootstrap_statistic(np.mean, share, groups=segments["hand"][mine], n_boot=n_boot, seed=seed).ci
                rows.append((size, name, event, share.mean(), *ci, int(mine.sum())))
    return pd.DataFrame(rows, columns=["size", "bone", "event", "share", "low", "high", "n"])
