"""The hand papers' images without the segmentation, for the same people: squares, random patches, hand and film."""

from __future__ import annotations

import numpy as np
import pandas as pd

from osteolib.cohorts import Cohort
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.screen.hand_grid import Segments
from osteolib.segment.bones import bone_images
from osteolib.segment.windows import cut_square, film_box, hand_box, random_boxes

BY_BONE, BY_PERSON = ("squares", "patches"), ("hand", "film")
"""Kinds of windows: as many as a person has bones, or one."""


def cut_windows(cohort: Cohort, image_size: int, seed: int) -> dict[str, Segments]:
    """Windows of a phantom cohort by kind, as uint8 of ``image_size`` pixels.

    ``squares`` are those that the bones are cut out of, with all that lies around the bone; ``patches`` have the same
    sides and lie anywhere in the film. Both have the rows of :func:`osteolib.screen.hand_grid.cut_segments`, so that a
    person has as many of them as bones. ``hand`` is one square around all bones and ``film`` the whole film, a row a
    person who has a bone image. ``seed`` decides where the patches lie.
    """
    images: dict[str, list[np.ndarray]] = {kind: [] for kind in (*BY_BONE, *BY_PERSON)}
    bones, people = [], []
    for number, hand in enumerate(cohort.subjects.itertuples()):
        film, labels = read_radiograph(hand.path).pixels, read_masks(hand.masks_path, hand.image_id)
        if not (boxes := bone_images(film / 255, labels, image_size).boxes):
            continue
        sides = [side for _, _, side in boxes.values()]
        cut = {
            "squares": boxes.values(),
            "patches": random_boxes(film, sides, np.random.default_rng([seed, number])),
            "hand": [hand_box(labels)],
            "film": [film_box(film.shape)],
        }
        for kind, places in cut.items():
            images[kind] += [cut_square(film, box, image_size) for box in places]
        y = int(hand.label == "osteoporosis")
        bones += [(f"{hand.subject_id}-{bone}", hand.subject_id, hand.split_group, bone, y) for bone in boxes]
        people.append((hand.subject_id, hand.subject_id, hand.split_group, "hand", y))
    columns = ["bone_id", "subject_id", "split_group", "bone", "y"]
    none = pd.DataFrame(columns=["subject_id", "bone", "reason"])
    return {
        kind: Segments(
            np.stack(images[kind]), pd.DataFrame(bones if kind in BY_BONE else people, columns=columns), none
        )
        for kind in images
    }


def part_of_people(people: pd.DataFrame, bones: pd.DataFrame, part: np.ndarray) -> np.ndarray:
    """The part of each person, given that of each bone (n,); both tables with ``subject_id``."""
    known = dict(zip(bones["subject_id"], part.tolist(), strict=True))
    return np.array([known[person] for person in people["subject_id"]])
