"""Scores of every person who did not train an encoder: two parts change places, one chooses and the other is scored.

So one pre-training gives honest scores for both parts. The papers' 8:1:1 would leave too few people to score.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.screen.bone_probe import linear_probe, vote

SWAP = {"test": "validation", "validation": "test"}


def held_out_probability(
    features: np.ndarray, target: ArrayLike, groups: ArrayLike, part: ArrayLike, seed: int = 0, epochs: int = 100
) -> tuple[np.ndarray, pd.DataFrame]:
    """Probability of each bone that does not train, by linear layers on the training bones' features.

    Parameters
    ----------
    features, target, groups, part
        As in :func:`osteolib.screen.bone_probe.linear_probe`, which is trained twice: the parts ``test`` and
        ``validation`` change places. Bones of any other part have the mean of both layers.

    Returns
    -------
    Shape (n,), NaN for the bones that trained, and the history of the second layer.
    """
    part, said = np.asarray(part), []
    for way in (part, np.array([SWAP.get(name, name) for name in part])):
        layer, history = linear_probe(features, target, groups, way, seed=seed, epochs=epochs)
        said.append(np.where(np.isin(way, ["train", "validation"]), np.nan, layer(features)))
    first, second = said
    both = np.where(np.isnan(first), second, np.where(np.isnan(second), first, (first + second) / 2))
    return both, history


def scores_of_people(bones: pd.DataFrame, probability: np.ndarray) -> pd.DataFrame:
    """The vote of the bones that have a probability (:func:`osteolib.screen.bone_probe.vote`).

    ``bones``: ``subject_id, y``; ``probability`` (n,), NaN for bones without, or (seeds, n), averaged first.
    """
    mean = np.atleast_2d(probability).mean(0)
    scored = ~np.isnan(mean)
    return vote(bones.loc[scored, "subject_id"].to_numpy(str), bones.loc[scored, "y"].to_numpy(), mean[scored])


def mean_probability_by_bone(
    bones: pd.DataFrame, probability: np.ndarray, people: pd.DataFrame, order: list[str]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Mean probability of each kind of bone in four groups of people, and how many people each group has.

    A person is called positive whose score (``people``, from :func:`scores_of_people`) is above one half. A bone whose
    probability is high in everybody looks as important among true positives as one that knows something; the other
    groups tell them apart.
    """
    table = bones.assign(p=probability)[~np.isnan(probability)]
    table = table.merge(people[["group", "y_score"]], left_on="subject_id", right_on="group")
    called, ill = table["y_score"] > 0.5, table["y"].eq(1)
    groups: Mapping[str, pd.Series] = {
        "true positives": called & ill,
        "all with osteoporosis": ill,
        "all without": ~ill,
        "false positives": called & ~ill,
    }
    means = {name: table[who].groupby("bone")["p"].mean() for name, who in groups.items()}
    people_in = {name: int(table.loc[who, "subject_id"].nunique()) for name, who in groups.items()}
    return pd.DataFrame(means).reindex(order), people_in
