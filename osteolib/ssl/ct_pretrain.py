"""Pre-training an encoder on vertebrae without DXA: SwAV on crops, TP-SwAV on texture pools, a masked autoencoder.

Batch, AdamW and warm-up are the paper's (tpswav2025_ct, Section 3.1); of the number of prototypes, the temperature, the
smoothness of the codes, the head and the regularisation of prototypes it says nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from osteolib.runs.store import resumable_artefact
from osteolib.ssl.ct_encoders import CT_FEATURES, build_ct_encoder, is_3d
from osteolib.ssl.encoders import HEADS, build_head
from osteolib.ssl.losses import SwAV, collapse_measures
from osteolib.ssl.mae import MaskedAutoencoder
from osteolib.ssl.pretrain import ENCODER, check_rows
from osteolib.ssl.vit import PATCH
from osteolib.train import Fitted, fit, put_weights, read_weights
from osteolib.views.multicrop import Crop, random_resized_crop, sample

METHODS = ("swav", "tp-swav", "mae")
HEAD = "small"
CROP_AREA = (0.14, 1.0)
"""Share of the picture in a large crop (SwAV, arXiv:2006.09882, Section 4)."""


@dataclass(frozen=True)
class CTRecipe:
    """What is pre-trained, and how; defaults are the paper's where it gives one.

    Attributes
    ----------
    encoder
        Key of ``CT_FEATURES``; ``mae`` needs ``vit-tiny``, the others any that takes planes.
    lr, warmup
        Rate that is reached after so many epochs in a straight line, and kept.
    prototypes, temperature, epsilon
        Of SwAV: their number, τ of Equation 1, and the smoothness of the codes.
    diversity
        Weight of :func:`prototype_similarity` in the loss.

    Raises
    ------
    ValueError
        A name is not known, or method and encoder do not go together.
    """

    method: str = "tp-swav"
    encoder: str = "resnet18-half"
    epochs: int = 300
    batch_size: int = 32
    lr: float = 1e-4
    warmup: int = 100
    weight_decay: float = 0.1
    prototypes: int = 32
    temperature: float = 0.1
    epsilon: float = 0.05
    diversity: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("method", METHODS), ("encoder", CT_FEATURES)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if is_3d(self.encoder) or (self.method == "mae") != (self.encoder == "vit-tiny"):
            raise ValueError(f"{self.method} does not pre-train {self.encoder}: mae takes vit-tiny, swav and tp-swav "
                             "take another encoder of planes")  # fmt: skip
        if self.epochs < 1 or self.warmup < 0 or self.batch_size < 2 or self.prototypes < 2:
            raise ValueError(f"epochs from 1, warmup from 0, batch_size and prototypes from 2 on: {self}")


class SwappedViews(nn.Module):
    """Encoder, head and prototypes: Equation 1 on two views of each vertebra, and the regularisation."""

    def __init__(self, recipe: CTRecipe) -> None:
        super().__init__()
        self.encoder = build_ct_encoder(recipe.encoder)
        self.head = build_head("swav", HEAD, CT_FEATURES[recipe.encoder])
        self.swav = SwAV(HEADS[HEAD]["swav"][-1], recipe.prototypes, 0, recipe.temperature, recipe.epsilon)
        self.diversity = recipe.diversity

    def forward(self, views: Tensor) -> dict[str, Tensor]:
        """Loss, its parts and measures of collapse of ``views`` (2, n, 3, size, size)."""
        inputs = views.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        z = self.head(self.encoder(inputs)).unflatten(0, views.shape[:2]).float()
        with torch.autocast(z.device.type, enabled=False):
            swapped, alike = self.swav(z), prototype_similarity(self.swav.prototypes.weight)
            collapsed = swapped.new_tensor(math.log(len(self.swav.prototypes.weight)))
            terms = {"loss": swapped + self.diversity * alike, "swapped": swapped, "similarity": alike}
            return terms | {"collapsed_loss": collapsed} | collapse_measures(z[0])


class Painted(nn.Module):
    """The masked autoencoder of a recipe with the same answers; what a collapse is to SwAV, the mean picture is here.

    ``collapsed_loss`` is the squared error of painting the batch's mean picture; both in variances of all pixels.
    """

    def __init__(self, recipe: CTRecipe, pixels: Tensor) -> None:
        super().__init__()
        sd, mean = torch.std_mean(as_input(pixels))
        self.net = MaskedAutoencoder(build_ct_encoder(recipe.encoder), float(mean), float(sd))

    def forward(self, images: Tensor, order: Tensor) -> dict[str, Tensor]:
        loss, features = self.net(images, order)
        mean_picture = images.float().var(0, correction=0).mean() / self.net.sd**2
        return {"loss": loss, "collapsed_loss": mean_picture} | collapse_measures(features.float())


def prototype_similarity(prototypes: Tensor) -> Tensor:
    """Mean squared cosine between different prototypes, (K, dim): 0 where all are orthogonal, 1 where all are one.

    The paper says that "a clustering regularization term ensures prototype diversity" and no more; this is ours.
    """
    unit = functional.normalize(prototypes, dim=1)
    k = len(unit)
    return ((unit @ unit.T).square().sum() - k) / (k * (k - 1))


def pool_views(pool: Tensor, generator: torch.Generator) -> Tensor:
    """Two different members of the pool of each vertebra, drawn anew: (n, members, 3, size, size) to (2, n, 3, ...)."""
    first, second = torch.rand(pool.shape[:2], generator=generator).argsort(1)[:, :2].T
    rows = torch.arange(len(pool))
    return torch.stack([pool[rows, first], pool[rows, second]])


def crop_views(images: Tensor, generator: torch.Generator) -> Tensor:
    """Two crops of each picture, enlarged to its size, the same window in all three planes: (2, n, 3, size, size).

    ``images`` (n, 3, size, size) are float32, 0 where nothing is.
    """
    n, _, height, width = images.shape
    boxes = random_resized_crop(2 * n, height, width, generator, Crop(2, height, CROP_AREA))
    upright = torch.eye(2, 3).expand(2 * n, 2, 3)
    return sample(images, upright, boxes, height, width).unflatten(0, (n, 2)).transpose(0, 1)


def pretrain_vertebrae(pool: NDArray[np.uint8], recipe: CTRecipe, folder: Path, about: str = "") -> Fitted:
    """Train for all epochs, of which the last counts; a run found in ``folder`` goes on.

    Parameters
    ----------
    pool
        As :func:`pretrained_vertebrae` takes it.
    about
        What else names the run: its pixels.

    Returns
    -------
    History with a row an epoch: ``epoch, lr, loss, collapsed_loss, embedding_sd, effective_rank``, and of SwAV
    ``swapped`` (Equation 1, per view) and ``similarity`` of its prototypes; weights of encoder, head and prototypes.

    Raises
    ------
    ValueError
        There are fewer than two vertebrae; ``mae`` is given planes that do not divide into patches.
    """
    if len(pool) < 2:
        raise ValueError(f"{len(pool)} vertebrae: pre-training needs two to tell apart; ask for more people")
    if recipe.method == "mae" and pool.shape[-1] % PATCH:
        raise ValueError(f"planes of {pool.shape[-1]} pixels do not divide into patches of {PATCH}: choose a multiple")
    pixels = torch.from_numpy(np.ascontiguousarray(pool if recipe.method == "tp-swav" else pool[:, 0]))
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        learner = Painted(recipe, pixels) if recipe.method == "mae" else SwappedViews(recipe)
    batch_size = min(recipe.batch_size, len(pixels))
    n_patches = (pool.shape[-1] // PATCH) ** 2

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
        shuffled = torch.randperm(len(pixels), generator=generator)
        for rows in shuffled[: len(shuffled) - len(shuffled) % batch_size].split(batch_size):
            if recipe.method == "tp-swav":
                yield (as_input(pool_views(pixels[rows], generator)),)
            elif recipe.method == "swav":
                yield (as_input(crop_views(pixels[rows].float(), generator)),)
            else:
                yield as_input(pixels[rows]), torch.rand(len(rows), n_patches, generator=generator).argsort(1)

    return fit(
        learner, _loss, batches, None, folder=folder, monitor=None, epochs=recipe.epochs, seed=recipe.seed,
        optimizer=partial(torch.optim.AdamW, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True),
        schedule=partial(_warm_up, epochs=recipe.warmup), about=asdict(recipe) | {"pixels": about},
    )  # fmt: skip


def _loss(model: nn.Module, batch: tuple[Tensor, ...], epoch: int) -> dict[str, Tensor]:
    return model(*batch)


def _warm_up(optimizer: torch.optim.Optimizer, epochs: int) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / (epochs + 1), total_iters=epochs)


def as_input(grey: Tensor) -> Tensor:
    """What an encoder takes of grey values 0 to 255: -1 to 1, as the training that follows has it."""
    return grey.float() / 127.5 - 1


def pretrained_vertebrae(pool: NDArray[np.uint8], groups: ArrayLike, held_out: Collection, recipe: CTRecipe) -> Path:
    """The artefact of a pre-training: ``encoder.safetensors``, as :func:`load_ct_encoder` reads it, and its history.

    Parameters
    ----------
    pool
        Shape (n, members, 3, size, size), the original first. ``swav`` and ``mae`` look at it alone, and the
        artefact is named by the pixels that are looked at.
    groups
        What is split, of each vertebra: its patient.
    held_out
        Groups kept for validation and test.

    Raises
    ------
    ValueError
        A vertebra of a held-out group is among them, or what :func:`pretrain_vertebrae` refuses.
    """
    check_rows(pool, groups, np.full(len(pool), np.nan), held_out, transductive=False)
    seen = np.ascontiguousarray(pool if recipe.method == "tp-swav" else pool[:, :1])
    pixels = hashlib.sha256(seen).hexdigest()

    def make(folder: Path, unfinished: Path) -> None:
        fitted = pretrain_vertebrae(seen, recipe, unfinished, pixels)
        fitted.history.to_parquet(folder / "history.parquet")
        begin = "net.encoder." if recipe.method == "mae" else "encoder."
        weights = read_weights(fitted.weights)
        save_file({k.removeprefix(begin): v for k, v in weights.items() if k.startswith(begin)}, folder / ENCODER)

    return resumable_artefact("vertebra-encoder", asdict(recipe) | {"pixels": pixels}, (__name__,), make)


def load_ct_encoder(folder: Path, name: str) -> nn.Module:
    """The encoder of :func:`pretrained_vertebrae`, in evaluation mode."""
    encoder = build_ct_encoder(name)
    put_weights(encoder, read_weights(folder / ENCODER), ENCODER)
    return encoder.eval()


@torch.inference_mode()
def embed_vertebrae(encoder: nn.Module, images: NDArray[np.uint8], batch_size: int = 64) -> NDArray[np.float32]:
    """Features of pictures (n, 3, size, size) seen whole: (n, features)."""
    encoder.eval()
    device = next(encoder.parameters()).device
    parts = [encoder(as_input(batch).to(device)).float().cpu() for batch in torch.from_numpy(images).split(batch_size)]
    return torch.cat(parts).numpy()
