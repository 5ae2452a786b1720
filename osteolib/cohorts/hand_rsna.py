"""``hand-rsna``: real hands of children and adolescents, with bone age and, for some, 21 keypoints; no bone-loss label.

Source: RSNA Pediatric Bone Age Challenge 2017 (Halabi et al., Radiology 290:498, 2019, doi:10.1148/radiol.2018180736).
Real pictures for segmentation and views, and two targets (sex, bone age) that a model should be able to learn.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.duplicates import split_groups
from osteolib.cohorts.files import find_data
from osteolib.cohorts.manifest import Manifest, load_manifest
from osteolib.cohorts.tables import read_table, tidy_table

KEYPOINTS = "keypoints.json"


def read(manifest: Manifest, folder: Path) -> Cohort:
    """Read the cohort from verified files; one unit, a hand, per film, and one film per child.

    ``bone_age_months`` is what a radiologist read from the film; ``age_years``, ``t_score`` and ``label`` are missing,
    for nobody recorded them: a bone age is not an age. ``has_keypoints`` says for whom :func:`read_keypoints` works.

    Raises
    ------
    ValueError
        The table breaks its description, or a row has no film.
    """
    name = manifest.table["file"]
    hands, problems = tidy_table(read_table(folder / name), manifest.table["columns"])
    files = pd.DataFrame([file for file in manifest.files if file.phash])
    if not problems:
        without = hands.file[~hands.file.isin(files.path)]
        problems = [f"row {row}: no film {path} is listed in the manifest" for row, path in without.items()]
    if problems:
        raise ValueError(f"{name}: " + "\n".join(problems))
    hands = hands.assign(subject_id=hands.image_id, has_keypoints=hands.has_keypoints == "yes")
    hands = hands.merge(files[["path", "sha256", "phash"]], left_on="file", right_on="path").drop(columns="file")
    hands = hands.assign(
        path=[str(folder / path) for path in hands.path], split_group=split_groups(hands), unit_id=hands.image_id,
        unit="hand", bone="hand", view="PA", side="left",
    )  # fmt: skip
    notes = (
        f"Children and adolescents: bone ages of {hands.bone_age_months.min() / 12:.1f} to "
        f"{hands.bone_age_months.max() / 12:.1f} years. Their true age, and any measure of bone density, is unknown.",
        "The side is that of the challenge, which used left hands; on a few films the thumb points the other way.",
    )
    return make_cohort(manifest, {}, hands, notes=notes)


def read_keypoints(image_id: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Annotated points of one hand: the wrist, then four each for thumb, fore-, middle, ring and little finger.

    A finger's first point is the head of its metacarpal; the thumb's are base and head of the first metacarpal, then
    its joint and tip.

    Parameters
    ----------
    shape
        (height, width) of the film as it is stored; the annotation was made on the original and is scaled to it.

    Returns
    -------
    Shape (21, 2), x and y in pixels, NaN where a point was not marked.

    Raises
    ------
    DataNotFound
        The files are not here.
    ValueError
        This hand has no keypoints.
    """
    hands = json.loads((find_data(load_manifest("hand-rsna")) / KEYPOINTS).read_text(encoding="utf-8"))["hands"]
    hand = next((hand for hand in hands if hand["image_id"] == image_id), None)
    if hand is None:
        raise ValueError(f"hand-rsna: {image_id} has no keypoints; take the rows where has_keypoints is true")
    points = np.array(hand["left" if hand["left_valid"] else "right"], float).reshape(21, 3)
    scaled = points[:, :2] * (shape[1] / hand["width"], shape[0] / hand["height"])
    return np.where(points[:, 2:] > 0, scaled, np.nan)
