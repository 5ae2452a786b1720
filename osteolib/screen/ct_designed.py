"""A designed case: pictures in which the scale of texture and the mean vary, each by itself, and nothing else is known.

In a body that is the same in all of them lies a Gaussian random field, made anew for each: its correlation length is
the scale, and in every cube its mean and SD over the body are set exactly. A crop that is enlarged changes the scale
and keeps the mean. So an encoder taught that two crops of a picture are one has to forget the first and may keep the
second; one taught on texture pools sees both at their own size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.runs.side_by_side import side_by_side
from osteolib.runs.store import artefact
from osteolib.screen.ct_pool import MEMBERS, pool_of_cube
from osteolib.screen.readout import read_out
from osteolib.ssl.ct_encoders import build_ct_encoder
from osteolib.ssl.ct_pretrain import CTRecipe, embed_vertebrae, load_ct_encoder, pretrained_vertebrae
from osteolib.views.texture import WINDOW

SIZE = 32
SCALE_VOXELS, MEAN_HU, SD_HU, AROUND_HU = (0.6, 2.4), (100.0, 300.0), 60.0, -100.0
TARGETS = ("scale of the texture", "mean")
METHODS = ("swav", "tp-swav")


@dataclass(frozen=True, eq=False)
class Designed:
    """Pictures as a texture pool, and what was drawn.

    Attributes
    ----------
    pool
        Shape (n, 5, 3, SIZE, SIZE), uint8, as :func:`osteolib.screen.ct_pool.pool_images` has it.
    truth
        A row a picture: ``scale of the texture`` (logarithm of the correlation length in voxels) and ``mean`` (HU).
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
    truth = pd.DataFrame(dict(zip(TARGETS, drawn, strict=True)))
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
    unlabelled: Designed, asked: Designed, recipe: CTRecipe, seeds: Sequence[int] = (0,)
) -> pd.DataFrame:
    """Both methods pre-trained on the same pictures, frozen, and a straight line from their features to each target.

    The line is fitted on the first half of ``asked`` and answers for the second.

    Parameters
    ----------
    unlabelled, asked
        Of different seeds.
    recipe
        Its method and seed are replaced.
    seeds
        Of pre-trainings.

    Returns
    -------
    A row for each picture, reader, seed and target: ``reader, seed, target, picture, truth, predicted``.
    """
    cells = {(m, seed): replace(recipe, method=m, seed=seed) for m in METHODS for seed in seeds}
    names = np.arange(len(unlabelled.pool))
    folders = side_by_side(pretrained_vertebrae, {c: (unlabelled.pool, names, [], r) for c, r in cells.items()})
    pictures, features = asked.pool[:, 0], {}
    for seed in seeds:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            features["random", seed] = embed_vertebrae(build_ct_encoder(recipe.encoder), pictures)
    features |= {c: embed_vertebrae(load_ct_encoder(f, recipe.encoder), pictures) for c, f in folders.items()}
    features |= {(name, seeds[0]): x for name, x in measured(asked.pool).items()}
    first = np.arange(len(pictures)) < len(pictures) // 2
    return pd.concat([
        pd.DataFrame({"reader": reader, "seed": seed, "target": target, "picture": np.flatnonzero(~first),
                      "truth": truth[~first], "predicted": read_out(x, truth.to_numpy(), first, ~first)})
        for (reader, seed), x in features.items() for target, truth in asked.truth.items()
    ], ignore_index=True)  # fmt: skip
