"""What X1AI-Osteo is compared with: two open networks on the same squares, and frozen features of a third.

ResNet-50 and Inception-v3 come from torchvision with random weights; their ImageNet weights do not install as packages.
Those of EfficientNet-Lite0 do, so its frozen features with a linear model stand for "pretrained".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from osteolib.runs.store import artefact, resumable_artefact
from osteolib.screen.triplet import Hips
from osteolib.screen.weights import frozen_features
from osteolib.views.hip_views import BLACK, augmented, network_input, on_background

NETWORKS = {"resnet50": 32, "inception_v3": 75}
"""The networks, and the smallest image each can take, in pixels."""
PRETRAINED = "efficientnet_lite0"
SCORES = "scores.npy"


@dataclass(frozen=True)
class NetworkRecipe:
    """What is trained, and how; the paper prints the input, 224, and nothing else."""

    network: str = "resnet50"
    image_size: int = 224
    epochs: int = 100
    batch_size: int = 16
    learning_rate: float = 3e-4
    degrees: float = 6.0
    seed: int = 0

    def __post_init__(self):
        if self.network not in NETWORKS:
            raise ValueError(f"network must be one of {', '.join(NETWORKS)}, got {self.network!r}")
        if self.image_size < NETWORKS[self.network]:
            raise ValueError(f"{self.network} needs images of {NETWORKS[self.network]} pixels or more, got "
                             f"{self.image_size}: raise image_size")  # fmt: skip


def build_network(name: str) -> nn.Module:
    """Random weights, three channels in, one logit out, (n, 1); Inception-v3 without its auxiliary classifier."""
    if name == "resnet50":
        return models.resnet50(num_classes=1)
    return models.inception_v3(num_classes=1, aux_logits=False, init_weights=False)


def trained_network(hips: Hips, train: ArrayLike, validation: ArrayLike, recipe: NetworkRecipe) -> NDArray[np.float64]:
    """Train on some hips with cross-entropy, keep the epoch that parts others best, score all.

    Parameters
    ----------
    train, validation
        Row numbers; of all other hips the squares alone are used, after the training.

    Returns
    -------
    Probability of class 1, shape (n,).

    Raises
    ------
    ValueError
        Training or validation lacks a class.
    """
    train, validation = (np.asarray(rows, int) for rows in (train, validation))
    key = hips.training_key(train, validation)

    def make(folder: Path, unfinished: Path) -> None:
        model = _train(hips, train, validation, recipe, unfinished)
        score = _scores(model, hips, np.arange(len(hips.images)), recipe.image_size)
        np.save(folder / SCORES, score, allow_pickle=False)

    folder = resumable_artefact("hip-network", asdict(recipe) | key, (__name__, "osteolib.train"), make)
    return np.load(folder / SCORES, allow_pickle=False)


class Frozen(NamedTuple):
    """What linear models on features that do not learn say of hips, shape (n,) each: P(class 1), T-score."""

    score: NDArray[np.float64]
    t_score: NDArray[np.float64]


def frozen_predictions(hips: Hips, t_score: ArrayLike, people: ArrayLike, train: ArrayLike) -> Frozen:
    """Logistic and ridge regression on frozen ImageNet features, fitted on the hips of training.

    The ridge's penalty is chosen within the training hips, on people left out; the logistic one's is fixed at a strong
    one, for there are many more features than people.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, t, people = np.asarray(train, int), np.asarray(t_score, float), np.asarray(people)
    squares = np.where(hips.femur, hips.images, np.uint8(0))
    key = {"encoder": PRETRAINED, "hips": hashlib.sha256(squares.tobytes()).hexdigest()}

    def make(folder: Path) -> None:
        np.save(folder / "features.npy", frozen_features(PRETRAINED, squares), allow_pickle=False)

    folder = artefact("hip-frozen", key, ("osteolib.screen.weights",), make)
    x = np.load(folder / "features.npy", allow_pickle=False)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=1000))
    classifier.fit(x[train], hips.classes[train])
    return Frozen(classifier.predict_proba(x)[:, 1], ridge(x[train], t[train], people[train]).predict(x))


def ridge(x: ArrayLike, t_score: ArrayLike, people: ArrayLike) -> Any:
    """One ridge regression of T-scores (n,) on standardised features (n, k), its penalty by leaving out people (n,)."""
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # of a hip whose other side is in training a weak penalty looks good
    folds = list(GroupKFold(min(5, len(np.unique(people)))).split(x, t_score, people))
    return make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 5, 11), cv=folds)).fit(x, t_score)


def _prepared(images: Tensor, size: int) -> Tensor:
    """Squares in [0, 1] at a network's size, three channels from -1 to 1."""
    if images.shape[-1] != size:
        images = functional.interpolate(images, (size, size), mode="bilinear", antialias=True, align_corners=False)
    return (2 * images - 1).expand(-1, 3, -1, -1)


def _scores(model: nn.Module, hips: Hips, rows: NDArray, size: int) -> NDArray[np.float64]:
    device = next(model.parameters()).device
    model.eval()
    scores = []
    with torch.no_grad():
        for at in np.array_split(rows, max(1, len(rows) // 32)):
            squares = on_background(*network_input(hips.images[at], hips.femur[at]), BLACK)
            scores.append(torch.sigmoid(model(_prepared(squares, size).to(device)).float()).cpu().numpy()[:, 0])
    return np.concatenate(scores).astype(float)


def _train(hips: Hips, train: NDArray, validation: NDArray, recipe: NetworkRecipe, folder: Path) -> nn.Module:
    from functools import partial

    from sklearn.metrics import roc_auc_score
    from torch.optim.lr_scheduler import CosineAnnealingLR

    from osteolib.train import fit

    images, femur = network_input(hips.images, hips.femur)
    classes = torch.from_numpy(hips.classes)

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.from_numpy(train)[torch.randperm(len(train), generator=generator)]
        for rows in order.tensor_split(max(1, len(order) // recipe.batch_size)):
            changed = augmented(images[rows], femur[rows], generator, recipe.degrees)
            upright = torch.rand(len(rows), 1, 1, 1, generator=generator) < 0.5
            squares = torch.where(upright, on_background(images[rows], femur[rows], BLACK), changed)
            yield _prepared(squares, recipe.image_size), classes[rows].float()

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor], epoch: int) -> dict[str, Tensor]:
        return {"loss": functional.binary_cross_entropy_with_logits(model(batch[0])[:, 0].float(), batch[1])}

    def validate(model: nn.Module) -> dict[str, float]:
        return {"auroc": roc_auc_score(hips.classes[validation], _scores(model, hips, validation, recipe.image_size))}

    torch.manual_seed(recipe.seed)
    model = build_network(recipe.network)
    fit(model, loss, batches, validate, folder=folder, monitor="auroc", epochs=recipe.epochs, seed=recipe.seed,
        optimizer=partial(torch.optim.AdamW, lr=recipe.learning_rate, weight_decay=1e-4),
        schedule=partial(CosineAnnealingLR, T_max=recipe.epochs))  # fmt: skip
    return model
