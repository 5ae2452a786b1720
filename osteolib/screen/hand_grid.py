"""The grid of the hand papers: one pre-trained encoder for each method, kind of views, kind of grey levels and seed.

The pages read its cells from the store, and train what is not there. ``snakemake hand_grid`` trains all cells of a
profile before, one job each: ``python -m osteolib.screen.hand_grid paper simclr extended filmed 0`` is such a job.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.cohorts import Cohort, load_cohort
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.runs import load_profile
from osteolib.screen.bone_probe import split_bones
from osteolib.screen.taught_bones import Taught
from osteolib.segment.bones import bone_images, film_rows
from osteolib.segment.grey import ranked
from osteolib.ssl.pretrain import Recipe, pretrained
from osteolib.views.multicrop import CROPS, Crop

CONTENT = {"conventional": 0.0, "extended": 0.10, "large": 0.0}
"""Least share of a view that is not zero, by kind of views: both kinds of multi-crop, and two large views."""

LARGE = (0.4, 1.0)
"""Areas of the two large views, which no hand paper has: each holds most of a bone, and there are no small ones."""

WHOLE = (0.7, 1.0)
"""Areas of the one view of a bone that teaches labels."""

GREY = ("ranked", "filmed")
"""Grey levels of a bone: their ranks (:func:`osteolib.segment.grey.ranked`), or as the film shows them."""

QUEUE = 3840
"""Embeddings that SwAV keeps where a batch is smaller than its prototypes: its own recipe for small batches
(arXiv:2006.09882, Section 4.1). It is used once it is full."""

NEW = "new "  # before the name of a person of a second cohort
N_FOLDS = 4  # half of the subjects train; of the other half one quarter chooses and one tests, and they change places


@dataclass(frozen=True)
class Segments:
    """Bone images of a cohort.

    Attributes
    ----------
    images
        Shape (n, size, size), uint8, zero outside the bone.
    table
        A row each: ``bone_id, subject_id, split_group, bone``, and ``y``, 1 for osteoporosis.
    missing
        ``subject_id, bone, reason``: bones that a hand has no image of.
    """

    images: np.ndarray
    table: pd.DataFrame
    missing: pd.DataFrame


def cut_segments(cohort: Cohort, image_size: int) -> Segments:
    """Bones of a phantom cohort, cut out with their true masks."""
    images, rows, missing = [], [], []
    for hand in cohort.subjects.itertuples():
        pixels = read_radiograph(hand.path).pixels / 255
        cut = bone_images(pixels, read_masks(hand.masks_path, hand.image_id), image_size)
        images += cut.images.values()
        y = int(hand.label == "osteoporosis")
        rows += [(f"{hand.subject_id}-{b}", hand.subject_id, hand.split_group, b, y) for b in cut.images]
        missing += [(hand.subject_id, b, reason) for b, reason in cut.missing.items()]
    table = pd.DataFrame(rows, columns=["bone_id", "subject_id", "split_group", "bone", "y"])
    grey = (255 * np.stack(images).clip(0, 1)).round().astype(np.uint8)
    absent = pd.DataFrame(missing, columns=["subject_id", "bone", "reason"])
    return Segments(grey, table, absent)


def with_grey(segments: Segments, grey: str) -> Segments:
    """The same bones with one of the kinds of :data:`GREY`."""
    return replace(segments, images=ranked(segments.images)) if grey == "ranked" else segments


def with_new_people(segments: Segments, more: Segments) -> Segments:
    """The bones of a second cohort after those of the first; its people are renamed, for both count from one."""
    ids = ["bone_id", "subject_id", "split_group"]
    renamed = [t.assign(**{c: NEW + t[c] for c in ids if c in t}) for t in (more.table, more.missing)]
    tables = [
        pd.concat(pair, ignore_index=True) for pair in zip((segments.table, segments.missing), renamed, strict=True)
    ]
    return Segments(np.concatenate([segments.images, more.images]), *tables)


def grid_recipe(method: str, crops: str, seed: int, backbone: str, epochs: int, image_size: int) -> Recipe:
    """The papers' sizes for ResNet-50, and what two processor cores can do in minutes for any other backbone.

    With SwAV's own epsilon of 0.05 its loss stayed at that of a collapsed encoder when this was tried, as its authors
    warn of too high a value (arXiv:2006.09882, Section 3.1). 0.03 was chosen by that loss alone.
    """
    whole = backbone == "resnet50"
    sizes = (224, 96) if whole else (64, 32) if image_size >= 128 else (32, 24)
    views = tuple(Crop(crop.n, size, crop.scale) for crop, size in zip(CROPS, sizes, strict=True))
    views = (replace(views[0], scale=LARGE),) if crops == "large" else views
    network = {} if whole else {"encoder": "resnet18-half", "head": "small", "batch_size": 64}
    queue = QUEUE if whole and method == "swav" else 0
    return Recipe(
        method, queue=queue, crops=views, min_content=CONTENT[crops], epochs=epochs, epsilon=0.03, seed=seed, **network
    )


def taught_recipe(kind: str, seed: int, backbone: str, epochs: int, image_size: int) -> Taught:
    """The same network taught with labels: on ``whole`` bones, or on the views of multi-crop as ``views``.

    The rate of ``views`` is that of the knee paper: neither hand paper prints one.
    """
    views = grid_recipe("simclr", "extended", seed, backbone, epochs, image_size)
    known = {"encoder": views.encoder, "batch_size": views.batch_size, "epochs": epochs, "seed": seed}
    if kind == "views":
        return Taught(crops=views.crops, augmentation="lee2025", min_content=views.min_content, lr=1e-4, **known)
    return Taught(crops=(Crop(1, 3 * views.crops[0].size // 2, WHOLE),), **known)


def grid_encoder(segments: Segments, part: np.ndarray, recipe: Recipe) -> Path:
    """The stored encoder of one cell: it learns from training bones, and SupCon alone is told their labels."""
    seen, subject = part == "train", segments.table["subject_id"].to_numpy(str)
    shown = np.where(recipe.method == "supcon", segments.table["y"].to_numpy(float), np.nan)[seen]
    return pretrained(segments.images[seen], subject[seen], shown, set(subject[~seen]), recipe)


def main(profile: str, method: str, crops: str, grey: str, seed: int) -> None:
    """Train one cell as the pages with their default seed would."""
    values = load_profile(profile)
    cohort = load_cohort("hand-phantom", preset="lee2025", seed=0, size=film_rows(values["image_size"]))
    segments = with_grey(cut_segments(cohort, values["image_size"]), grey)
    part = split_bones(segments.table, segments.table["y"], n_folds=N_FOLDS)
    sizes = values["backbone"], values["ssl_epochs"], values["image_size"]
    print(grid_encoder(segments, part, grid_recipe(method, crops, seed, *sizes)))


if __name__ == "__main__":
    import typer

    typer.run(main)
