"""STR-Net in grouped cross-validation: every knee is scored by a model that saw neither it nor its split group.

Each fold is an artefact of its own, so a run that is cut off goes on with the fold, and within it with the epoch, that
it was in. Of the folds that do not test, one validates (early stopping, threshold) and the others train.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from osteolib.cohorts import bone_loss, grouped_folds
from osteolib.radiograph import normalise_intensity, otsu_crop, read_radiograph, resize, to_tensor_range
from osteolib.runs.side_by_side import side_by_side
from osteolib.runs.store import artefact, resumable_artefact
from osteolib.stats import sensitivity_constrained_threshold

MODULES = (__name__, "osteolib.screen.strnet", "osteolib.train", "osteolib.radiograph.augment")


@dataclass(frozen=True)
class Recipe:
    """What is trained, and how; defaults are the paper's (Section 2.4, Table 2).

    ``class_weights`` is a rule of :func:`osteolib.screen.strnet.class_weights`: the text weighs the classes, the
    released code hardly does.
    """

    backbone: str = "resnet50"
    tarr: str = "released"
    initialisation: str = "none"
    class_weights: str = "text"
    image_size: int = 512
    epochs: int = 100
    batch_size: int = 32
    seed: int = 0


def knee_images(subjects: pd.DataFrame, size: int) -> np.ndarray:
    """Each unit prepared as in Section 2.2, shape (n, size, size), uint8, from the store if it is there.

    ``subjects`` has ``path``, the unit's box ``x0, y0, x1, y1`` in pixels of its film, and ``sha256`` where films come
    from outside (those of a phantom lie in the store, under a path that names their content).
    """
    boxes = subjects[["x0", "y0", "x1", "y1"]].astype(int).to_numpy()

    def prepared(path: str, box: np.ndarray) -> np.ndarray:
        x0, y0, x1, y1 = box
        knee = read_radiograph(Path(path)).pixels[y0:y1, x0:x1]
        left, top, right, bottom = otsu_crop(knee)
        return resize(normalise_intensity(knee[top:bottom, left:right]), size)

    def make(folder: Path) -> None:
        images = [prepared(path, box) for path, box in zip(subjects["path"], boxes, strict=True)]
        np.save(folder / "images.npy", np.stack(images), allow_pickle=False)

    films = subjects["sha256" if "sha256" in subjects else "path"].tolist()
    key = {"films": films, "boxes": boxes.tolist(), "size": size}
    folder = artefact("knee-images", key, ["osteolib.screen.knee_folds", "osteolib.radiograph.preprocess"], make)
    return np.load(folder / "images.npy", allow_pickle=False)


class CrossValidated(NamedTuple):
    """What :func:`cross_validate` returns.

    Attributes
    ----------
    scores
        ``unit_id, fold, part`` (test or validation), ``screen, severity, t_score``; each unit is tested once and
        validates once.
    history
        The columns of :func:`osteolib.train.fit` and ``fold``.
    folders
        The artefact of each fold, as :func:`train_once` leaves it.
    """

    scores: pd.DataFrame
    history: pd.DataFrame
    folders: dict[int, Path]


def cross_validate(
    subjects: pd.DataFrame, images: np.ndarray, recipe: Recipe, n_folds: int, fingerprint: str
) -> CrossValidated:
    """Train one network for each fold and score every unit by the one that saw neither it nor its split group.

    Parameters
    ----------
    subjects
        One row per unit: ``unit_id, label, t_score, age_years, sex, bmi_kg_m2, subject_id, split_group``.
    images
        Shape (n, size, size), uint8, in the order of ``subjects``.
    fingerprint
        Of the cohort: part of what names the artefacts.
    """
    folds = grouped_folds(subjects, bone_loss(subjects["label"]), n_folds, recipe.seed)
    calls = {}
    for fold in range(n_folds):
        test, validation = folds == fold, folds == (fold + 1) % n_folds
        parts = {"test": test, "validation": validation, "train": ~(test | validation)}
        key = {"cohort": fingerprint, "n_folds": n_folds, "fold": fold}
        calls[fold] = (subjects, images, parts, recipe, key)
    folders = side_by_side(train_once, calls)
    tables = (
        pd.concat([pd.read_parquet(at / f"{name}.parquet").assign(fold=fold) for fold, at in folders.items()])
        for name in ("scores", "history")
    )
    scores, history = (table.reset_index(drop=True) for table in tables)
    return CrossValidated(scores, history, folders)


def train_once(
    subjects: pd.DataFrame, images: np.ndarray, parts: dict[str, np.ndarray], recipe: Recipe, key: dict
) -> Path:
    """Train on ``parts["train"]``, stop by ``parts["validation"]``, score every other part; the artefact's folder.

    It holds ``scores.parquet``, ``history.parquet`` and the best weights, ``model.safetensors``.
    """
    from osteolib.screen.strnet import start_sha256

    used = {"rows": {name: subjects["unit_id"][rows].tolist() for name, rows in parts.items()},
            "weights": start_sha256(recipe.backbone, recipe.initialisation)}  # fmt: skip

    def make(folder: Path, unfinished: Path) -> None:
        scores, history, weights = _train(subjects, images, parts, recipe, unfinished)
        scores.to_parquet(folder / "scores.parquet")
        history.to_parquet(folder / "history.parquet")
        shutil.copy(weights, folder / "model.safetensors")

    return resumable_artefact("strnet", key | asdict(recipe) | used, MODULES, make)


def fold_thresholds(scores: pd.DataFrame, label: pd.Series, min_sensitivity: float = 0.86) -> pd.DataFrame:
    """The threshold of Equation 2, chosen on each fold's validation knees and applied to its test knees.

    Parameters
    ----------
    scores
        From :func:`cross_validate`.
    label
        Class of each unit, indexed by ``unit_id``.

    Returns
    -------
    One row per fold: ``fold`` (from 1), ``threshold`` (NaN where none finds enough; then the test columns are NaN),
    ``tied`` (how many thresholds are as good), sensitivity and specificity on both parts.
    """
    rows = []
    for fold, part in scores.groupby("fold"):
        validation, test = (part[part["part"] == name] for name in ("validation", "test"))
        chosen = sensitivity_constrained_threshold(
            bone_loss(label[validation["unit_id"]]), validation["screen"], min_sensitivity
        )
        loss = bone_loss(label[test["unit_id"]]) == 1
        called = (test["screen"] >= chosen.threshold).astype(float) if chosen.feasible else test["screen"] * np.nan
        rows.append(
            {
                "fold": fold + 1,
                "threshold": chosen.threshold,
                "tied": len(chosen.tied),
                "sensitivity_validation": chosen.sensitivity,
                "specificity_validation": chosen.specificity,
                "sensitivity_test": called[loss].mean(),
                "specificity_test": 1 - called[~loss].mean(),
            }
        )
    return pd.DataFrame(rows)


def covariates_of(subjects: pd.DataFrame) -> np.ndarray:
    """Age in years, sex (1 female, 0 male) and BMI in kg/m², shape (n, 3), float32; NaN where missing."""
    female = (subjects["sex"] == "F").astype(float).where(subjects["sex"].notna())
    return np.column_stack([subjects["age_years"], female, subjects["bmi_kg_m2"]]).astype(np.float32)


def _train(subjects, images, parts, recipe: Recipe, folder: Path):
    import torch
    from sklearn.metrics import average_precision_score, roc_auc_score

    from osteolib.radiograph.augment import augment
    from osteolib.screen.strnet import (
        STRNet,
        Targets,
        answers,
        class_weights,
        encode_targets,
        initialise,
        predict,
        strnet_loss,
    )
    from osteolib.train import fit

    targets = encode_targets(subjects["label"], subjects["t_score"])
    table = torch.from_numpy(covariates_of(subjects))
    pixels = torch.from_numpy(to_tensor_range(images))[:, None]
    train = np.flatnonzero(parts["train"])
    weights = class_weights(Targets(*(t[train] for t in targets)), recipe.class_weights)
    torch.manual_seed(recipe.seed)
    model = STRNet(recipe.backbone, recipe.tarr)
    initialise(model, recipe.initialisation)
    model.scale_covariates(table[train])

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple]:
        order = train[torch.randperm(len(train), generator=generator).numpy()]
        for at in range(0, len(order) - 1, recipe.batch_size):  # a last batch of one has no batch statistics
            rows = order[at : at + recipe.batch_size]
            yield augment(pixels[rows], generator), table[rows], tuple(t[rows] for t in targets)

    def loss(model, batch, epoch: int):
        x, covariates, known = batch
        return strnet_loss(model(x, covariates), Targets(*known), epoch, weights=weights)

    def validate(model) -> dict[str, float]:
        rows = np.flatnonzero(parts["validation"])
        outputs, known = answers(model, pixels[rows], table[rows]), Targets(*(t[rows] for t in targets))
        score, truth = torch.sigmoid(outputs.screen).numpy(), known.bone_loss.numpy()
        whole = strnet_loss(outputs, known, recipe.epochs, weights=weights, warmup_epochs=0)  # no jump at the warm-up
        return {"auprc": average_precision_score(truth, score), "auroc": roc_auc_score(truth, score),
                "validation_loss": float(whole["loss"])}  # fmt: skip

    fitted = fit(model, loss, batches, validate, folder=folder, monitor="auprc", epochs=recipe.epochs, seed=recipe.seed)
    scores = []
    for part, chosen in parts.items():
        if part != "train":
            rows = np.flatnonzero(chosen)
            scored = predict(model, pixels[rows], table[rows])
            scores.append(scored.assign(unit_id=subjects["unit_id"].to_numpy()[rows], part=part))
    return pd.concat(scores, ignore_index=True), fitted.history, fitted.weights
