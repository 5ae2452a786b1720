"""131 features of a hip, their plane, two classes and eight sub-clusters of T-scores (X1AI-Osteo, Methods, Fig. 1d-e).

128 features of the image with age, BMI and sex are standardised and projected on two principal components; a line in
that plane parts the classes; within a class a hip belongs to the sub-cluster whose features are nearest. The ranges of
the sub-clusters stand in a supplement that was not at hand: :data:`CUTS` are steps of half a T-score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

CLASS_CUT = -2.5
"""Class 1, osteoporosis, is a T-score of this or less."""
CUTS = (-4.0, -3.5, -3.0, CLASS_CUT, -2.0, -1.5, -1.0)
"""Seven T-scores that part eight sub-clusters, four a class; a cut belongs to the sub-cluster below it."""
ROUTINGS = ("features", "class known", "true T-score")
"""How a new hip comes to its sub-cluster. ``features``: class by the boundary, then the nearest of that class, all that
a new patient has; so we read the paper. ``class known``: the true class, then the nearest; "Class 0's testing data" can
be read so. ``true T-score``: the sub-cluster that holds the true T-score; so "mapped to one of the four T-score
sub-clusters" would read if the ranges were applied to test hips as well."""
FILTERS = ("training", "training and test")
"""Whose outliers are taken out. ``training``: those of hips to fit on, alone. ``training and test``: test hips whose
true T-score lies too far from the regression are not counted either; the paper's "fifth class", described with testing
data, can be read so, but the count of its test hips stays 497 throughout."""


