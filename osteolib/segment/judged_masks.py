"""Masks that a promptable segmenter gave, as a table: what the rules said of each, and what the truth says of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import read_masks
from osteolib.segment.prompts import Rules, decode_rle, verdict
from osteolib.segment.real_hands import AnnotatedHand

WORDS = ("area", "elongation", "covered", "waist", "piece", "shared")
"""A word for each rule, in the order in which they are asked."""
OFF = {
    "none": {},
    "area": {"area": (1e-3, 100.0)},
    "elongation": {"elongation": 0},
    "covered": {"covered": 0},
    "waist": {"waist": 1},
    "piece": {"one_piece": 0},
    "shared": {"overlap": 1},
}
"""What to give :class:`osteolib.segment.prompts.Rules` to switch a rule off."""


def listed(hands: Iterable[AnnotatedHand]) -> pd.DataFrame:
    """One row per mask: ``image_id, bone, accepted`` and ``rule``, the one of :data:`WORDS` that it broke first."""
    return pd.DataFrame(
        [
            {"image_id": hand.image_id, "bone": r["bone"], "accepted": r["accepted"],
             "rule": next((word for word in WORDS if word in r["reason"]), "")}
            for hand in hands for r in hand.records
        ]
    )  # fmt: skip


def dice_with_truth(hands: Iterable[AnnotatedHand], masks_paths: Iterable[str | Path]) -> list[float]:
    """Dice of each mask with the true bone, in the order of :func:`listed`; ``masks_paths`` of the simulated hands."""
    found = []
    for hand, path in zip(hands, masks_paths, strict=True):
        truth = read_masks(path, hand.image_id)
        for r in hand.records:
            a, b = decode_rle(r["rle"]), truth == BONES.index(r["bone"]) + 1
            found.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    return found


def kept_by(rules: Rules, hands: Sequence[AnnotatedHand]) -> NDArray[np.bool_]:
    """Which of the stored masks other rules would keep, in the order of :func:`listed`."""
    found = []
    for hand in hands:
        of_hand = {r["bone"]: decode_rle(r["rle"]) for r in hand.records}
        found += [not verdict(r["bone"], of_hand, np.array(r["prompt"]["axis"]), rules) for r in hand.records]
    return np.array(found)
