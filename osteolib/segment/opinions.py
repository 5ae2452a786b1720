"""Masks of a model beside the annotators' and the truth: scores of each hand, and who draws like whom.

The rule of the second question, fixed beforehand: a mask draws *like* the annotator with whom its IoU is highest. A
module belongs to the annotator it is nearest to on average over the hands. An annotator's *mode is recovered* if a
module of at least 5 % of the mean routing weight belongs to him.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.hand.truth import ANNOTATOR_WEIGHTS, read_masks
from osteolib.segment.overlap import dice, distance, ged_squared, iou, matched_iou, pixel_calibration, surface_distance
from osteolib.segment.training import Annotated, Drawn, to_film, to_network

IN_USE = 0.05  # of the mean routing weight: from here on a module counts


@dataclass(frozen=True)
class KnownHands:
    """Hands whose annotators and truth are known.

    Attributes
    ----------
    images, labels
        At the network's size: (n, height, width) in [0, 1]; (n, M, height, width), what each annotator drew.
    beta
        Weights of the annotators, shape (M,), the same for all hands.
    true, spacing_mm
        Label map of each film at its own size, and mm per pixel there.
    small
        The true label maps at the network's size, shape (n, height, width).
    """

    images: NDArray[np.float32]
    labels: NDArray[np.uint8]
    beta: NDArray[np.float64]
    true: list[NDArray[np.uint8]]
    spacing_mm: NDArray[np.float64]
    small: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.true)


@dataclass(frozen=True)
class Likeness:
    """``near`` (n, K, M), IoU of each module with each annotator; ``mass`` (n, M), weight of the masks like each
    annotator; ``pi`` (n, K), the routing."""

    near: NDArray[np.float64]
    mass: NDArray[np.float64]
    pi: NDArray[np.float64]

    @property
    def owner(self) -> NDArray[np.int64]:
        """The annotator each module is nearest to on average, shape (K,)."""
        return self.near.mean(0).argmax(1)

    @property
    def recovered(self) -> list[int]:
        """Annotators whose mode is recovered, in their order."""
        return sorted(set(self.owner[self.pi.mean(0) >= IN_USE].tolist()))

    def misplaced(self, beta: ArrayLike) -> float:
        """Half the summed difference of the mean mass from the annotators' weights, 0 to 1."""
        return float(np.abs(self.mass.mean(0) - np.asarray(beta)).sum() / 2)


def known_hands(subjects: pd.DataFrame, annotated: Annotated, rows: ArrayLike, size: int) -> KnownHands:
    """Some rows of a hand phantom with all that is known of them.

    Parameters
    ----------
    subjects
        ``image_id, masks_path, spacing_mm`` of all hands, in the order of ``annotated``.
    size
        Longer side of the network's input in pixels.
    """
    chosen, some = subjects.iloc[rows], annotated.take(rows)
    true = [read_masks(row.masks_path, row.image_id) for row in chosen.itertuples()]
    return KnownHands(
        some.images[:, 0].numpy(),
        some.labels.numpy(),
        np.array([*ANNOTATOR_WEIGHTS.values()]),
        true,
        chosen["spacing_mm"].to_numpy(float),
        np.stack([to_network(mask, size, labels=True) for mask in true]),
    )


def truth_as_drawn(hands: KnownHands, n_classes: int = 8) -> Drawn:
    """The true masks at the network's size as if a model had drawn them: one hypothesis without doubt."""
    certain = np.stack([hands.small == c for c in range(n_classes)], 1).astype(np.float32)
    ones = np.ones((len(hands), 1))
    return Drawn(hands.small[:, None], ones, ones, certain)


def scores_by_hand(drawn: Drawn, hands: KnownHands) -> pd.DataFrame:
    """Overlap with annotators and truth, distance of outlines, and scores of the whole distribution; a row a hand.

    The mask is the most probable class of each pixel: at the network's size for the annotators, on the film for the
    truth. ``GED²``, ``matched IoU`` and ``ECE`` judge all hypotheses; for these three and ``outline, mm``, less is
    better, except for the matched IoU.
    """
    each = zip(drawn.labels, drawn.alpha, drawn.probability, hands.labels, hands.true, hands.spacing_mm, strict=True)
    rows = []
    for masks, alpha, probability, labels, true, spacing in each:
        film = to_film(probability, true.shape)
        theirs, best = iou(probability.argmax(0)[None], labels)[0], iou(film[None], true[None])[0, 0]
        rows.append(
            {
                "Dice, annotators": hands.beta @ np.nanmean(dice(theirs), 1),
                "IoU, annotators": hands.beta @ np.nanmean(theirs, 1),
                "Dice, truth": np.nanmean(dice(best)),
                "IoU, truth": np.nanmean(best),
                "outline, mm": outline_distance(film, true, spacing),
                "GED²": ged_squared(masks, alpha, labels, hands.beta),
                "matched IoU": matched_iou(masks, alpha, labels, hands.beta),
                "ECE": pixel_calibration(probability, labels, hands.beta)[0],
            }
        )
    return pd.DataFrame(rows)


def outline_distance(mask: NDArray, true: NDArray, spacing_mm: float) -> float:
    """Mean distance of the outlines in mm, averaged over the classes that both label maps have; NaN if there are none.

    At the edge of the image an outline is drawn, as if nothing lay beyond it.
    """
    apart = []
    for value in np.unique(true)[1:]:
        both = np.stack([mask == value, true == value])
        where = np.argwhere(both.any(0))
        window = tuple(map(slice, where.min(0), where.max(0) + 1))
        padded = np.pad(both[(slice(None), *window)], [(0, 0), (1, 1), (1, 1)])
        apart.append(surface_distance(*padded, (spacing_mm, spacing_mm))[0])
    return float(np.nanmean(apart)) if np.isfinite(apart).any() else float("nan")


def likeness(drawn: Drawn, labels: NDArray[np.uint8]) -> Likeness:
    """How near each module is to each annotator's drawing; ``labels`` (n, M, height, width)."""
    n, m, k = len(labels), labels.shape[1], drawn.pi.shape[1]
    near = np.stack([1 - distance(masks, theirs) for masks, theirs in zip(drawn.labels, labels, strict=True)])
    nearest = np.eye(m)[near.argmax(2)]  # (n, K S, M)
    mass = np.einsum("ni,nim->nm", drawn.alpha, nearest)
    return Likeness(near.reshape(n, k, -1, m).mean(2), mass, drawn.pi)


def pooled_calibration(probability: NDArray, labels: NDArray, beta: Sequence[float]) -> pd.DataFrame:
    """Bins of :func:`osteolib.segment.overlap.pixel_calibration` over all hands, weighted by their pixels."""
    bins = pd.concat([pixel_calibration(p, y, beta)[1] for p, y in zip(probability, labels, strict=True)])
    total = bins["n"].groupby(level=0).sum()
    return bins[["confidence", "right"]].mul(bins["n"], axis=0).groupby(level=0).sum().div(total, axis=0)


def entropy_bits(probability: ArrayLike) -> NDArray[np.float64]:
    """Entropy of the class of each pixel in bits; ``probability`` (n_classes, height, width) sums to 1 over classes."""
    p = np.asarray(probability)
    return -(p * np.log2(p.clip(1e-9))).sum(0)


def opinion(labels: NDArray, beta: Sequence[float], n_classes: int = 8) -> NDArray[np.float64]:
    """Share of the annotators' weight that gives each pixel each class: (n_classes, height, width) from (M, ...)."""
    return np.stack([np.tensordot(beta, labels == c, 1) for c in range(n_classes)])
