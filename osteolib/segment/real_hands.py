"""Hands annotated by prompts: real ones from their keypoints, phantoms from their true masks. Each is stored once.

Nobody drew these outlines and nobody has checked them: an accepted mask is one that breaks no rule, not a truth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts.hand_rsna import read_keypoints
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.runs.paths import file_sha256, write_atomic
from osteolib.runs.store import artefact
from osteolib.segment.prompts import (
    Axis,
    Predictor,
    Rules,
    annotate_bones,
    axes_from_keypoints,
    axes_from_masks,
    lite_medsam,
)

METACARPALS = ("M1", "M2", "M3", "M4", "M5")


@dataclass(frozen=True)
class AnnotatedHand:
    """``pixels`` (height, width) as read from the film; ``records`` of :func:`osteolib.segment.prompts.annotate_bones`,
    one per bone asked for, accepted or not (:func:`osteolib.segment.prompts.label_map` keeps the accepted)."""

    image_id: str
    pixels: NDArray[np.uint8]
    records: list[dict[str, Any]]


def annotated_hands(
    hands: pd.DataFrame,
    n: int,
    predictor: Callable[[], Predictor] = lite_medsam,
    bones: Collection[str] = METACARPALS,
) -> list[AnnotatedHand]:
    """Real hands, metacarpals by prompts from their keypoints, from the youngest to the oldest bone.

    Parameters
    ----------
    hands
        ``load_cohort("hand-rsna").subjects``: ``image_id, path, has_keypoints, bone_age_months``.
    n
        How many of those with keypoints: evenly spaced in the order of bone age, the same ones every time.
    predictor
        Makes the segmenter; also called when all hands are stored, for their key names its weights.

    Raises
    ------
    ValueError
        Fewer than ``n`` hands have keypoints, or n < 1.
    """
    marked = hands[hands.has_keypoints].sort_values(["bone_age_months", "image_id"])
    if not 1 <= n <= len(marked):
        raise ValueError(f"n = {n} hands asked for, but there are {len(marked)} with keypoints: choose 1 to that")
    chosen = marked.iloc[np.linspace(0, len(marked) - 1, n).round().astype(int) if n > 1 else [len(marked) // 2]]
    return _annotated(chosen, lambda row, shape: axes_from_keypoints(read_keypoints(row.image_id, shape)), predictor(),
                      bones)  # fmt: skip


def annotated_phantoms(
    hands: pd.DataFrame, predictor: Callable[[], Predictor] = lite_medsam, bones: Collection[str] = METACARPALS
) -> list[AnnotatedHand]:
    """The same for rows of ``hand-phantom``, with axes from the true masks: prompts as good as they can be."""

    def axes(row: Any, shape: tuple[int, int]) -> dict[str, Axis]:
        return axes_from_masks(read_masks(row.masks_path, row.image_id))

    return _annotated(hands, axes, predictor(), bones)


def _annotated(
    rows: pd.DataFrame,
    find_axes: Callable[[Any, tuple[int, int]], Mapping[str, Axis]],
    predictor: Predictor,
    bones: Collection[str],
) -> list[AnnotatedHand]:
    """A folder of the store for each hand: a killed run goes on with the next one, and pages share what they have."""
    found = []
    for row in rows.itertuples():
        pixels = read_radiograph(row.path).pixels
        axes = {name: axis for name, axis in find_axes(row, pixels.shape).items() if name in bones}
        key = {"film": file_sha256(Path(row.path)), "model": predictor.name, "weights": predictor.weights_sha256,
               "rules": asdict(Rules()), "axes": {name: axis.tolist() for name, axis in axes.items()}}  # fmt: skip

        def make(folder: Path, pixels: NDArray = pixels, axes: Mapping[str, Axis] = axes) -> None:
            write_atomic(folder / "records.json", json.dumps(annotate_bones(pixels, axes, predictor)))

        folder = artefact("annotated-hand", key, ("osteolib.segment.prompts",), make)
        records = json.loads((folder / "records.json").read_text(encoding="utf-8"))
        found.append(AnnotatedHand(row.image_id, pixels, records))
    return found
