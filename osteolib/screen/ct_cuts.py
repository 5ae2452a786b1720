"""Where a network's probability is cut: by validation vertebrae, so that a table compares networks, not cuts.

A network whose best epoch is an early one has learned an order before it has learned probabilities: at 0.5 it may call
nobody.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.screen.ct_study import CTStudy, scored_test

MIDDLE, LEAST = 0.5, 1e-7


def best_cut(y: ArrayLike, score: ArrayLike) -> float:
    """The cut (``score >= cut`` is a call) with the largest sum of sensitivity and specificity (Youden, Cancer 1950).

    It does not follow how many are ill, which differs from hospital to hospital. Of equal ones it is that nearest to
    0.5. Cuts lie half-way between two neighbouring scores, or at 0.5.

    Parameters
    ----------
    y, score
        Shape (n,): 0 or 1, and probabilities. Where all ``y`` are of one class the cut is 0.5.

    Raises
    ------
    ValueError
        Lengths differ, or a score is no probability.
    """
    y, score = np.asarray(y), np.asarray(score, float)
    if y.shape != score.shape or y.ndim != 1:
        raise ValueError(f"{y.shape} truths and {score.shape} scores: give one of each for every vertebra")
    if not ((score >= 0) & (score <= 1)).all():
        raise ValueError("a score must be a probability, from 0 to 1 and not missing")
    if not 0 < y.sum() < y.size:
        return MIDDLE
    levels = np.unique(score)
    cuts = np.append((levels[1:] + levels[:-1]) / 2, MIDDLE)
    called = score[None, :] >= cuts[:, None]
    both = called[:, y == 1].mean(axis=1) + 1 - called[:, y == 0].mean(axis=1)
    best = cuts[both >= both.max() - 1e-12]
    return float(best[np.abs(best - MIDDLE).argmin()])


def at_cut(score: ArrayLike, cut: float) -> NDArray:
    """Probabilities with their logits moved so that ``cut`` becomes 0.5; their order stays."""

    def logit(p: ArrayLike) -> NDArray:
        p = np.clip(np.asarray(p, float), LEAST, 1 - LEAST)
        return np.log(p / (1 - p))

    return 1 / (1 + np.exp(logit(cut) - logit(score)))


def scored_at_cut(study: CTStudy, folder: Path) -> pd.DataFrame:
    """:func:`osteolib.screen.ct_study.scored_test` with ``score`` moved by the network's own cut, which is ``cut``."""
    scores = pd.read_parquet(folder / "scores.parquet").query("part == 'validation'")
    truth = study.rows.set_index("unit_id")["label"].eq("osteoporosis")
    cut = best_cut(truth.loc[scores["unit_id"]].to_numpy().astype(int), scores["osteoporosis"])
    rows = scored_test(study, folder)
    return rows.assign(score=at_cut(rows["score"], cut), cut=cut)


def chosen_epoch(folder: Path) -> int:
    """The epoch, from 1 on, whose weights a training kept."""
    return int(pd.read_parquet(folder / "history.parquet")["negative_loss"].to_numpy().argmax()) + 1
