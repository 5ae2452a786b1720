"""Bone images of real hands, cut along keypoints: metacarpals without a segmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts import Cohort
from osteolib.cohorts.hand_rsna import read_keypoints
from osteolib.radiograph import normalise_intensity, read_radiograph
from osteolib.segment.bones import BoneImages, bone_images
from osteolib.segment.keypoint_bones import capsules
from osteolib.segment.prompts import Axis, axes_from_keypoints
from osteolib.segment.real_hands import METACARPALS


@dataclass(frozen=True)
class RealBones:
    """Metacarpals of the hands that have keypoints, from the youngest to the oldest bone.

    Attributes
    ----------
    hands
        A row each, as in the cohort, by bone age.
    raw, films
        Their films as read, and windowed between the 1st and 99th percentile, (height, width), uint8.
    axes, masks, cut
        Axes by bone (x, y of both ends); label maps of the capsules around them; bone images of each hand.
    images, table
        All bone images, (n, size, size), uint8; and ``hand`` (row of ``hands``), ``bone`` of each.
    missing
        ``hand`` (image_id), ``bone``, ``why missing``.
    """

    hands: pd.DataFrame
    raw: list[NDArray[np.uint8]]
    films: list[NDArray[np.uint8]]
    axes: list[dict[str, Axis]]
    masks: list[NDArray[np.uint8]]
    cut: list[BoneImages]
    images: NDArray[np.uint8]
    table: pd.DataFrame
    missing: pd.DataFrame


def real_metacarpals(cohort: Cohort, size: int) -> RealBones:
    """Cut the metacarpals of ``hand-rsna`` out of the films as squares of ``size`` pixels.

    A film without keypoints gives no bone and is left out; so is a capsule that the edge of the film cuts off.
    """
    hands = cohort.subjects[cohort.subjects["has_keypoints"]]
    hands = hands.sort_values(["bone_age_months", "image_id"], ignore_index=True)
    raw = [read_radiograph(path).pixels for path in hands["path"]]
    axes = [
        axes_from_keypoints(read_keypoints(name, film.shape)) for name, film in zip(hands["image_id"], raw, strict=True)
    ]
    films = [normalise_intensity(film) for film in raw]
    masks = [capsules(along, film.shape) for along, film in zip(axes, films, strict=True)]
    cut = [bone_images(film / 255, mask, size) for film, mask in zip(films, masks, strict=True)]
    owner = [(k, bone) for k, c in enumerate(cut) for bone in c.images]
    grey = np.stack([cut[k].images[bone] for k, bone in owner])
    lost = [
        (hands.loc[k, "image_id"], b, c.missing[b]) for k, c in enumerate(cut) for b in METACARPALS if b in c.missing
    ]
    return RealBones(
        hands, raw, films, axes, masks, cut,
        (255 * grey.clip(0, 1)).round().astype(np.uint8),
        pd.DataFrame(owner, columns=["hand", "bone"]),
        pd.DataFrame(lost, columns=["hand", "bone", "why missing"]),
    )  # fmt: skip
