"""X1AI-Osteo behind its network: sub-clusters, eight MLPs and what they say of a new hip (Methods, Fig. 1d-g)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.mlp_search import Hyper, SearchRecipe, fit_mlp, search_mlp
from osteolib.screen.sub_clusters import CLASS_CUT, FILTERS, ClusterRecipe, SubClusters, fit_sub_clusters


@dataclass(frozen=True)
class X1ai:
    """What :func:`fit_x1ai` fitted.

    Attributes
    ----------
    hypers
        What the search chose for each sub-cluster, from the lowest T-scores on.
    history
        Of the searches: ``cell, generation, best, mean``.
    """

    clusters: SubClusters
    hypers: tuple[Hyper, ...]
    history: pd.DataFrame = field(repr=False)
    _mlps: tuple[Any, ...] = field(repr=False)

    def predict(
        self, x: ArrayLike, t_score: ArrayLike | None = None, routing: str = "features", filtering: str = "training"
    ) -> pd.DataFrame:
        """What the pipeline says of hips, one row each.

        Parameters
        ----------
        x
            Shape (n, 131), from :func:`osteolib.screen.sub_clusters.with_covariates`.
        t_score
            True T-scores, shape (n,); of no use unless ``routing`` or ``filtering`` reads them.
        routing, filtering
            One of :data:`~osteolib.screen.sub_clusters.ROUTINGS` and of
            :data:`~osteolib.screen.sub_clusters.FILTERS`; a new patient can have the first of each only.

        Returns
        -------
        ``score`` (of class 1, 0 to 1), ``called`` (0 or 1: what routed the hip), ``cell``, ``t_score``, ``kept`` (False
        for a hip that the filter would not count).

        Raises
        ------
        ValueError
            A routing or filter is unknown, or needs T-scores that are not given.
        """
        if filtering not in FILTERS:
            raise ValueError(f"filtering must be one of {', '.join(FILTERS)}, got {filtering!r}")
        cell = self.clusters.route(x, t_score, routing)
        called = (cell < self.clusters.n_low).astype(int)
        z = self.clusters.standardised(x)
        predicted = np.empty(len(z))
        for number, mlp in enumerate(self._mlps):
            if (rows := cell == number).any():
                predicted[rows] = mlp.predict(z[rows])
        kept = np.ones(len(z), bool)
        if filtering == "training and test":
            if t_score is None:
                raise ValueError("filtering test hips needs their true T-scores: give t_score")
            kept = np.abs(self.clusters.regression_error(x, t_score, called)) < self.clusters.recipe.outlier
        return pd.DataFrame({"score": self.clusters.score(x), "called": called, "cell": cell, "t_score": predicted,
                             "kept": kept})  # fmt: skip


def fit_x1ai(
    x: ArrayLike,
    t_score: ArrayLike,
    people: ArrayLike,
    clusters: ClusterRecipe,
    search: SearchRecipe,
) -> X1ai:
    """Fit everything behind the network on the hips of training; the searches stand side by side, in the store.

    Parameters
    ----------
    x, t_score, people
        Shape (n, 131), (n,) and (n,): features with covariates, T-scores, and whose hip each row is.

    Raises
    ------
    ValueError
        As :func:`osteolib.screen.sub_clusters.fit_sub_clusters`, or a sub-cluster's hips are all of one person.
    """
    t, people = np.asarray(t_score, float), np.asarray(people)
    fitted = fit_sub_clusters(x, t, clusters)
    z = fitted.standardised(x)
    rows = {cell: fitted.kept & (fitted.cell == cell) for cell in range(len(fitted.cuts) + 1)}
    found = side_by_side(search_mlp, {cell: (z[own], t[own], people[own], search) for cell, own in rows.items()})
    mlps = tuple(fit_mlp(z[own], t[own], found[cell].hyper, search.seed) for cell, own in rows.items())
    history = pd.concat([one.history.assign(cell=cell) for cell, one in found.items()], ignore_index=True)
    return X1ai(fitted, tuple(one.hyper for one in found.values()), history, mlps)


def cell_names(cuts: tuple[float, ...]) -> list[str]:
    """Each cell's range of T-scores in words, from the lowest on, with its class."""
    inner = [f"{low:g} to {high:g}" for low, high in pairwise(cuts)]
    names = [f"up to {cuts[0]:g}", *inner, f"above {cuts[-1]:g}"]
    classes = [int(at <= cuts.index(CLASS_CUT)) for at in range(len(names))]
    return [f"{name.replace('-', '−')} (class {c})" for name, c in zip(names, classes, strict=True)]
