"""The recorded cells of the hand's learning curves: how many labelled and unlabelled people each way takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.cohorts.folds import grouped_folds
from osteolib.phantoms.hand.truth import ideal_reader
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.bone_probe import embed, embed_stored, vote
from osteolib.screen.hand_grid import cut_segments, grid_recipe, taught_recipe
from osteolib.screen.hand_people import BLOCK, NEW_COHORTS, HandPeople, hand_people
from osteolib.screen.taught_bones import Taught, supervised
from osteolib.screen.weights import frozen_features
from osteolib.segment.cortex_table import cortex_by_true_mask
from osteolib.ssl.encoders import build_encoder
from osteolib.ssl.pretrain import pretrained
from osteolib.stats.prediction_metrics import prediction_metrics

DRAWS = {48: 3, 96: 3, 192: 2, 384: 2}
"""Drawings of a training set by its people; one of any larger."""

IDEAL, CORTEX = "all that reaches the pixels", "cortex of M2, measured"
TAUGHT_FILMED = "supervised, as filmed"
TAUGHT, RANDOM, PHOTOGRAPHS, TUNED = "supervised", "random weights", "photographs", "fine-tuned"
PENALTIES = np.logspace(-5, -1, 5)  # C of the linear layer
STEPS, PASSES = 200, 2  # of a supervised training, whichever takes longer
PRETRAINED_PASSES = 2  # over the largest set; smaller ones get as many steps
MODULES = {
    name: (
        "osteolib.screen.hand_people", "osteolib.screen.hand_grid", "osteolib.screen.taught_bones",
        "osteolib.screen.bone_probe", "osteolib.phantoms.hand.people", "osteolib.phantoms.hand.film",
        "osteolib.phantoms.hand.truth", "osteolib.segment.cortex_table", "osteolib.ssl.pretrain",
        "osteolib.screen.weights", "osteolib.train",
    )
    for name in ("taught", "taught_on", "untaught")
}  # fmt: skip
"""Whose code the predictions depend on."""
GIVEN: dict[str, Any] = {}  # nothing comes from outside


def taught(sizes: Mapping[str, Any], seed: int, n_people: int) -> Recording:
    """The network of the hand chapters taught with labels from random weights, by the number of labelled people.

    Bones are ranked. Beside it, on the same new people, the cortex measured with a ruler and the ideal reader.
    """
    hands = hand_people(n_people, seed, sizes["image_size"])
    said, history = {(IDEAL, 0, 0): ideal_reader(preset="lee2025", seed=seed)(hands.people)}, []
    measured = -cortex_by_true_mask(hands.people)["percentage"]
    if measured.notna().mean() > 0.5:  # films of few pixels have no cortex to measure
        said[CORTEX, 0, 0] = measured.fillna(measured.median()).to_numpy()
    for n, draw in drawings(n_people):
        recipe = taught_recipe("whole", seed + draw, sizes["backbone"], 1, sizes["image_size"])
        said[TAUGHT, n, draw], curve = scored_network(hands, hands.drawn(n, draw), recipe)
        history.append(curve.assign(method=TAUGHT, n_people=n, draw=draw))
    return recording(hands, said, history, seed, sizes, steps=STEPS, passes=PASSES)


def taught_on(sizes: Mapping[str, Any], seed: int, n_people: int, grey: str, few: list[int]) -> Recording:
    """As :func:`taught`, on bones with one of ``GREY``, and with fewer people than a block has.

    Parameters
    ----------
    few
        Numbers that divide 48. A drawing of so few lies in the drawing of 48 with its number. With ranked grey levels
        these are all that is trained: the others are those of :func:`taught`.
    """
    hands = hand_people(n_people, seed, sizes["image_size"])
    if grey == "filmed":
        hands = as_filmed(hands, sizes["image_size"])
    sets = {(n, draw): some_of_block(hands, n, draw) for n in few for draw in range(DRAWS[BLOCK])}
    if grey == "filmed":
        sets |= {(n, draw): hands.drawn(n, draw) for n, draw in drawings(n_people)}
    name, said, history = TAUGHT if grey == "ranked" else TAUGHT_FILMED, {}, []
    for (n, draw), seen in sets.items():
        recipe = taught_recipe("whole", seed + draw, sizes["backbone"], 1, sizes["image_size"])
        said[name, n, draw], curve = scored_network(hands, seen, recipe)
        history.append(curve.assign(method=name, n_people=n, draw=draw))
    return recording(hands, said, history, seed, sizes, steps=STEPS, passes=PASSES, grey=grey)


def as_filmed(hands: HandPeople, image_size: int) -> HandPeople:
    """The same bones with grey levels as the film shows them."""
    images = [cut_segments(cohort, image_size).images for cohort in hands.cohorts]
    old, new = np.concatenate(images[:-NEW_COHORTS]), np.concatenate(images[-NEW_COHORTS:])
    return replace(hands, training=replace(hands.training, images=old), new=replace(hands.new, images=new))


def some_of_block(hands: HandPeople, n: int, draw: int) -> NDArray[np.bool_]:
    """Bones of ``n`` people of block ``draw``, with its share of ill people; ``n`` divides 48."""
    if n >= BLOCK or BLOCK % n:
        raise ValueError(f"few people must divide {BLOCK} and be fewer, got {n}")
    table, seen = hands.training.table, hands.drawn(BLOCK, draw)
    seen[seen] = grouped_folds(table[seen], table["y"][seen], BLOCK // n, draw) == 0
    return seen


def untaught(
    sizes: Mapping[str, Any], seed: int, n_people: int, unlabelled: list[int], more: Mapping[str, list[int]],
    tuned: list[int],
) -> Recording:  # fmt: skip
    """A linear layer on frozen encoders, by the number of labelled people, for several numbers of unlabelled ones.

    Parameters
    ----------
    unlabelled
        People that SimCLR learns from, without labels; each encoder takes as many steps.
    more
        The same of further methods.
    tuned
        Labelled people with whom the SimCLR encoder of most people is trained on as a whole.
    """
    hands = hand_people(n_people, seed, sizes["image_size"])
    old, new = hands.training, hands.new
    everybody = np.concatenate([old.images, new.images])
    torch.manual_seed(seed)
    plain = grid_recipe("simclr", "large", seed, sizes["backbone"], 1, sizes["image_size"])
    view = plain.crops[0].size
    features = {
        RANDOM: embed(build_encoder(plain.encoder), everybody, view),
        PHOTOGRAPHS: frozen_features("efficientnet_lite0", everybody),
    }
    history, folders = [], {}
    for method, numbers in {"simclr": unlabelled, **more}.items():
        for n in numbers:
            seen = hands.drawn(n, 0)
            epochs = max(round(PRETRAINED_PASSES * len(seen) / seen.sum()), 1)
            recipe = replace(plain, method=method, epochs=epochs)
            unknown, subject = np.full(seen.sum(), np.nan), old.table["subject_id"].to_numpy(str)
            folder = pretrained(old.images[seen], subject[seen], unknown, set(new.table["subject_id"]), recipe)
            name = f"{method} of {n}"
            features[name], folders[name] = embed_stored(folder, recipe.encoder, everybody, view), folder
            curve = pd.read_parquet(folder / "history.parquet")
            history.append(curve.assign(method=name, n_people=n, draw=0))
    said = {
        (name, n, draw): probed(x, hands, n, draw)
        for name, x in features.items() for n, draw in drawings(n_people)
    }  # fmt: skip
    start = f"simclr of {max(unlabelled)}"
    for n in tuned:
        recipe = taught_recipe("whole", seed, sizes["backbone"], 1, sizes["image_size"])
        said[TUNED, n, 0], curve = scored_network(hands, hands.drawn(n, 0), recipe, folders[start])
        history.append(curve.assign(method=TUNED, n_people=n, draw=0))
    return recording(hands, said, history, seed, sizes, steps=STEPS, passes=PASSES, unlabelled=unlabelled,
                     pretrained_passes=PRETRAINED_PASSES)  # fmt: skip


def drawings(n_people: int) -> Iterable[tuple[int, int]]:
    """Training sets of doubling size up to ``n_people``: people, and number of the drawing."""
    for k in range(int(math.log2(n_people // BLOCK)) + 1):
        n = BLOCK * 2**k
        yield from ((n, draw) for draw in range(min(DRAWS.get(n, 1), n_people // n)))


def scored_network(
    hands: HandPeople, seen: NDArray[np.bool_], recipe: Taught, start: Path | None = None
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Scores of the new people by a network taught with the training bones ``seen``, and its history.

    At least :data:`STEPS` steps and :data:`PASSES` passes. One in 24 of the new people draws the curve of validation.
    """
    old, new = hands.training, hands.new
    table = pd.concat([old.table[seen], new.table], ignore_index=True)
    watched = grouped_folds(new.table, new.table["y"], 24, 0) == 0
    part = np.append(np.full(seen.sum(), "train"), np.where(watched, "validation", "test"))
    epochs = max(math.ceil(STEPS / (seen.sum() // recipe.batch_size)), PASSES)
    folder = supervised(
        np.concatenate([old.images[seen], new.images]), table["y"], table["subject_id"], part,
        replace(recipe, epochs=epochs), start,
    )  # fmt: skip
    probability = pd.read_parquet(folder / "probability.parquet")["probability"].to_numpy()[seen.sum() :]
    return by_people(hands, probability), pd.read_parquet(folder / "history.parquet")


def probed(features: NDArray[np.float32], hands: HandPeople, n: int, draw: int) -> NDArray[np.float64]:
    """Scores of the new people by a logistic regression on the features of a drawing of ``n`` people.

    Its penalty is chosen by cross-validation over people; ``features`` has training bones, then those of new people.
    """
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import GroupKFold
    from sklearn.preprocessing import StandardScaler

    seen, old = hands.drawn(n, draw), hands.training.table
    scale = StandardScaler().fit(features[: len(old)][seen])
    x, y = scale.transform(features[: len(old)][seen]), old["y"].to_numpy()[seen]
    folds = list(GroupKFold(4).split(x, y, old["subject_id"][seen]))
    layer = LogisticRegressionCV(
        Cs=PENALTIES, cv=folds, scoring="neg_log_loss", max_iter=1000, l1_ratios=(0,), use_legacy_attributes=False
    ).fit(x, y)
    return by_people(hands, layer.predict_proba(scale.transform(features[len(old) :]))[:, 1])


def by_people(hands: HandPeople, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Equation 10: the mean over a person's bones, in the order of ``hands.people``."""
    table = hands.new.table
    votes = vote(table["subject_id"], table["y"], probability).set_index("group")["y_score"]
    return votes[hands.people.index].to_numpy()


def recording(
    hands: HandPeople, said: Mapping[tuple[str, int, int], NDArray], history: list[pd.DataFrame], seed: int,
    sizes: Mapping[str, Any], **about: Any,
) -> Recording:  # fmt: skip
    """The scores as a record; a method is named by its people and drawing: ``supervised, 48 people, draw 0``."""
    people = hands.people.reset_index()
    name, ill = people["subject_id"], people["label"].eq("osteoporosis").astype(float)
    people = people.assign(cohort="hand-phantom", split="test", fold=0, seed=seed, target="osteoporosis", y_true=ill,
                           unit_id=name, image_id=name, split_group=name)  # fmt: skip
    tables = [
        people.assign(method=f"{name}, {n} people, draw {draw}", y_score=score)
        for (name, n, draw), score in said.items()
    ]
    predictions = pd.concat(tables)[[*PREDICTION_COLUMNS, "split_group"]]
    about |= {"image_size": sizes["image_size"], "backbone": sizes["backbone"], "n_train": int(
        hands.training.table["subject_id"].nunique()), "n_test": len(people), "initialisation": "none"}  # fmt: skip
    used = {f"hand-phantom, {number}": {"kind": cohort.kind, "fingerprint": cohort.fingerprint}
            for number, cohort in enumerate(hands.cohorts)}  # fmt: skip
    return Recording(predictions, pd.concat(history).assign(fold=0), prediction_metrics(predictions), used, about)
