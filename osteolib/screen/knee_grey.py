"""Knees with grey levels that no exposure and no window decide, and what frozen features tell of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.cohorts import grouped_folds
from osteolib.runs.store import artefact
from osteolib.screen.readout import read_out
from osteolib.screen.weights import frozen_features
from osteolib.segment.grey import ranked

PREPARED, RANKED, IN_BONE = "prepared", "ranked", "ranked in the bone"
ENCODER = "efficientnet_lite0"


def kinds_of_grey(images: NDArray[np.uint8], bone: NDArray[np.bool_] | None = None) -> dict[str, NDArray[np.uint8]]:
    """Knees as they were prepared, with ranks over the whole picture, and where a mask is given over the bone alone.

    Parameters
    ----------
    images
        Shape (n, size, size), uint8, from :func:`osteolib.screen.knee_folds.knee_images`.
    bone
        The same shape; what lies outside becomes 0 in the last kind.
    """
    seen = np.maximum(images, 1)  # 0 means "outside" to ranks
    kinds = {PREPARED: images, RANKED: ranked(seen)}
    return kinds if bone is None else kinds | {IN_BONE: ranked(np.where(bone, seen, 0))}


def photograph_features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Features of an EfficientNet-Lite0 of photographs, shape (n, features), from the store if they are there.

    Identical pictures are looked at once.
    """
    distinct, number = np.unique(images.reshape(len(images), -1), axis=0, return_inverse=True)
    distinct = distinct.reshape(-1, *images.shape[1:])
    key = {"images": hashlib.sha256(np.ascontiguousarray(distinct)).hexdigest(), "size": images.shape[1:]}
    modules = (__name__, "osteolib.screen.weights")
    folder = artefact("knee-grey-features", key, modules, lambda into: np.save(
        into / "features.npy", frozen_features(ENCODER, distinct), allow_pickle=False))  # fmt: skip
    return np.load(folder / "features.npy", allow_pickle=False)[number]


def told_of_knees(
    features: NDArray[np.float32], knees: pd.DataFrame, asked: Mapping[str, ArrayLike], label: ArrayLike, seed: int
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """What linear models that learned from half of the people say of the knees of the other half.

    Parameters
    ----------
    features
        Shape (n, features).
    knees
        ``subject_id, split_group`` of each knee.
    asked
        Numbers of each knee, shape (n,), float, by name.
    label
        0 or 1, shape (n,): it decides the halves, too, so that each has its share.

    Returns
    -------
    A column for each number and ``risk``, the probability of 1, of the knees that did not teach; and which they are.
    """
    label = np.asarray(label)
    held = grouped_folds(knees, label, 2, seed) == 0
    said = {name: read_out(features, np.asarray(number, float), ~held, held) for name, number in asked.items()}
    return pd.DataFrame(said | {"risk": read_out(features, label.astype(int), ~held, held)}), held
