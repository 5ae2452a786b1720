"""The grid of the hand papers: one pre-trained encoder for each method, kind of crops and seed.

The pages read its cells from the store, and train what is not there. ``snakemake hand_grid`` trains all cells of a
profile before, one job each: ``python -m osteolib.screen.hand_grid paper simclr extended 0`` is such a job.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.cohorts import Cohort, load_cohort
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.runs import load_profile
from osteolib.screen.bone_probe import split_bones
from osteolib.segment.bones import bone_images, film_rows
from osteolib.ssl.pretrain import Recipe, pretrained
from osteolib.views.multicrop import CROPS, Crop

CONTENT = {"conventional": 0.0, "extended": 0.10}
"""Least share of a crop that is not zero, by kind of crops."""

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


def grid_recipe(method: str, crops: str, seed: int, backbone: str, epochs: int, image_size: int) -> Recipe:
    """The papers' sizes for ResNet-50, and what two processor cores can do in minutes for any other backbone.

    With SwAV's own epsilon of 0.05 its loss stayed at that of a collapsed encoder when this was tried, as its authors
    warn of too high a value (arXiv:2006.09882, Section 3.1). 0.03 was chosen by that loss alone.
    """
    whole = backbone == "resnet50"
    sizes = (224, 96) if whole else (64, 32) if image_size >= 128 else (32, 24)
    views = tuple(Crop(crop.n, size, crop.scale) for crop, size in zip(CROPS, sizes, strict=True))
    network = {} if whole else {"encoder": "resnet18-half", "head": "small", "batch_size": 64}
    return Recipe(method, crops=views, min_content=CONTENT[crops], epochs=epochs, epsilon=0.03, seed=seed, **network)


def grid_encoder(segments: Segments, part: np.ndarray, recipe: Recipe) -> Path:
    """The stored encoder of one cell: it learns from training bones, and SupCon alone is told their labels."""
    seen, subject = part == "train", segments.table["subject_id"].to_numpy(str)
    shown = np.where(recipe.method == "supcon", segments.table["y"].to_numpy(float), np.nan)[seen]
    return pretrained(segments.images[seen], subject[seen], shown, set(subject[~seen]), recipe)


def main(profile: str, method: str, crops: str, seed: int) -> None:
    """Train one cell as the pages with their default seed would."""
    values = load_profile(profile)
    cohort = load_cohort("hand-phantom", preset="lee2025", seed=0, size=film_rows(values["image_size"]))
    segments = cut_segments(cohort, values["image_size"])
    part = split_bones(segments.table, segments.table["y"], n_folds=N_FOLDS)
    sizes = values["backbone"], values["ssl_epochs"], values["image_size"]
    print(grid_encoder(segments, part, grid_recipe(method, crops, seed, *sizes)))


if __name__ == "__main__":
    import typer

    typer.run(main)
