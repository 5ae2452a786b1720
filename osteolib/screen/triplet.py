"""X1AI-Osteo's network: 128 features of a hip, trained by triplets (Methods, Fig. 1c).

An anchor shall lie nearer to hips of its own class than to those of the other, by a margin (Schroff, Kalenichenko and
Philbin, CVPR 2015). The paper calls the network customised and compact and prints neither its layers nor margin, batch,
optimiser or epochs: all are parameters here.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from osteolib.runs.store import resumable_artefact
from osteolib.train import put_weights, read_weights
from osteolib.views.hip_views import BLACK, augmented, network_input, on_background

N_FEATURES = 128
MODEL, FEATURES, HISTORY = "model.safetensors", "features.npy", "history.parquet"
MININGS = ("all", "hard")


@dataclass(frozen=True)
class TripletRecipe:
    """What is trained, and how.

    Attributes
    ----------
    widths
        Channels of the convolutions, each of which halves the image.
    mining
        ``all``: every triplet of a batch; ``hard``: for each anchor the farthest of its class and the nearest of the
        other, with which all features may fall together where labels near the cut are noisy.
    batch_size
        Hips of a batch; each is there twice, upright on black and tilted by up to ``degrees`` on black or white.
    """

    widths: tuple[int, ...] = (16, 32, 64, 128)
    margin: float = 0.5
    mining: str = "all"
    epochs: int = 100
    batch_size: int = 12
    learning_rate: float = 3e-3
    degrees: float = 6.0
    seed: int = 0

    def __post_init__(self):
        if self.mining not in MININGS:
            raise ValueError(f"mining must be one of {', '.join(MININGS)}, got {self.mining!r}")


class TripletNet(nn.Module):
    """From squares (n, 1, size, size) in [0, 1] to features (n, 128) of length 1."""

    def __init__(self, widths: tuple[int, ...] = TripletRecipe.widths) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((1, *widths), widths, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.Conv2d(widths[-1], widths[-1], 3, padding=1, bias=False), nn.BatchNorm2d(widths[-1]), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], N_FEATURES)

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.body(2 * images - 1).mean((2, 3))
        return functional.normalize(self.head(pooled))


def triplet_loss(features: Tensor, classes: Tensor, margin: float, mining: str = "all") -> Tensor:
    """Mean over triplets of max(0, d(a, p) - d(a, n) + margin), d the Euclidean distance.

    ``all``: over every triplet of the batch; ``hard``: over its anchors, each with its farthest positive and its
    nearest negative (Hermans, Beyer and Leibe 2017).

    Parameters
    ----------
    features
        Shape (n, k).
    classes
        Shape (n,), 0 or 1. An anchor without a second of its class, or without one of the other, takes no part.
    """
    # of equal features the root has no gradient: a little is added under it
    squared = (features[:, None] - features[None]).pow(2).sum(2)
    distance = (squared + 1e-12).sqrt()
    same = classes[:, None] == classes[None]
    positive = same & ~torch.eye(len(classes), dtype=torch.bool, device=classes.device)
    if mining == "hard":
        farthest = distance.masked_fill(~positive, -torch.inf).amax(1)
        nearest = distance.masked_fill(same, torch.inf).amin(1)
        anchors = positive.any(1) & (~same).any(1)
        losses = functional.relu(farthest - nearest + margin)[anchors]
        return losses.sum() / max(len(losses), 1)
    gap = distance[:, :, None] - distance[:, None, :] + margin  # anchor, positive, negative
    triplets = positive[:, :, None] & ~same[:, None, :]
    return (functional.relu(gap) * triplets).sum() / triplets.sum().clamp(min=1)


class Hips(NamedTuple):
    """What the network is given, in one order: squares (n, size, size) uint8, their femur masks (n, size, size) bool,
    classes (n,) of 0 and 1."""

    images: NDArray[np.uint8]
    femur: NDArray[np.bool_]
    classes: NDArray[np.int64]

    def digest(self) -> str:
        """Names the content."""
        parts = (np.ascontiguousarray(part).tobytes() for part in self)
        return hashlib.sha256(b"".join(parts)).hexdigest()

    def training_key(self, train: NDArray[np.int64], validation: NDArray[np.int64]) -> dict[str, str | int]:
        """Names a training on some rows that scores all: no class of the other hips is part of it.

        Raises
        ------
        ValueError
            Training or validation lacks a class.
        """
        for name, rows in (("training", train), ("validation", validation)):
            if len(np.unique(self.classes[rows])) < 2:
                raise ValueError(f"the hips for {name} ({len(rows)}) are all of one class: a network needs both")
        seen = np.concatenate([train, validation])
        squares = hashlib.sha256(self.images.tobytes() + self.femur.tobytes()).hexdigest()
        return {"hips": Hips(*(part[seen] for part in self)).digest(), "n_train": len(train), "all": squares}


def trained_triplet(hips: Hips, train: ArrayLike, validation: ArrayLike, recipe: TripletRecipe) -> Path:
    """Train on some hips, keep the epoch that parts others best, describe all; the artefact's folder.

    It holds the features of all hips, the weights and the history; see :func:`read_features`, :func:`load_triplet`.

    Parameters
    ----------
    train, validation
        Row numbers. Of all other hips the squares alone are used, after the training.

    Raises
    ------
    ValueError
        Training or validation lacks a class.
    """
    train, validation = (np.asarray(rows, int) for rows in (train, validation))
    key = hips.training_key(train, validation)

    def make(folder: Path, unfinished: Path) -> None:
        model, history, weights = _train(hips, train, validation, recipe, unfinished)
        np.save(folder / FEATURES, describe(model, hips.images, hips.femur), allow_pickle=False)
        history.to_parquet(folder / HISTORY)
        shutil.copy(weights, folder / MODEL)

    return resumable_artefact("hip-triplet", asdict(recipe) | key, (__name__, "osteolib.train"), make)


def read_features(folder: Path) -> NDArray[np.float32]:
    """Features of all hips of :func:`trained_triplet`, shape (n, 128)."""
    return np.load(folder / FEATURES, allow_pickle=False)


def load_triplet(folder: Path, recipe: TripletRecipe) -> TripletNet:
    """The network of :func:`trained_triplet`, in evaluation mode."""
    model = TripletNet(recipe.widths)
    put_weights(model, read_weights(folder / MODEL), MODEL)
    return model.eval()


def describe(model: TripletNet, images: NDArray[np.uint8], femur: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Features (n, 128) of squares on black; a hip's row does not depend on the others."""
    rows = [np.empty((0, N_FEATURES), np.float32)]
    device = next(model.parameters()).device
    model.eval()
    with torch.no_grad():
        for at in range(0, len(images), 64):
            squares = on_background(*network_input(images[at : at + 64], femur[at : at + 64]), BLACK)
            rows.append(model(squares.to(device)).float().cpu().numpy())
    return np.concatenate(rows)