@dataclass(frozen=True)
class ClusterRecipe:
    """Choices of :func:`fit_sub_clusters`; only ``outlier``, |reg_err| in T, and the number of cuts are printed.

    Attributes
    ----------
    regress_on
        ``features``: T-score on all 131 ("outliers for 131 features"); ``components``: on the two components ("all 2D
        points"), which leaves hardly a hip in the outer sub-clusters, whose T-scores a plane cannot follow.
    nearest
        ``centroid`` of a sub-cluster, or its nearest ``neighbour``.
    min_members
        Hips that a sub-cluster needs; one with fewer is joined to its smaller neighbour of the same class.
    """

    cuts: tuple[float, ...] = CUTS
    outlier: float = 0.5
    regress_on: str = "features"
    nearest: str = "centroid"
    min_members: int = 12

    def __post_init__(self):
        if list(self.cuts) != sorted(set(self.cuts)) or CLASS_CUT not in self.cuts:
            raise ValueError(f"cuts must rise and hold {CLASS_CUT}, which parts the classes: {self.cuts}")
        for name, known in (("regress_on", ("features", "components")), ("nearest", ("centroid", "neighbour"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if not (self.outlier > 0 and self.min_members >= 2):
            raise ValueError(f"outlier must be above 0, min_members 2 or more: {self.outlier}, {self.min_members}")


AS_READ = ClusterRecipe()


def with_covariates(features: ArrayLike, covariates: ArrayLike) -> NDArray[np.float64]:
    """Features (n, 128) joined with age, BMI and sex (n, 3): shape (n, 131), none missing.

    Raises
    ------
    ValueError
        The numbers of hips differ, or a value is missing.
    """
    features, covariates = np.asarray(features, float), np.asarray(covariates, float)
    if len(features) != len(covariates):
        raise ValueError(f"{len(features)} hips have features, {len(covariates)} have age, BMI and sex")
    if bad := int((~np.isfinite(covariates)).any(1).sum()):
        raise ValueError(f"age, BMI or sex is missing for {bad} hips: impute first (osteolib.screen.imputation)")
    return np.column_stack([features, covariates])


@dataclass(frozen=True)
class SubClusters:
    """What :func:`fit_sub_clusters` fitted on the hips of training; cells are numbered from the lowest T-scores on.

    Attributes
    ----------
    cuts
        Those that are left after joining; ``len(cuts) + 1`` cells.
    cell, kept
        Of the hips of training, shape (n,): cell number by the true T-score; False for outliers.
    """

    recipe: ClusterRecipe
    cuts: tuple[float, ...]
    cell: NDArray[np.int64]
    kept: NDArray[np.bool_]
    _scaler: Any = field(repr=False)
    _pca: Any = field(repr=False)
    _boundary: Any = field(repr=False)
    _regressions: tuple[Any, Any] = field(repr=False)
    _members: tuple[NDArray, ...] = field(repr=False)  # standardised features of each cell's kept hips

    @property
    def n_low(self) -> int:
        """Cells of class 1; these come first."""
        return self.cuts.index(CLASS_CUT) + 1

    @property
    def centroids(self) -> NDArray[np.float64]:
        """Centre of each cell's kept hips among the standardised features, shape (cells, 131)."""
        return np.stack([members.mean(0) for members in self._members])

    @property
    def line(self) -> tuple[float, float, float]:
        """The boundary a u + b v + c = 0 in the plane, on whose positive side class 1 lies."""
        (a, b), c = self._boundary.coef_[0], self._boundary.intercept_[0]
        return float(a), float(b), float(c)

    def standardised(self, x: ArrayLike) -> NDArray[np.float64]:
        """Features in SDs from the mean of training, shape (n, 131)."""
        return self._scaler.transform(np.asarray(x, float))

    def plane(self, x: ArrayLike) -> NDArray[np.float64]:
        """Two principal components, shape (n, 2)."""
        return self._pca.transform(self.standardised(x))

    def score(self, x: ArrayLike) -> NDArray[np.float64]:
        """Probability of class 1 by the boundary's logistic regression, shape (n,): a graded score."""
        return self._boundary.predict_proba(self.plane(x))[:, 1]

    def regression_error(self, x: ArrayLike, t_score: ArrayLike, classes: ArrayLike) -> NDArray[np.float64]:
        """reg_err = reg_out - tsv of the multiple regression of each hip's class (0 or 1), in T, shape (n,)."""
        inputs, classes = self._inputs(x), np.asarray(classes)
        both = np.stack([regression.predict(inputs) for regression in self._regressions])
        return both[classes, np.arange(len(classes))] - np.asarray(t_score, float)

    def route(self, x: ArrayLike, t_score: ArrayLike | None = None, routing: str = "features") -> NDArray[np.int64]:
        """Cell of each hip, shape (n,), by one of :data:`ROUTINGS`.

        Raises
        ------
        ValueError
            The routing is unknown, or needs T-scores that are not given.
        """
        if routing not in ROUTINGS:
            raise ValueError(f"routing must be one of {', '.join(ROUTINGS)}, got {routing!r}")
        if routing == "features":
            low = self.score(x) >= 0.5
        elif t_score is None:
            raise ValueError(f"routing by {routing!r} needs the true T-scores of the hips: give t_score")
        elif routing == "true T-score":
            return cells_of(t_score, self.cuts)
        else:
            low = np.asarray(t_score, float) <= CLASS_CUT
        distance = self._distances(self.standardised(x))
        own = (np.arange(len(self._members)) < self.n_low) == low[:, None]
        return np.where(own, distance, np.inf).argmin(1)

    def _inputs(self, x: ArrayLike) -> NDArray[np.float64]:
        return self.plane(x) if self.recipe.regress_on == "components" else self.standardised(x)

    def _distances(self, z: NDArray) -> NDArray[np.float64]:
        """To each cell, shape (n, cells)."""
        from scipy.spatial.distance import cdist

        if self.recipe.nearest == "centroid":
            return cdist(z, self.centroids)
        return np.stack([cdist(z, members).min(1) for members in self._members], axis=1)


def cells_of(t_score: ArrayLike, cuts: tuple[float, ...]) -> NDArray[np.int64]:
    """Number of the cell that holds each T-score, shape (n,); a cut belongs to the cell below it."""
    return np.searchsorted(cuts, np.asarray(t_score, float), side="left")


def joined_cuts(t_score: ArrayLike, cuts: tuple[float, ...], min_members: int) -> tuple[float, ...]:
    """The cuts without those beside cells of fewer than ``min_members`` T-scores; never without :data:`CLASS_CUT`.

    Raises
    ------
    ValueError
        A whole class has too few.
    """
    cuts = list(cuts)
    while True:
        count = np.bincount(cells_of(t_score, tuple(cuts)), minlength=len(cuts) + 1)
        small = [cell for cell in np.argsort(count, kind="stable") if count[cell] < min_members]
        if not small:
            return tuple(cuts)
        beside = [at for at in (small[0] - 1, small[0]) if 0 <= at < len(cuts) and cuts[at] != CLASS_CUT]
        if not beside:
            name = "1 (osteoporosis)" if small[0] <= cuts.index(CLASS_CUT) else "0 (no osteoporosis)"
            raise ValueError(f"class {name} keeps {count[small[0]]} hips after the filter for outliers and needs "
                             f"{min_members}: train on more people or lower min_members")  # fmt: skip
        del cuts[min(beside, key=lambda at: count[at + (at >= small[0])])]


def fit_sub_clusters(x: ArrayLike, t_score: ArrayLike, recipe: ClusterRecipe = AS_READ) -> SubClusters:
    """Fit plane, boundary, filter and sub-clusters on the hips of training.

    Parameters
    ----------
    x
        Shape (n, 131), from :func:`with_covariates`.
    t_score
        Shape (n,): lower of femoral neck and total hip, none missing.

    Raises
    ------
    ValueError
        A T-score is missing, or a class has fewer than ``min_members`` hips, before the filter or after it.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x, t = np.asarray(x, float), np.asarray(t_score, float)
    if missing := int(np.isnan(t).sum()):
        raise ValueError(f"{missing} hips of training have no T-score: leave them out")
    low = t <= CLASS_CUT
    for name, n in (("1 (osteoporosis)", low.sum()), ("0 (no osteoporosis)", (~low).sum())):
        if n < recipe.min_members:
            raise ValueError(f"class {name} has {n} hips of training and needs {recipe.min_members}: train on more "
                             "people or lower min_members")  # fmt: skip
    scaler = StandardScaler().fit(x)
    z = scaler.transform(x)
    pca = PCA(2, svd_solver="full").fit(z)
    plane = pca.transform(z)
    boundary = LogisticRegression().fit(plane, low)
    inputs = plane if recipe.regress_on == "components" else z
    regressions = tuple(LinearRegression().fit(inputs[low == c], t[low == c]) for c in (False, True))
    errors = np.where(low, regressions[1].predict(inputs), regressions[0].predict(inputs)) - t
    kept = np.abs(errors) < recipe.outlier
    cuts = joined_cuts(t[kept], recipe.cuts, recipe.min_members)
    cell = cells_of(t, cuts)
    members = tuple(z[kept & (cell == number)] for number in range(len(cuts) + 1))
    return SubClusters(recipe, cuts, cell, kept, scaler, pca, boundary, regressions, members)
