"""The hand paper's method with a part left out or changed, on simulated people (lee2025_hand, Tables 4, 6, 7 and 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import call
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.cohorts import Cohort, load_cohort
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.bone_probe import embed, embed_stored, split_bones
from osteolib.screen.hand_grid import (
    N_FOLDS,
    Segments,
    cut_segments,
    grid_encoder,
    grid_recipe,
    taught_recipe,
    with_grey,
    with_new_people,
)
from osteolib.screen.hand_windows import cut_windows, part_of_people
from osteolib.screen.held_out_bones import held_out_probability, scores_of_people
from osteolib.screen.taught_bones import Taught, supervised
from osteolib.segment.bones import film_rows
from osteolib.ssl.encoders import build_encoder
from osteolib.ssl.pretrain import Recipe
from osteolib.stats.prediction_metrics import prediction_metrics
from osteolib.views.still import STILL

FULL = "full method"
SQUARES, PATCHES, FILM = "squares, no mask", "random patches", "patches, then the film"
CROPS_ALONE, UNTRAINED, LABELS = "crops alone", "random weights", "labels alone"
CONVENTIONAL, VGG, HAND, FILMED = "conventional crops", "labels, VGG16", "labels, whole hand", "as filmed"
N_PROBES = 3
MODULES = {
    "one_seed": (
        __name__, "osteolib.screen.hand_grid", "osteolib.screen.hand_windows", "osteolib.screen.held_out_bones",
        "osteolib.screen.taught_bones", "osteolib.screen.classifiers", "osteolib.screen.bone_probe",
        "osteolib.segment.bones", "osteolib.segment.windows", "osteolib.segment.grey", "osteolib.views.multicrop",
        "osteolib.views.still", "osteolib.ssl.pretrain", "osteolib.ssl.encoders", "osteolib.ssl.losses",
        "osteolib.ssl.larc", "osteolib.phantoms.hand.people", "osteolib.phantoms.hand.film", "osteolib.train",
    ),
}  # fmt: skip
"""Whose code the predictions depend on."""
GIVEN: dict[str, Any] = {}  # nothing comes from outside

Sizes = tuple[str, int, int]
"""Backbone, epochs, pixels along a side of an image."""


@dataclass(frozen=True)
class Pictures:
    """Images of the same people by kind, ranked but for ``filmed``; ``part`` of each bone of the first cohort's split.

    Kinds: ``bones``, the same as ``filmed``, the ``squares`` around them, ``patches`` of their sizes from anywhere, the
    ``hand``, the ``film``. People of the second cohort are of the part ``new``.
    """

    images: Mapping[str, Segments]
    part: NDArray[np.str_]

    def told(self, kind: str) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.str_]]:
        """Label, person and part of each image of a kind."""
        rows = self.images[kind].table
        one_a_bone = len(rows) == len(self.part)
        own = self.part if one_a_bone else part_of_people(rows, self.images["filmed"].table, self.part)
        return rows["y"].to_numpy(), rows["subject_id"].to_numpy(str), own


def pictures(cohort: Cohort, others: Cohort, image_size: int, seed: int) -> Pictures:
    """Cut all kinds of images of two phantom cohorts; the first is split, and half of its people train."""
    first, more = (cut_segments(people, image_size) for people in (cohort, others))
    part = split_bones(first.table, first.table["y"], n_folds=N_FOLDS, seed=seed)
    filmed = with_new_people(first, more)
    cut = [cut_windows(people, image_size, seed + k) for k, people in enumerate((cohort, others))]
    images = {"filmed": filmed, "bones": with_grey(filmed, "ranked")}
    images |= {kind: with_grey(with_new_people(*(c[kind] for c in cut)), "ranked") for kind in cut[0]}
    return Pictures(images, np.append(part, np.full(len(more.table), "new")))


def unlabelled_steps(sizes: Sizes, seed: int) -> dict[str, tuple[str, Recipe]]:
    """The kind of images and the pre-training of each step that is told no label: one entry differs from the first."""
    full = grid_recipe("simclr", "extended", seed, *sizes)
    return {
        FULL: ("bones", full),
        FILMED: ("filmed", full),
        SQUARES: ("squares", full),
        PATCHES: ("patches", full),
        CROPS_ALONE: ("bones", replace(full, augmentation=STILL)),
        CONVENTIONAL: ("bones", grid_recipe("simclr", "conventional", seed, *sizes)),
    }


def labelled_steps(sizes: Sizes, seed: int, images: Mapping[str, Segments]) -> dict[str, tuple[str, Taught]]:
    """Those that are taught labels: on bones, with a VGG16, and on one image of the hand for as many steps more."""
    whole = taught_recipe("whole", seed, *sizes)
    vgg = "vgg16" if sizes[0] == "resnet50" else "vgg16-quarter"
    longer = round(len(images["bones"].table) / len(images["hand"].table)) * whole.epochs
    return {
        LABELS: ("bones", whole),
        VGG: ("bones", replace(whole, encoder=vgg)),
        HAND: ("hand", replace(whole, epochs=longer)),
    }


@dataclass(frozen=True)
class Scores:
    """What every step says: ``said`` (layers, images) by step and seed, NaN for who trained; its kind; the loss."""

    images: Mapping[str, Segments]
    kind: Mapping[str, str]
    said: Mapping[tuple[str, int], NDArray[np.float64]]
    history: pd.DataFrame

    def people(self, step: str, seeds: Sequence[int]) -> pd.DataFrame:
        """Votes of the people who did not train, averaged over the layers of some seeds: ``group, y_true, y_score``."""
        layers = [self.said[step, seed] for seed in seeds if (step, seed) in self.said]
        return scores_of_people(self.images[self.kind[step]].table, np.concatenate(layers))


def train_steps(given: Pictures, sizes: Sizes, seeds: Sequence[int], n_probes: int, probe_epochs: int) -> Scores:
    """Train every step from every seed and let it speak of the people it has not seen; the first seed splits probes.

    Features of whole images, a linear layer on those of the training people, ``n_probes`` times. ``random weights``
    are those of the first seed; ``patches, then the film`` reads one image of the film by the encoder of the patches.
    """
    seed, images = seeds[0], given.images
    shown, taught = unlabelled_steps(sizes, seed), labelled_steps(sizes, seed, images)
    kind = {step: kind for step, (kind, _) in (shown | taught).items()} | {FILM: "film", UNTRAINED: "bones"}
    jobs = {(step, k): (grid_encoder, images[kind], given.part, replace(recipe, seed=k))
            for step, (kind, recipe) in shown.items() for k in seeds}  # fmt: skip
    jobs |= {(step, k): (supervised, images[kind].images, *given.told(kind), replace(recipe, seed=k))
             for step, (kind, recipe) in taught.items() for k in seeds}  # fmt: skip
    folders = side_by_side(call, jobs)

    encoder, view = shown[FULL][1].encoder, shown[FULL][1].crops[0].size
    read = {(step, k): (folders[step, k], encoder, images[kind].images, view)
            for step, (kind, _) in shown.items() for k in seeds}  # fmt: skip
    read |= {(FILM, k): (folders[PATCHES, k], encoder, images["film"].images, view) for k in seeds}
    features = side_by_side(embed_stored, read)
    torch.manual_seed(seed)
    features[UNTRAINED, seed] = embed(build_encoder(encoder), images["bones"].images, view)

    layers = side_by_side(held_out_probability, {
        (step, k, n): (x, *given.told(kind[step]), seed + n, probe_epochs)
        for (step, k), x in features.items() for n in range(n_probes)})  # fmt: skip
    said = {key: np.stack([layers[*key, n][0] for n in range(n_probes)]) for key in features}
    for step, k in [key for key in folders if key[0] in taught]:
        p = pd.read_parquet(folders[step, k] / "probability.parquet")["probability"]
        said[step, k] = p.where(given.told(kind[step])[2] != "train").to_numpy()[None]
    history = [pd.read_parquet(folder / "history.parquet").assign(method=step, seed=k)
               for (step, k), folder in folders.items()]  # fmt: skip
    return Scores(images, kind, said, pd.concat(history, ignore_index=True))


def one_seed(sizes: Mapping[str, Any], seed: int) -> Recording:
    """All steps on people, split and trainings of one seed, and votes on those who did not train."""
    cohorts = [load_cohort("hand-phantom", preset="lee2025", seed=2 * seed + k, size=film_rows(sizes["image_size"]))
               for k in (0, 1)]  # fmt: skip
    given = pictures(*cohorts, sizes["image_size"], seed)
    scores = train_steps(given, (sizes["backbone"], sizes["ssl_epochs"], sizes["image_size"]), [seed], N_PROBES, 100)
    tables = []
    for step in scores.kind:
        people = scores.people(step, [seed])
        name = people["group"]
        tables.append(people.assign(
            cohort="hand-phantom", subject_id=name, image_id=name, unit_id=name, split_group=name, split="test", fold=0,
            seed=seed, method=step, target="osteoporosis", y_true=people["y_true"].astype(float)))  # fmt: skip
    predictions = pd.concat(tables)[[*PREDICTION_COLUMNS, "split_group"]]
    _, people, part = given.told("hand")
    about = {"image_size": sizes["image_size"], "backbone": sizes["backbone"], "epochs": sizes["ssl_epochs"],
             "initialisation": "none", "n_probes": N_PROBES, "n_train": int((part == "train").sum()),
             "n_test": int(people[part != "train"].size)}  # fmt: skip
    used = {f"hand-phantom, {k}": {"kind": c.kind, "fingerprint": c.fingerprint} for k, c in enumerate(cohorts)}
    return Recording(predictions, scores.history.assign(fold=0), prediction_metrics(predictions), used, about)
