"""A designed case: pictures in which the scale of texture and the mean vary, each by itself, and nothing else is known.

In a body that is the same in all of them lies a Gaussian random field, made anew for each: its correlation length is
the scale, and in every cube its mean and SD over the body are set exactly. A crop that is enlarged changes the scale
and keeps the mean. So an encoder taught that two crops of a picture are one has to forget the first and may keep the
second; one taught on texture pools sees both at their own size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.runs.side_by_side import side_by_side
from osteolib.runs.store import artefact
from osteolib.screen.ct_knows import alive
from osteolib.screen.ct_pool import MEMBERS, pool_of_cube
from osteolib.screen.readout import read_out
from osteolib.ssl.ct_encoders import build_ct_encoder
from osteolib.ssl.ct_pretrain import CTRecipe, embed_vertebrae, load_ct_encoder, pretrained_vertebrae
from osteolib.views.texture import WINDOW

SIZE = 32
SCALE_VOXELS, MEAN_HU, SD_HU, AROUND_HU = (0.6, 2.4), (100.0, 300.0), 60.0, -100.0
TARGETS = ("scale", "mean")
CASES = {"alone": ("scale",), "both vary": TARGETS}
"""What varies in the pictures of a case."""
METHODS = ("swav", "tp-swav")


@dataclass(frozen=True, eq=False)
class Designed:
    """Pictures as a texture pool, and what was drawn.

    Attributes
    ----------
    pool
        Shape (n, 5, 3, SIZE, SIZE), uint8, as :func:`osteolib.screen.ct_pool.pool_images` has it.
    truth
        A row a picture, of what varies: ``scale`` (logarithm of the correlation length in voxels) and ``mean`` (HU).
    """

    pool: NDArray[np.uint8]
    truth: pd.DataFrame


def body(inner: float = 0.0) -> NDArray[np.bool_]:
    """The ball that holds the field, or what lies ``inner`` voxels below its surface: (SIZE, SIZE, SIZE)."""
    z, y, x = np.indices((SIZE,) * 3) - SIZE // 2
    return z**2 + y**2 + x**2 <= (0.44 * SIZE - inner) ** 2


def designed_cube(scale: float, mean: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """HU of one cube: white noise smoothed by a Gaussian of SD ``scale`` / sqrt 2 voxels, in :func:`body`.

    The correlation of two voxels at distance d is then exp(-d² / (2 scale²)).
    """
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.normal(size=(SIZE,) * 3), scale / np.sqrt(2), mode="wrap", truncate=5)
    inside = body()
    field = (field - field[inside].mean()) / field[inside].std()
    return np.where(inside, mean + SD_HU * field, AROUND_HU).astype(np.float32)


def designed_pictures(n: int, seed: int, vary: Sequence[str] = TARGETS) -> Designed:
    """``n`` pictures, from the store if they are there: log-uniform scale, uniform mean, drawn apart.

    Parameters
    ----------
    vary
        Which of :data:`TARGETS` do; the other stays in the middle of its range.

    Raises
    ------
    ValueError
        Fewer than two are asked for, or something else is to vary.
    """
    if n < 2:
        raise ValueError(f"n must be at least 2 pictures, got {n}")
    if not vary or set(vary) - set(TARGETS):
        raise ValueError(f"vary must name one or both of {', '.join(TARGETS)}, got {vary!r}")
    rng = np.random.default_rng([seed, 42])
    drawn = [rng.uniform(*ends, n) if name in vary else np.full(n, np.mean(ends))
             for name, ends in zip(TARGETS, (np.log(SCALE_VOXELS), MEAN_HU), strict=True)]  # fmt: skip
    scale, mean = np.exp(drawn[0]), drawn[1]

    def make(folder: Path) -> None:
        cubes = (designed_cube(s, m, rng) for s, m in zip(scale, mean, strict=True))
        np.save(folder / "pool.npy", np.stack([pool_of_cube(cube) for cube in cubes]))

    folder = artefact("designed-pictures", {"n": n, "seed": seed, "vary": list(vary)}, (__name__,), make)
    truth = pd.DataFrame({name: of for name, of in zip(TARGETS, drawn, strict=True) if name in vary})
    return Designed(np.load(folder / "pool.npy", allow_pickle=False), truth)


def measured(pool: NDArray[np.uint8]) -> dict[str, NDArray]:
    """What needs no network: mean grey value of two members in the three planes, (n, 1) each.

    It is read where no window of a map reaches the surface of the body.
    """
    inside = body(inner=np.sqrt(3) * (WINDOW // 2))
    shown = np.stack([np.take(inside, SIZE // 2, axis)[::-1] for axis in range(3)])
    return {f"mean of {what}": pool[:, MEMBERS.index(name)][:, shown].mean(1, keepdims=True)
            for what, name in (("HU", "original"), ("the contrast map", "contrast"))}  # fmt: skip


def designed_answers(
    unlabelled: Mapping[str, Designed], asked: Mapping[str, Designed], recipe: CTRecipe
) -> pd.DataFrame:
    """Both methods pre-trained on the same pictures, frozen, and a straight line from their features to each target.

    The line is fitted on the first half of those asked and answers for the second.

    Parameters
    ----------
    unlabelled, asked
        By name of a case, say of :data:`CASES`; the two of different seeds.
    recipe
        Its method is replaced.

    Returns
    -------
    A row for each picture, reader and question: ``reader, question`` (as "scale, alone"), ``picture, truth,
    predicted``.
    """
    cells = {(case, m): (d.pool, np.arange(len(d.pool)), [], replace(recipe, method=m))
             for case, d in unlabelled.items() for m in METHODS}  # fmt: skip
    folders = side_by_side(pretrained_vertebrae, cells)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        encoders = dict.fromkeys([(case, "random") for case in unlabelled], build_ct_encoder(recipe.encoder))
    encoders |= {cell: load_ct_encoder(folder, recipe.encoder) for cell, folder in folders.items()}
    told = []
    for case, given in asked.items():
        readers = {m: embed_vertebrae(encoders[case, m], given.pool[:, 0]) for m in ("random", *METHODS)}
        first = np.arange(len(given.pool)) < len(given.pool) // 2
        for target, truth in given.truth.items():
            known = {"question": f"{target}, {case}", "picture": np.flatnonzero(~first), "truth": truth[~first]}
            for reader, x in (readers | measured(given.pool)).items():
                predicted = read_out(alive(x, first), truth.to_numpy(), first, ~first)
                told.append(pd.DataFrame({"reader": reader, **known, "predicted": predicted}))
    return pd.concat(told, ignore_index=True)
