"""X1AI-Osteo with one part left out or replaced, on the same test hips (chen2024_hip; the paper prints no such table).

Two trainings are new, on squares that are not enhanced and with cross-entropy; all other parts lie behind the network,
so its features stay and what follows is fitted again with what the searches chose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW

from osteolib.cohorts import load_cohort
from osteolib.phantoms.hip.truth import FEMUR, read_masks
from osteolib.radiograph import read_radiograph
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.runs.side_by_side import side_by_side
from osteolib.runs.store import artefact, resumable_artefact
from osteolib.screen.hip_baselines import ridge
from osteolib.screen.hip_cells import MODULES as PIPELINE
from osteolib.screen.hip_created import fit_like
from osteolib.screen.hip_study import (
    Fitted,
    StudyHips,
    StudyRecipe,
    fit_study,
    study_hips,
    study_recipe,
    trained_networks,
)
from osteolib.screen.mlp_search import fit_mlp
from osteolib.screen.sub_clusters import CLASS_CUT, ClusterRecipe
from osteolib.screen.triplet import (
    HISTORY,
    N_FEATURES,
    Hips,
    TripletNet,
    TripletRecipe,
    balanced_batches,
    describe,
    read_features,
    trained_triplet,
    warm_then_cosine,
)
from osteolib.stats.prediction_metrics import prediction_metrics
from osteolib.train import fit
from osteolib.views.hip_views import BLACK, augmented, network_input, on_background, right_hip

FULL = "whole pipeline"
PLAIN_SQUARES, CROSS_ENTROPY = "squares not enhanced", "cross-entropy, no triplets"
ONE_A_CLASS, ONE_FOR_ALL = "one regressor a class", "one regressor for all"
NO_FILTER, NO_SEARCH = "outliers stay", "no search"
NO_COVARIATES, NO_FILM, RIDGE = "no age, BMI, sex", "no film", "one ridge for all that follows"
STEPS = (PLAIN_SQUARES, CROSS_ENTROPY, ONE_A_CLASS, ONE_FOR_ALL, NO_FILTER, NO_SEARCH, NO_COVARIATES, NO_FILM, RIDGE)
OF_NETWORK = (PLAIN_SQUARES, CROSS_ENTROPY)
SAME_SCORE = (ONE_A_CLASS, ONE_FOR_ALL, NO_FILTER, NO_SEARCH)
"""Steps behind the boundary: by construction they change no score of osteoporosis, only T-scores."""
NO_LIMIT = 1e6
"""An outlier rule that nobody meets."""
FEATURES = "features.npy"
MODULES = {"one_seed": (*PIPELINE["pipeline"], __name__)}
"""Whose code the predictions depend on."""
GIVEN: dict[str, Any] = {}  # nothing comes from outside


class Said(NamedTuple):
    """Of each test hip, (n,): a graded score of class 1, and a T-score."""

    score: NDArray[np.float64]
    t_score: NDArray[np.float64]


def without_enhancement(study: StudyHips, size: int) -> StudyHips:
    """The same hips with squares as filmed: cut out, mirrored and resized, no equalisation."""
    hips = study.hips

    def make(folder: Path) -> None:
        squares = []
        for row in hips.itertuples():
            femur = (read_masks(row.masks_path, row.image_id) & FEMUR).astype(bool)
            squares.append(right_hip(read_radiograph(Path(row.path)).pixels, femur, row.side, size)[0])
        np.save(folder / "squares.npy", np.stack(squares), allow_pickle=False)

    key = {"films": hips["path"].tolist(), "sides": hips["side"].tolist(), "size": size}
    modules = (__name__, "osteolib.views.hip_views")
    images = np.load(artefact("hip-squares", key, modules, make) / "squares.npy", allow_pickle=False)
    return study._replace(squares=study.squares._replace(images=images))


def cross_entropy_features(hips: Hips, train: NDArray, validation: NDArray, recipe: TripletRecipe) -> Path:
    """The triplet network's body and batches, taught by cross-entropy through a linear layer on its 128 features.

    The epoch is the one whose probabilities part the validation hips best. The artefact's folder holds ``features.npy``
    (n, 128) of all hips, of length 1 as those of the triplets.
    """
    key = hips.training_key(train, validation) | asdict(recipe)

    def make(folder: Path, unfinished: Path) -> None:
        model, history = _train(hips, train, validation, recipe, unfinished)
        np.save(folder / FEATURES, describe(model[0], hips.images, hips.femur), allow_pickle=False)
        history.to_parquet(folder / "history.parquet")

    return resumable_artefact("hip-cross-entropy", key, (__name__, "osteolib.screen.triplet", "osteolib.train"), make)


def _train(hips: Hips, train: NDArray, validation: NDArray, recipe: TripletRecipe, folder: Path):
    from sklearn.metrics import roc_auc_score

    images, femur = network_input(hips.images, hips.femur)
    classes = torch.from_numpy(hips.classes)

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.from_numpy(train)[torch.randperm(len(train), generator=generator)]
        for rows in balanced_batches(order, classes, recipe.batch_size):
            upright = on_background(images[rows], femur[rows], BLACK)
            changed = augmented(images[rows], femur[rows], generator, recipe.degrees)
            yield torch.cat([upright, changed]), classes[rows].repeat(2)

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor], epoch: int) -> dict[str, Tensor]:
        logits = model(batch[0]).float().squeeze(1)
        return {"loss": functional.binary_cross_entropy_with_logits(logits, batch[1].float())}

    torch.manual_seed(recipe.seed)
    model = nn.Sequential(TripletNet(recipe.widths), nn.Linear(N_FEATURES, 1))

    def validate(_: nn.Module) -> dict[str, float]:
        features = torch.from_numpy(describe(model[0], hips.images[validation], hips.femur[validation]))
        with torch.no_grad():
            logits = model[1](features.to(next(model.parameters()).device)).cpu()
        return {"auroc": roc_auc_score(hips.classes[validation], logits.squeeze(1).numpy())}

    fitted = fit(model, loss, batches, validate, folder=folder, monitor="auroc", epochs=recipe.epochs,
                 seed=recipe.seed, optimizer=partial(AdamW, lr=recipe.learning_rate, weight_decay=1e-4),
                 schedule=partial(warm_then_cosine, epochs=recipe.epochs))  # fmt: skip
    return model, fitted.history


def other_features(study: StudyHips, recipe: StudyRecipe) -> dict[str, NDArray[np.float32]]:
    """Features (n, 128) of all hips by the two networks that are trained otherwise, side by side."""
    rows = study.rows("train"), study.rows("validation")
    plain = without_enhancement(study, recipe.image_size)
    calls: dict[str, tuple[Any, ...]] = {
        PLAIN_SQUARES: (trained_triplet, plain.squares, *rows, recipe.triplet),
        CROSS_ENTROPY: (cross_entropy_features, study.squares, *rows, recipe.triplet),
    }
    folders = side_by_side(_call, calls)
    return {step: read_features(folder) for step, folder in folders.items()}


def _call(function: Callable[..., Path], *given: Any) -> Path:
    return function(*given)


def said_by_steps(
    study: StudyHips, fitted: Fitted, features: Mapping[str, NDArray[np.float32]], recipe: StudyRecipe
) -> dict[str, Said]:
    """What the whole pipeline and every step say of the test hips, with the first imputed table.

    ``features``: of :func:`other_features`. Steps behind the network take what the searches chose for the whole.
    """
    old, new = study.rows("train", "validation"), study.rows("test")
    t, people = study.hips["t_score"].to_numpy()[old], study.hips["subject_id"].to_numpy()[old]
    x_old, x_new, clusters, seed = fitted.x_train, fitted.x_test[0], recipe.clusters, recipe.seed

    def behind(a: NDArray, b: NDArray, about: ClusterRecipe = clusters, searched: bool = True) -> Said:
        model = fit_like(fitted.model if searched else None, about, seed)(a, t)
        answer = model.predict(b)
        return Said(answer["score"].to_numpy(), answer["t_score"].to_numpy())

    whole = fitted.model.predict(x_new)
    said = {FULL: Said(whole["score"].to_numpy(), whole["t_score"].to_numpy())}
    for step, x in features.items():
        said[step] = behind(*(np.column_stack([x[rows], of[:, N_FEATURES:]])
                              for rows, of in ((old, x_old), (new, x_new))))  # fmt: skip
    said[ONE_A_CLASS] = behind(x_old, x_new, replace(clusters, cuts=(CLASS_CUT,)))
    z_old, z_new = (fitted.model.clusters.standardised(x) for x in (x_old, x_new))
    middle = fitted.model.hypers[len(fitted.model.hypers) // 2]
    said[ONE_FOR_ALL] = Said(said[FULL].score, fit_mlp(z_old, t, middle, seed).predict(z_new))
    said[NO_FILTER] = behind(x_old, x_new, replace(clusters, outlier=NO_LIMIT))
    said[NO_SEARCH] = behind(x_old, x_new, searched=False)
    said[NO_COVARIATES] = behind(x_old[:, :N_FEATURES], x_new[:, :N_FEATURES])
    said[NO_FILM] = behind(x_old[:, N_FEATURES:], x_new[:, N_FEATURES:])
    line = ridge(x_old, t, people).predict(x_new)
    said[RIDGE] = Said(-line, line)  # its T-score ranks the hips, too
    return said


def as_table(study: StudyHips, said: Mapping[str, Said]) -> pd.DataFrame:
    """A row a test hip and step: ``method, unit_id, group`` (the person), ``y_true, y_score, t_score, predicted``."""
    hips = study.hips.iloc[study.rows("test")]
    about = pd.DataFrame({"unit_id": hips["unit_id"].to_numpy(), "group": hips["subject_id"].to_numpy(),
                          "y_true": (hips["t_score"] <= CLASS_CUT).to_numpy(int),
                          "t_score": hips["t_score"].to_numpy()})  # fmt: skip
    return pd.concat(
        [about.assign(method=step, y_score=one.score, predicted=one.t_score) for step, one in said.items()],
        ignore_index=True,
    )


def one_seed(sizes: Mapping[str, Any], seed: int) -> Recording:
    """The recorded cell: the pipeline of :func:`osteolib.screen.hip_cells.pipeline` and every step on its test hips."""
    cohort = load_cohort("hip-phantom", preset="chen2024", seed=seed, n_subjects=sizes["n_hip_people"],
                         film_width=sizes["film_width"])  # fmt: skip
    recipe = replace(
        study_recipe(sizes["roi_size"], sizes["hip_epochs"], sizes["ga_generations"], 1, seed), networks=()
    )
    study = study_hips(cohort, recipe.image_size, seed)
    networks = trained_networks(study, recipe)
    fitted = fit_study(study, networks.features, recipe)
    said = as_table(study, said_by_steps(study, fitted, other_features(study, recipe), recipe))
    hips = study.hips.set_index("unit_id").loc[said["unit_id"]].reset_index()
    rows = hips.assign(cohort=cohort.name, split="test", fold=0, seed=seed, method=said["method"].to_numpy())
    predictions = pd.concat([
        rows.assign(target="osteoporosis", y_true=said["y_true"].to_numpy(float), y_score=said["y_score"].to_numpy()),
        rows.assign(target="t_score", y_true=said["t_score"].to_numpy(), y_score=said["predicted"].to_numpy()),
    ])[[*PREDICTION_COLUMNS, "split_group"]]  # fmt: skip
    about = {"image_size": recipe.image_size, "epochs": recipe.triplet.epochs, "n_phantoms": sizes["n_hip_people"],
             "n_train": len(study.rows("train", "validation")), "n_test": len(study.rows("test")),
             "backbone": "compact CNN", "initialisation": "none"}  # fmt: skip
    used = {cohort.name: {"kind": cohort.kind, "fingerprint": cohort.fingerprint}}
    history = pd.read_parquet(networks.folder / HISTORY).assign(fold=0)
    return Recording(predictions, history, prediction_metrics(predictions), used, about)
