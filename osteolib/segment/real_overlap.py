"""A segmenter of simulated hands on real films, against masks that prompts made there and no rule refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.radiograph import normalise_intensity
from osteolib.segment.mixture import MixtureUNet
from osteolib.segment.overlap import dice, iou
from osteolib.segment.prompts import label_map
from osteolib.segment.real_hands import METACARPALS, AnnotatedHand
from osteolib.segment.training import draw, to_film, to_network

FIRST = BONES.index(METACARPALS[0])  # of the metacarpals, in the order of BONES


@dataclass(frozen=True)
class RealOverlap:
    """``seen`` and ``accepted``, label maps of each film; ``dice`` (n, 5) of the metacarpals, 0 where the network finds
    none; ``there`` (n, 5), whether a mask was accepted."""

    seen: list[NDArray[np.uint8]]
    accepted: list[NDArray[np.uint8]]
    dice: NDArray[np.float64]
    there: NDArray[np.bool_]

    @property
    def by_hand(self) -> NDArray[np.float64]:
        """Mean Dice of each hand with an accepted mask."""
        return np.array([d[t].mean() for d, t in zip(self.dice, self.there, strict=True) if t.any()])

    def inside(self) -> tuple[float, float]:
        """Of the pixels inside accepted masks, the shares called any metacarpal, and the right one."""
        pixels = [(s[a > 0], a[a > 0]) for s, a in zip(self.seen, self.accepted, strict=True)]
        s, a = (np.concatenate(values) for values in zip(*pixels, strict=True))
        return float((s > FIRST).mean()), float((s == a).mean())


def real_overlap(
    model: MixtureUNet, hands: Sequence[AnnotatedHand], size: int, n_samples: int, seed: int
) -> RealOverlap:
    """Segment real films with :func:`drawn_by` and hold the metacarpals against the accepted masks."""
    seen = drawn_by(model, [hand.pixels for hand in hands], size, n_samples, seed)
    return overlap_with_accepted(seen, [label_map(hand.records) for hand in hands])


def drawn_by(
    model: MixtureUNet, films: Sequence[NDArray[np.uint8]], size: int, n_samples: int, seed: int
) -> list[NDArray[np.uint8]]:
    """Label map of each film (height, width), windowed and reduced to ``size`` for the network."""
    seen = []
    for pixels in films:
        small = to_network(normalise_intensity(pixels), size)
        film = torch.from_numpy(small.copy())[None, None] / 255
        seen.append(to_film(draw(model, film, n_samples, seed).probability[0], pixels.shape))
    return seen


def overlap_with_accepted(seen: list[NDArray[np.uint8]], accepted: list[NDArray[np.uint8]]) -> RealOverlap:
    """Dice of the metacarpals of label maps, hand by hand."""
    pairs = zip(seen, accepted, strict=True)
    overlap = np.array([dice(np.nan_to_num(iou(s[None], a[None])[0, 0, FIRST:])) for s, a in pairs])
    there = np.array([[(a == BONES.index(b) + 1).any() for b in METACARPALS] for a in accepted])
    return RealOverlap(seen, accepted, overlap, there)
