"""Can simulated films be told from real ones? A logistic regression on measures of each film, judged out of fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from osteolib.screen.baselines import out_of_fold
from osteolib.stats import BootstrapResult, bootstrap_ci

N_FOLDS = 5


def told_apart(real: pd.DataFrame, phantom: pd.DataFrame, n_boot: int, seed: int) -> BootstrapResult:
    """AUROC of "simulated" from all measures of a film together, with its interval: 0.5 is a fooled eye, 1 a sure one.

    ``real`` and ``phantom``: one row per person, the same columns. Folds are drawn at random; every film is judged by a
    regression that was fitted without it.
    """
    both, simulated, folds = _stacked(real, phantom, seed)
    return bootstrap_ci(simulated, out_of_fold(both, simulated, folds), "auroc", n_boot=n_boot, seed=seed)


def best_single(real: pd.DataFrame, phantom: pd.DataFrame) -> tuple[str, float]:
    """The measure that tells most on its own, and its AUROC in the direction that favours it."""
    from sklearn.metrics import roc_auc_score

    both, simulated, _ = _stacked(real, phantom, 0)
    found = {name: roc_auc_score(simulated, both[name]) for name in both}
    best = max(found, key=lambda name: abs(found[name] - 0.5))
    return best, max(found[best], 1 - found[best])


def by_group(real: pd.DataFrame, phantom: pd.DataFrame, groups: Mapping[str, Sequence[str]], seed: int) -> pd.DataFrame:
    """AUROC of each group of measures alone and of all others without it."""
    from sklearn.metrics import roc_auc_score

    both, simulated, folds = _stacked(real, phantom, seed)
    rows = [
        [name, *(roc_auc_score(simulated, out_of_fold(x, simulated, folds))
                 for x in (both[list(group)], both.drop(columns=list(group))))]
        for name, group in groups.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["measures", "AUROC alone", "AUROC without them"])


def _stacked(real: pd.DataFrame, phantom: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    both = pd.concat([real, phantom], ignore_index=True)
    simulated = np.repeat([0, 1], [len(real), len(phantom)])
    return both, simulated, np.random.default_rng(seed).permutation(len(both)) % N_FOLDS