def centre_score(features: NDArray, train: NDArray, classes: NDArray, rows: NDArray) -> NDArray[np.float64]:
    """Distance to the training hips' mean of class 0 minus that of class 1, of some rows: higher is nearer to 1."""
    zero, one = (features[train][classes[train] == c].mean(0) for c in (0, 1))
    return np.linalg.norm(features[rows] - zero, axis=1) - np.linalg.norm(features[rows] - one, axis=1)


def _train(hips: Hips, train: NDArray, validation: NDArray, recipe: TripletRecipe, folder: Path):
    from functools import partial

    from sklearn.metrics import roc_auc_score

    from osteolib.train import fit

    images, femur = network_input(hips.images, hips.femur)
    classes = torch.from_numpy(hips.classes)

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.from_numpy(train)[torch.randperm(len(train), generator=generator)]
        for rows in balanced_batches(order, classes, recipe.batch_size):
            upright = on_background(images[rows], femur[rows], BLACK)
            changed = augmented(images[rows], femur[rows], generator, recipe.degrees)
            yield torch.cat([upright, changed]), classes[rows].repeat(2)

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor], epoch: int) -> Mapping[str, Tensor]:
        features = model(batch[0]).float()
        return {"loss": triplet_loss(features, batch[1], recipe.margin, recipe.mining)}

    def validate(model: nn.Module) -> dict[str, float]:
        both = np.concatenate([train, validation])
        features = describe(model, hips.images[both], hips.femur[both])
        own, new = np.arange(len(train)), np.arange(len(train), len(both))
        score = centre_score(features, own, hips.classes[both], new)
        return {"auroc": roc_auc_score(hips.classes[validation], score)}

    torch.manual_seed(recipe.seed)
    model = TripletNet(recipe.widths)
    fitted = fit(model, loss, batches, validate, folder=folder, monitor="auroc", epochs=recipe.epochs,
                 seed=recipe.seed, optimizer=partial(torch.optim.AdamW, lr=recipe.learning_rate, weight_decay=1e-4),
                 schedule=partial(warm_then_cosine, epochs=recipe.epochs))  # fmt: skip
    return model, fitted.history, fitted.weights


def warm_then_cosine(optimizer: torch.optim.Optimizer, epochs: int, warm: int = 3) -> LRScheduler:
    """A learning rate that rises over ``warm`` epochs and falls to 0 as a half cosine over all."""
    return LambdaLR(optimizer, lambda epoch: min(1, (epoch + 1) / warm) * (1 + math.cos(math.pi * epoch / epochs)) / 2)


def balanced_batches(order: Tensor, classes: Tensor, size: int) -> Iterator[Tensor]:
    """Batches of row numbers in which both classes stand as often as among all of ``order``, each row once an epoch."""
    parts = [order[classes[order] == c] for c in (0, 1)]
    n = max(1, len(order) // size)
    for pieces in zip(*(part.tensor_split(n) for part in parts), strict=True):
        yield torch.cat(pieces)
