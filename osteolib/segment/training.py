"""Training the mixture U-Net with its transport loss, and drawing hypotheses from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osteolib.segment.mixture import MixtureUNet, hypothesis_weights, mixture_probability
from osteolib.segment.overlap import distance, ged_squared
from osteolib.segment.transport import gamma_at, mean_cross_entropy, progress, transport_loss
from osteolib.train import Fitted, fit


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; the paper prints none of them.

    Attributes
    ----------
    k, n_samples, latent, width
        As in :class:`MixtureUNet`; ``Recipe(k=1, n_samples=1, latent=0)`` is the single decoder, all else the same.
    gamma0
        Row bound at the start; ``None`` for 1/(K S), the lower end of the paper's range: all hypotheses take part.
    routing_weight
        lambda of Eq. 7.
    """

    k: int = 4
    n_samples: int = 2
    latent: int = 8
    width: int = 8
    gamma0: float | None = None
    routing_weight: float = 1.0
    epochs: int = 15
    batch: int = 8
    lr: float = 2e-3
    seed: int = 0


@dataclass(frozen=True)
class Annotated:
    """``images`` (n, 1, height, width) float32 in [0, 1]; ``labels`` (n, M, height, width) uint8; ``beta`` (n, M)."""

    images: Tensor
    labels: Tensor
    beta: Tensor


@dataclass(frozen=True)
class Drawn:
    """Hypotheses ``labels`` (n, K S, height, width) uint8, module by module, their weights ``alpha`` (n, K S), the
    routing ``pi`` (n, K), and the mixture's ``probability`` (n, n_classes, height, width); its argmax is the mask."""

    labels: NDArray[np.uint8]
    alpha: NDArray[np.float64]
    pi: NDArray[np.float64]
    probability: NDArray[np.float32]


def train_mixture(train: Annotated, validation: Annotated, recipe: Recipe, folder: Path) -> tuple[MixtureUNet, Fitted]:
    """The model with the weights of the epoch whose GED on the validation images is smallest.

    The history has ``ged`` (squared; ``negative_ged`` is what is maximised) and ``iou``, of the mixture's argmax with
    the annotations by their weights. Raises ValueError where gamma0 is infeasible: below 1/(K S).
    """
    n = recipe.k * recipe.n_samples
    gamma0 = 1 / n if recipe.gamma0 is None else recipe.gamma0
    torch.manual_seed(recipe.seed)
    model = MixtureUNet(8, recipe.k, recipe.latent, recipe.width)

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
        for rows in torch.randperm(len(train.images), generator=generator).split(recipe.batch):
            yield train.images[rows], train.labels[rows], train.beta[rows]

    def loss(model: MixtureUNet, batch: tuple[Tensor, ...], epoch: int) -> dict[str, Tensor]:
        images, labels, beta = batch
        logits, pi = model(images, recipe.n_samples)
        done = progress(epoch, recipe.epochs)
        terms = transport_loss(logits, pi, labels, beta, gamma_at(done, gamma0), recipe.routing_weight)
        start = mean_cross_entropy(logits, labels, beta)
        return terms | {"loss": terms["loss"] + (1 - done) * start, "cross_entropy": start}

    def validate(model: MixtureUNet) -> dict[str, float]:
        drawn = draw(model, validation.images, recipe.n_samples)
        masks, labels, beta = drawn.probability.argmax(1), validation.labels.numpy(), validation.beta.double().numpy()
        ged = np.mean([ged_squared(*four) for four in zip(drawn.labels, drawn.alpha, labels, beta, strict=True)])
        apart = [distance(m[None], y)[0] @ b for m, y, b in zip(masks, labels, beta, strict=True)]
        return {"negative_ged": -ged, "ged": ged, "iou": 1 - np.mean(apart)}

    options = {"epochs": recipe.epochs, "seed": recipe.seed, "lr": recipe.lr, "monitor": "negative_ged"}
    return model, fit(model, loss, batches, validate, folder=folder, **options)


@torch.no_grad()
def draw(model: MixtureUNet, images: Tensor, n_samples: int = 1, seed: int = 0, batch: int = 16) -> Drawn:
    """Hypotheses of a trained model for images (n, 1, height, width); the same seed draws the same."""
    parts, device = [], next(model.parameters()).device
    model.eval()
    with torch.random.fork_rng([device.index] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for some in images.split(batch):
            logits, pi = model(some.to(device), n_samples)
            labels, alpha = logits.argmax(3).flatten(1, 2).to(torch.uint8), hypothesis_weights(pi, n_samples)
            parts.append((labels, alpha.double(), pi.double(), mixture_probability(logits, pi)))
    return Drawn(*(torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True)))
