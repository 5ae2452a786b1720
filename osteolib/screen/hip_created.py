"""What the hip pipeline itself can create: the honest answer, and the same hips with each help added.

A help is something that a new patient does not bring: a route or a filter that reads the true T-score, the patient's
other hip among the hips of training, or a copy of the tested film. Which of them a study used cannot be seen from its
numbers; here each is switched on alone, on hips of which all is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.screen.mlp_search import Hyper, fit_mlp
from osteolib.screen.sub_clusters import CLASS_CUT, ClusterRecipe, cells_of, fit_sub_clusters
from osteolib.screen.x1ai import X1ai

HONEST = "honest pipeline"
OUTLIERS, CLASS, CELL, BOTH = (
    "test outliers left out", "routed by the true class", "routed by the true sub-cluster",
    "true sub-cluster, outliers left out",
)  # fmt: skip
HELPS = {
    HONEST: ("features", "training"),
    OUTLIERS: ("features", "training and test"),
    CLASS: ("class known", "training"),
    CELL: ("true T-score", "training"),
    BOTH: ("true T-score", "training and test"),
}
"""Name of a help, to routing and filter of :meth:`osteolib.screen.x1ai.X1ai.predict`."""
PLAIN = Hyper(learning_rate=0.003, neurons=(16, 8, 8), epochs=60)
"""Where no search was made."""


class Pipeline(Protocol):
    """What is fitted on hips of training."""

    def predict(self, x: ArrayLike, t_score: ArrayLike | None, routing: str, filtering: str) -> pd.DataFrame: ...


Fit = Callable[[NDArray, NDArray], Pipeline]  # features (n, k) and T-scores (n,) of the hips of training


class Leak(NamedTuple):
    """Row numbers: what is trained on, and the hips of test that this tells something about."""

    train: NDArray[np.int64]
    tested: NDArray[np.int64]


def fit_like(searched: X1ai | None = None, recipe: ClusterRecipe | None = None, seed: int = 0) -> Fit:
    """A fit without a search: each MLP takes what the search chose for the sub-cluster that holds its mean T-score.

    Without ``searched`` all take :data:`PLAIN`.
    """

    def fit(x: NDArray, t_score: NDArray) -> X1ai:
        clusters = fit_sub_clusters(x, t_score, recipe or ClusterRecipe())
        z, mlps, hypers = clusters.standardised(x), [], []
        for cell in range(len(clusters.cuts) + 1):
            own = clusters.kept & (clusters.cell == cell)
            at = 0 if searched is None else cells_of(t_score[own].mean(), searched.clusters.cuts)
            hypers.append(PLAIN if searched is None else searched.hypers[at])
            mlps.append(fit_mlp(z[own], t_score[own], hypers[-1], seed))
        return X1ai(clusters, tuple(hypers), pd.DataFrame(), tuple(mlps))

    return fit


def even_cuts(t_score: ArrayLike, per_class: int = 4) -> tuple[float, ...]:
    """T-scores that part each class into equally full sub-clusters, with the cut of the classes in between.

    Raises
    ------
    ValueError
        A class has fewer different T-scores than sub-clusters.
    """
    t = np.asarray(t_score, float)
    inner = np.arange(1, per_class) / per_class
    cuts = [*np.quantile(t[t <= CLASS_CUT], inner), CLASS_CUT, *np.quantile(t[t > CLASS_CUT], inner)]
    if (np.diff(cuts) <= 0).any() or cuts[0] <= t.min():
        raise ValueError(f"{per_class} sub-clusters a class need as many different T-scores in each: take fewer")
    return tuple(float(cut) for cut in cuts)


def with_helps(model: Pipeline, x: ArrayLike, t_score: ArrayLike) -> pd.DataFrame:
    """Predicted T-scores of tested hips under each of :data:`HELPS`; NaN where a filter does not count the hip."""
    found = {}
    for name, (routing, filtering) in HELPS.items():
        said = model.predict(x, t_score, routing, filtering)
        found[name] = said["t_score"].where(said["kept"]).to_numpy()
    return pd.DataFrame(found)


def cell_means(train: ArrayLike, test: ArrayLike, cuts: tuple[float, ...]) -> NDArray[np.float64]:
    """Mean training T-score of the sub-cluster that each tested T-score lies in: all that is built in, without a film.

    A sub-cluster that nobody of training is in takes the mean between its neighbours' means.
    """
    means = pd.Series(np.asarray(train, float)).groupby(cells_of(train, cuts)).mean().reindex(range(len(cuts) + 1))
    return means.interpolate(limit_direction="both").to_numpy()[cells_of(test, cuts)]


def helps_out_of_fold(x: ArrayLike, t_score: ArrayLike, folds: ArrayLike, fit: Fit) -> pd.DataFrame:
    """:func:`with_helps` of every row by a pipeline that saw nobody of its fold; rows as given."""
    x, t, folds = np.asarray(x, float), np.asarray(t_score, float), np.asarray(folds)
    parts = []
    for fold in np.unique(folds):
        own = folds == fold
        parts.append(with_helps(fit(x[~own], t[~own]), x[own], t[own]).set_index(np.flatnonzero(own)))
    return pd.concat(parts).sort_index()


def sibling_leaks(person: ArrayLike, side: ArrayLike, train: ArrayLike, test: ArrayLike, seed: int) -> list[Leak]:
    """The other hips of tested people in place of as many hips of training, by lot; one leak a side that is tested.

    Each hip of test with another one is tested once; rows without are in no leak.

    Parameters
    ----------
    person, side
        Of all rows, shape (n,).
    train, test
        Row numbers.
    """
    person, side, test, leaks = np.asarray(person), np.asarray(side), np.asarray(test), []
    for one in np.unique(side[test]):
        here, there = test[side[test] == one], test[side[test] != one]
        tested = here[np.isin(person[here], person[there])]
        if tested.size:
            others = there[np.isin(person[there], person[tested])]
            leaks.append(Leak(_replaced(train, others, seed), tested))
    return leaks


def copy_leak(train: ArrayLike, test: ArrayLike, copies: ArrayLike, seed: int) -> Leak:
    """A copy of every hip of test in place of as many hips of training, by lot; ``copies`` are row numbers, too."""
    return Leak(_replaced(train, np.asarray(copies), seed), np.asarray(test))


def predicted_after(
    leaks: Iterable[Leak], describe: Callable[[NDArray], NDArray], t_score: ArrayLike, fit: Fit
) -> NDArray[np.float64]:
    """Honest predictions after training with each leak, shape (n,); NaN where no leak tests.

    Parameters
    ----------
    describe
        Features of all n rows, (n, k), from a network that the rows it is given have taught.
    t_score
        Shape (n,); of copies too.
    """
    t = np.asarray(t_score, float)
    out = np.full(t.size, np.nan)
    for leak in leaks:
        x = describe(leak.train)
        model = fit(x[leak.train], t[leak.train])
        out[leak.tested] = model.predict(x[leak.tested], None, *HELPS[HONEST])["t_score"]
    return out


def _replaced(train: ArrayLike, others: NDArray, seed: int) -> NDArray[np.int64]:
    """Others in place of as many by lot: what is learned from changes, how much does not."""
    train = np.asarray(train)
    stay = np.random.default_rng(seed).permutation(train)[: max(len(train) - len(others), 0)]
    return np.concatenate([np.sort(stay), others])
