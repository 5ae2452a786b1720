"""Simple models under the four splits: what a score owes to copies of the test films among the training films.

Nothing but the split changes, so the difference between the score by image and by source film is what copies give.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.cohorts import bone_loss
from osteolib.runs.store import artefact
from osteolib.screen.copy_splits import each_once, folds_by, knee_pixels
from osteolib.screen.knee_folds import knee_images
from osteolib.screen.weights import frozen_features

PIXELS = 32
NEIGHBOURS = 5
COMPONENTS = 100
FREE, HELD = "frozen features", f"frozen features, {COMPONENTS} components"
NEAREST, FACTS = f"{NEIGHBOURS} nearest pictures", "file facts, no picture"


def knee_features(subjects: pd.DataFrame, size: int, encoder: str = "efficientnet_lite0") -> NDArray[np.float32]:
    """Frozen features of each knee, shape (n, features), from the store if they are there."""
    distinct, number = each_once(subjects)
    images = knee_images(distinct, size)

    def make(folder: Path) -> None:
        np.save(folder / "features.npy", frozen_features(encoder, images), allow_pickle=False)

    boxes = distinct[["x0", "y0", "x1", "y1"]].astype(int).to_numpy().tolist()
    key = {"films": distinct["sha256"].tolist(), "boxes": boxes, "size": size, "encoder": encoder}
    folder = artefact("frozen-features", key, [__name__, "osteolib.radiograph.preprocess"], make)
    return np.load(folder / "features.npy", allow_pickle=False)[number]


def file_facts(subjects: pd.DataFrame) -> pd.DataFrame:
    """What is known of a file without looking at its picture: sides, bytes and bytes per pixel of the original, format.

    Returns
    -------
    ``width, height, bytes, bytes_per_pixel`` and an indicator for each format; NaN where an original was never seen.
    """
    facts = subjects[["original_width", "original_height", "original_bytes"]].astype(float)
    facts.columns = ["width", "height", "bytes"]
    facts["bytes_per_pixel"] = facts["bytes"] / (facts["width"] * facts["height"])
    return facts.join(pd.get_dummies(subjects["original_format"], prefix="format").astype(float))


def models(seed: int, n: int) -> dict[str, object]:
    """The models that are fitted anew in every fold, by what they look at; all answer with ``predict_proba``.

    ``n`` is the number of knees in all folds: fewer than 200 allow no 100 components in every half of them.
    """
    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=seed)
    return {
        FREE: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        HELD: make_pipeline(
            StandardScaler(), PCA(min(COMPONENTS, n // 2), random_state=seed), LogisticRegression(max_iter=2000)
        ),
        NEAREST: KNeighborsClassifier(NEIGHBOURS, weights="distance"),
        FACTS: make_pipeline(SimpleImputer(), forest),
    }


def views(subjects: pd.DataFrame, size: int) -> dict[str, NDArray[np.floating]]:
    """What each of :func:`models` looks at, shape (n, columns) each, in the order of ``subjects``."""
    small = knee_pixels(subjects, PIXELS).reshape(len(subjects), -1).astype(np.float32)
    small -= small.mean(1, keepdims=True)  # brightness and contrast are not what makes two pictures near
    small /= np.maximum(small.std(1, keepdims=True), 1e-6)
    features = knee_features(subjects, size)
    return {FREE: features, HELD: features, NEAREST: small, FACTS: file_facts(subjects).to_numpy()}


def out_of_fold_scores(
    subjects: pd.DataFrame, looked_at: dict[str, NDArray], split: str, n_folds: int, seed: int
) -> pd.DataFrame:
    """Every model's probability of bone loss for every knee, by models that saw neither it nor its group.

    Returns
    -------
    ``unit_id``, ``fold``, ``copied`` (whether a knee of the same source film stands in training) and a column for each
    model.
    """
    from sklearn.model_selection import PredefinedSplit, cross_val_predict

    fold, y = folds_by(subjects, split, n_folds, seed), bone_loss(subjects["label"])
    scores = pd.DataFrame({"unit_id": subjects["unit_id"], "fold": fold, "copied": has_copy(subjects, fold)})
    for name in looked_at:
        model = models(seed, len(subjects))[name]
        predicted = cross_val_predict(model, looked_at[name], y, cv=PredefinedSplit(fold), method="predict_proba")
        scores[name] = predicted[:, 1]
    return scores


def has_copy(subjects: pd.DataFrame, fold: ArrayLike, grade: str = "source_group") -> NDArray[np.bool_]:
    """Whether a knee of the same group stands in another fold, that is among those a model of its fold learned from."""
    folds_of_group = pd.Series(np.asarray(fold), index=subjects.index).groupby(subjects[grade])
    return (folds_of_group.transform("nunique") > 1).to_numpy()


def auroc_within(y_true: ArrayLike, y_score: ArrayLike, stratum: ArrayLike) -> float:
    """AUROC over pairs of a case and a normal from one stratum: what is left when the stratum itself says nothing.

    Strata are weighed by their numbers of pairs; ties count half. NaN where no stratum holds both classes.
    """
    from scipy.stats import rankdata

    y, score, (stratum, names) = np.asarray(y_true), np.asarray(y_score, float), pd.factorize(np.asarray(stratum))
    won = pairs = 0.0
    for number in range(len(names)):  # a knee without a stratum has no number
        part = stratum == number
        ill = y[part] == 1
        cases, normals = int(ill.sum()), int((~ill).sum())
        if cases and normals:
            won += rankdata(score[part])[ill].sum() - cases * (cases + 1) / 2
            pairs += cases * normals
    return won / pairs if pairs else float("nan")
