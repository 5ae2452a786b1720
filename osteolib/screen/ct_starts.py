"""Where a training on vertebrae may start: encoders pre-trained on those without DXA, of training patients alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.ct_pool import pool_images
from osteolib.screen.ct_study import CTStudy
from osteolib.ssl.ct_pretrain import METHODS, CTRecipe, pretrained_vertebrae
from osteolib.ssl.pretrain import ENCODER

ENCODERS = {"swav": "resnet18-half", "tp-swav": "resnet18-half", "mae": "vit-tiny"}
"""What each method pre-trains: ``Recipe.encoder`` of the training that starts from it."""
FULL_EPOCHS, FAST = 300, {"lr": 1e-3, "warmup": 1}
"""As many epochs as the paper's; and what fewer have in place of 1e-4 after a warm-up of 100."""


def starts(study: CTStudy, methods: Iterable[str] = METHODS, epochs: int = 6, seed: int = 0) -> dict[str, Path]:
    """File of encoder weights by method, pre-trained side by side on ``study.without``.

    For ``Recipe.start`` (as text) of :mod:`osteolib.screen.moe_training`, with ``Recipe.encoder`` as :data:`ENCODERS`
    says.

    Raises
    ------
    ValueError
        A method is not known; the study has no vertebra without DXA.
    """
    folders = start_folders(study, methods, epochs, seed)
    return {method: folder / ENCODER for method, folder in folders.items()}


def start_folders(study: CTStudy, methods: Iterable[str] = METHODS, epochs: int = 6, seed: int = 0) -> dict[str, Path]:
    """As :func:`starts`, the folders: beside the weights lies ``history.parquet``."""
    recipes = {method: start_recipe(method, epochs, seed) for method in methods}
    groups = study.without["split_group"].to_numpy()
    held_out = set(study.rows["split_group"][~study.parts["train"]])
    pool = pool_of_study(study)
    return side_by_side(
        pretrained_vertebrae, {method: (pool, groups, held_out, recipe) for method, recipe in recipes.items()}
    )


def start_recipe(method: str, epochs: int, seed: int) -> CTRecipe:
    """What :func:`starts` trains.

    Raises
    ------
    ValueError
        The method is not known.
    """
    if method not in ENCODERS:
        raise ValueError(f"method must be one of {', '.join(ENCODERS)}, got {method!r}")
    return CTRecipe(method, ENCODERS[method], epochs=epochs, seed=seed, **({} if epochs >= FULL_EPOCHS else FAST))


def pool_of_study(study: CTStudy) -> NDArray[np.uint8]:
    """The texture pools of the vertebrae without DXA: see :func:`osteolib.screen.ct_pool.pool_images`.

    Raises
    ------
    ValueError
        There is none.
    """
    if not len(study.without):
        raise ValueError("the study has no vertebra without DXA to pre-train on: ask for a larger share (unlabelled)")
    key = {name: value for name, value in study.key.items() if name == "cohort"}
    return pool_images(study.without, study.key["size"], study.key["spacing_mm"], key)
