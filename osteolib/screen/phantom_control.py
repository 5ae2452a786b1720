"""The control of the knee chapters: STR-Net trained on acquisition A of the phantom, and the phantom's truth.

B is another hospital to it: other tube, detector and label method, other people. One page trains, another looks at
what was trained; both call this, so that they speak of the same network.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from osteolib.cohorts import Cohort, bone_loss, grouped_folds
from osteolib.phantoms.knee.truth import read_masks
from osteolib.radiograph import otsu_crop, read_radiograph, resize
from osteolib.screen.knee_folds import Recipe, knee_images, train_once


class PhantomControl(NamedTuple):
    """Knees of A, then of B; ``images`` (n, size, size) uint8; ``parts``, (n,) bool by name; the artefact's folder."""

    subjects: pd.DataFrame
    images: np.ndarray
    parts: dict[str, np.ndarray]
    folder: Path


def phantom_control(a: Cohort, b: Cohort, recipe: Recipe) -> PhantomControl:
    """Train on three fifths of A's people, stop by a fifth, score the last fifth (``test, A``) and ``external, B``."""
    subjects = pd.concat([a.subjects, b.subjects], ignore_index=True)
    images = np.concatenate([knee_images(cohort.subjects, recipe.image_size) for cohort in (a, b)])
    in_a = np.arange(len(subjects)) < len(a.subjects)
    fold = np.full(len(subjects), -1)
    fold[in_a] = grouped_folds(a.subjects, bone_loss(a.subjects["label"]), 5, recipe.seed)
    parts = {"test, A": fold == 0, "validation": fold == 1, "external, B": ~in_a, "train": fold > 1}
    folder = train_once(subjects, images, parts, recipe, {"cohorts": [a.fingerprint, b.fingerprint]})
    return PhantomControl(subjects, images, parts, folder)


def true_regions(subjects: pd.DataFrame, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The phantom's bone and its region around the joint, cropped and resized as the film was; (n, size, size), bool.

    ``subjects`` as for :func:`osteolib.screen.knee_folds.knee_images`, with ``image_id`` and ``masks_path``.
    """
    regions = np.empty((2, len(subjects), size, size), bool)
    for i, knee in enumerate(subjects.itertuples()):
        box = slice(knee.y0, knee.y1), slice(knee.x0, knee.x1)
        left, top, right, bottom = otsu_crop(read_radiograph(Path(knee.path)).pixels[box])
        for region, mask in zip(regions, read_masks(knee.masks_path, knee.image_id), strict=True):
            grey = mask[box][top:bottom, left:right].astype(np.uint8) * 255
            region[i] = resize(grey, size) > 127  # covered by half or more
    return regions[0], regions[1]


def trained_network(folder: Path, recipe: Recipe):
    """The STR-Net whose best weights lie in an artefact of :func:`osteolib.screen.knee_folds.train_once`."""
    from osteolib.screen.strnet import STRNet
    from osteolib.train import put_weights, read_weights

    model = STRNet(recipe.backbone, recipe.tarr)
    weights = folder / "model.safetensors"
    put_weights(model, read_weights(weights), weights.name)
    return model.eval()
