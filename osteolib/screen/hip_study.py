"""The hip study from films to predictions: who takes part, who is held out, what is trained.

Hips with obstacles are left out (Patient selection); people, never hips, go to training, validation and test. The paper
has 1430 people to train on and 300 to test; which of the 1430 chose the epoch, it does not say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts import Cohort
from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.hip_baselines import NETWORKS, NetworkRecipe, trained_network
from osteolib.screen.hip_parts import parts_of, taking_part
from osteolib.screen.imputation import COVARIATES, covariate_table, imputed, with_gaps
from osteolib.screen.mlp_search import SearchRecipe
from osteolib.screen.sub_clusters import CLASS_CUT, ClusterRecipe, with_covariates
from osteolib.screen.triplet import Hips, TripletRecipe, read_features, trained_triplet
from osteolib.screen.x1ai import X1ai, fit_x1ai
from osteolib.views.hip_views import hip_images

PARTS = ("test", "validation", "train")


@dataclass(frozen=True)
class StudyRecipe:
    """All choices of the study. ``missing_bmi``: share of people whose BMI is taken away, to be imputed."""

    image_size: int = 224
    triplet: TripletRecipe = field(default_factory=TripletRecipe)
    networks: tuple[NetworkRecipe, ...] = (NetworkRecipe("resnet50"), NetworkRecipe("inception_v3"))
    clusters: ClusterRecipe = field(default_factory=ClusterRecipe)
    search: SearchRecipe = field(default_factory=SearchRecipe)
    n_imputations: int = 11
    missing_bmi: float = 0.1
    seed: int = 0


def study_recipe(roi_size: int, hip_epochs: int, ga_generations: int, n_imputations: int, seed: int = 0) -> StudyRecipe:
    """The recipe of a profile's sizes: below 224 pixels the open networks get smaller images and fewer epochs."""
    small = roi_size < 224
    epochs = max(1, 3 * hip_epochs // 8) if small else hip_epochs
    sizes = {name: max(least, roi_size // 2) if small else roi_size for name, least in NETWORKS.items()}
    networks = tuple(NetworkRecipe(name, size, epochs, seed=seed) for name, size in sizes.items())
    search = SearchRecipe(ga_generations, population=6 if small else 12, epochs=(10, 60 if small else 120), seed=seed)
    clusters = ClusterRecipe(min_members=4 if roi_size < 64 else 12)
    triplet = TripletRecipe(epochs=hip_epochs, seed=seed)
    return StudyRecipe(roi_size, triplet, networks, clusters, search, n_imputations, seed=seed)


class StudyHips(NamedTuple):
    """Hips that take part, in one order.

    Attributes
    ----------
    hips
        Their rows of the cohort, numbered from 0, with ``part``: train, validation or test.
    squares
        What the networks see.
    """

    hips: pd.DataFrame
    squares: Hips

    def rows(self, *parts: str) -> NDArray[np.int64]:
        """Row numbers of some parts."""
        return np.flatnonzero(self.hips["part"].isin(parts))


def study_hips(cohort: Cohort, image_size: int, seed: int = 0) -> StudyHips:
    """Who takes part, split, and their squares."""
    hips = taking_part(cohort.subjects)
    images, femur = hip_images(hips, image_size)
    classes = (hips["t_score"] <= CLASS_CUT).to_numpy(np.int64)
    return StudyHips(hips.assign(part=parts_of(hips, seed)), Hips(images, femur, classes))


class Networks(NamedTuple):
    """What the trainings gave of all hips: the folder of the triplet network, its features (n, 128), and the open
    networks' probabilities of class 1 by their name, (n,) each."""

    folder: Any
    features: NDArray[np.float32]
    scores: dict[str, NDArray[np.float64]]


def trained_networks(study: StudyHips, recipe: StudyRecipe) -> Networks:
    """All trainings side by side, from the store where they are done: the triplet network and the open networks."""
    rows = study.rows("train"), study.rows("validation")
    calls: dict[str, tuple] = {
        one.network: (trained_network, study.squares, *rows, one) for one in recipe.networks
    }  # the longest first
    calls["triplet"] = (trained_triplet, study.squares, *rows, recipe.triplet)
    done = side_by_side(_call, calls)
    folder = done.pop("triplet")
    return Networks(folder, read_features(folder), done)


def _call(function: Callable, *given: Any) -> Any:
    return function(*given)


class Fitted(NamedTuple):
    """The pipeline behind the network, fitted on training and validation hips.

    Attributes
    ----------
    model
        What answers.
    x_train
        131 features of the hips it was fitted on, with the first imputed table.
    x_test
        Of the test hips, once for each imputed table.
    missing
        Share of test people with something imputed.
    """

    model: X1ai
    x_train: NDArray[np.float64]
    x_test: list[NDArray[np.float64]]
    missing: float


def fit_study(study: StudyHips, features: NDArray, recipe: StudyRecipe) -> Fitted:
    """Take some BMI away, impute, join with the features and fit; no test person enters anything that is fitted."""
    hips = study.hips
    old, new = (hips.iloc[study.rows(*parts)] for parts in (("train", "validation"), ("test",)))
    known = [with_gaps(covariate_table(part), {"bmi_kg_m2": recipe.missing_bmi}, recipe.seed) for part in (old, new)]
    (filled,) = imputed(known[0], known[0], 1, recipe.seed)
    sets = imputed(*known, recipe.n_imputations, recipe.seed)

    def joined(part: pd.DataFrame, table: pd.DataFrame) -> NDArray[np.float64]:
        return with_covariates(features[part.index], table.loc[part["subject_id"], list(COVARIATES)])

    x_train = joined(old, filled)
    model = fit_x1ai(x_train, old["t_score"], old["subject_id"], recipe.clusters, recipe.search)
    return Fitted(model, x_train, [joined(new, table) for table in sets], float(known[1].isna().any(axis=1).mean()))
