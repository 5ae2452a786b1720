"""Pre-training an encoder on bone images without their labels, or, for SupCon, with those of training subjects only.

Method, multi-crop, LARC, cosine schedule and batch of 128 are the hand papers' (lee2023_hand, Section 2.4;
lee2025_hand, "Contrastive self-supervised pretraining"). They print no learning rate and no number of epochs.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from safetensors.torch import save_file
from torch import Tensor, nn

from osteolib.runs.paths import digest
from osteolib.runs.store import resumable_artefact
from osteolib.ssl.encoders import FEATURES, HEADS, PROTOTYPES, build_encoder, build_head
from osteolib.ssl.larc import LARC
from osteolib.ssl.losses import METHODS, SwAV, collapse_measures, collapsed_loss, gathered, simclr, supcon, vicreg
from osteolib.train import Fitted, fit, put_weights, read_weights, share
from osteolib.views.multicrop import CROPS, PRESETS, Crop, multi_crop

ENCODER = "encoder.safetensors"
# Below, the last stride meets maps of one pixel: torch 2.14.1 (oneDNN 3.12.0) then leaves gradients of convolutions in
# bf16 on a CPU partly unwritten: they are what lay in memory. Nor is there much to see in so small a view.
SMALLEST_VIEW = 17


@dataclass(frozen=True)
class Recipe:
    """What is pre-trained, and how; defaults are the papers' where they give one.

    Attributes
    ----------
    augmentation, min_content
        Key of ``PRESETS``; 0.10 for extended and 0 for conventional multi-crop.
    head
        Key of ``HEADS``: widths of the projection head, and with it the number of prototypes.
    queue, epsilon
        SwAV's: embeddings of each global view that are kept, and the smoothness of its codes.
    lr
        For a batch of 256; it scales with the batch (arXiv:2002.05709, Section 2.2).

    Raises
    ------
    ValueError
        A name is not known; a view is smaller than 17 pixels.
    """

    method: str = "simclr"
    encoder: str = "resnet50"
    head: str = "paper"
    crops: tuple[Crop, ...] = CROPS
    augmentation: str = "lee2025"
    min_content: float = 0.10
    epochs: int = 100
    batch_size: int = 128
    lr: float = 0.3
    queue: int = 0
    epsilon: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("method", METHODS), ("encoder", FEATURES), ("head", HEADS), ("augmentation", PRESETS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if min(crop.size for crop in self.crops) < SMALLEST_VIEW:
            raise ValueError(f"views of at least {SMALLEST_VIEW} pixels are needed, got {self.crops}")


class Learner(nn.Module):
    """Encoder, projection head and loss of a recipe in one module, as DDP needs them."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.method, self.n_prototypes = recipe.method, PROTOTYPES[recipe.head]
        self.encoder = build_encoder(recipe.encoder)
        self.head = build_head(recipe.method, recipe.head, FEATURES[recipe.encoder])
        if recipe.method == "swav":
            self.swav = SwAV(HEADS[recipe.head]["swav"][-1], self.n_prototypes, recipe.queue, epsilon=recipe.epsilon)

    def embed(self, crops: list[Tensor]) -> Tensor:
        """Embeddings (views, n, dim) of crops (k, n, 1, size, size); views of one size go through together."""
        parts = []
        for crop in crops:
            images = crop.flatten(0, 1).contiguous(memory_format=torch.channels_last)
            parts.append(self.head(self.encoder(images)).unflatten(0, crop.shape[:2]))
        return torch.cat(parts).float()

    def forward(self, crops: list[Tensor], labels: Tensor) -> dict[str, Tensor]:
        """The loss of the batch of all processes, what it would be after a collapse, and the measures of collapse."""
        z = gathered(self.embed(crops))
        with torch.autocast(z.device.type, enabled=False):
            if self.method == "supcon":
                loss = supcon(z, gathered(labels[None])[0])
            else:
                loss = {"simclr": simclr, "vicreg": vicreg}.get(self.method) or self.swav
                loss = loss(z)
            expected = collapsed_loss(self.method, z.shape[1], self.n_prototypes)
            return {"loss": loss, "collapsed_loss": loss.new_tensor(expected)} | collapse_measures(z[0])


def pretrain(
    bones: np.ndarray, groups: ArrayLike, labels: ArrayLike, held_out: Collection, recipe: Recipe, folder: Path,
    transductive: bool = False, precision: str | None = None,
) -> Fitted:  # fmt: skip
    """Train a :class:`Learner` with LARC and a cosine for all its epochs, of which the last counts.

    Started by ``torchrun``, on all its processes.

    Parameters
    ----------
    bones
        Shape (n, height, width), uint8, zero outside the bone: the images that are learned from.
    groups
        What is split, of each image: the subject, or the image itself in the protocol that splits by segment.
    labels
        Class of each image, shape (n,), NaN where it is not shown; SupCon alone looks at them. The papers do not say
        whose labels it saw: those of labelled training subjects are the most that leaves validation and test untouched.
    held_out
        Groups kept for the test.
    folder
        Of this run alone; a run found there goes on from its last whole epoch.
    transductive
        Let the encoder see held-out images (never their labels).

    Returns
    -------
    History with one row per epoch: ``epoch, lr, loss, collapsed_loss, embedding_sd, effective_rank``; the weights of
    the whole learner.

    Raises
    ------
    ValueError
        An image of a held-out group is among ``bones`` and ``transductive`` is not set; a label of one is shown;
        SupCon is shown fewer than two classes; lengths differ; a batch cannot be shared out or has fewer than two
        images.
    """
    groups, known = check_rows(bones, groups, labels, held_out, transductive)
    if recipe.method == "supcon" and len(np.unique(known[~np.isnan(known)])) < 2:
        raise ValueError("supcon needs labels of two classes among the training subjects; without any it is simclr")
    world, batch_size = int(os.environ.get("WORLD_SIZE", 1)), min(recipe.batch_size, len(bones))  # as torchrun says
    if batch_size < 2 or batch_size % world:
        raise ValueError(f"a batch of {batch_size} cannot be shared by {world} processes, or is less than two images")
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        learner = Learner(recipe)
    pixels, shown = torch.from_numpy(bones), torch.from_numpy(known)

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[list[Tensor], Tensor]]:
        there = pixels.to(next(learner.parameters()).device)
        order = torch.randperm(len(pixels), generator=generator)
        for rows in order[: len(order) - len(order) % batch_size].split(batch_size):
            images = there[rows.to(there.device), None] / 255
            views = multi_crop(images, generator, recipe.crops, PRESETS[recipe.augmentation], recipe.min_content)
            own = share(batch_size)
            yield [view[:, own] for view in views], shown[rows][own]

    return fit(
        learner, _loss, batches, None, folder=folder, monitor=None, epochs=recipe.epochs, seed=recipe.seed,
        optimizer=partial(LARC, lr=recipe.lr * batch_size / 256),
        schedule=partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=recipe.epochs), max_norm=math.inf,
        precision=precision, about=asdict(recipe) | {"rows": digest([groups.tolist(), known.tolist()])},
    )  # fmt: skip


def _loss(model: nn.Module, batch: tuple[list[Tensor], Tensor], epoch: int) -> dict[str, Tensor]:
    return model(*batch)


def check_rows(
    bones: np.ndarray, groups: ArrayLike, labels: ArrayLike, held_out: Collection, transductive: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Groups and labels as arrays, if nothing of a held-out group is seen that must not be."""
    groups, labels = np.asarray(groups), np.array(labels, float)
    if not len(bones) == len(groups) == len(labels):
        raise ValueError(f"{len(bones)} bones, {len(groups)} groups and {len(labels)} labels: give one for each image")
    held = np.isin(groups, list(held_out))
    if held.any() and not transductive:
        raise ValueError(f"{held.sum()} images belong to {len(set(groups[held]))} held-out groups, the first "
                         f"{groups[held][0]}: leave them out, or set transductive=True and say so")  # fmt: skip
    if (held & ~np.isnan(labels)).any():
        raise ValueError(f"labels of held-out groups are shown, the first of {groups[held][0]}: set them to NaN")
    return groups, labels


def pretrained(
    bones: np.ndarray, groups: ArrayLike, labels: ArrayLike, held_out: Collection, recipe: Recipe,
    transductive: bool = False,
) -> Path:  # fmt: skip
    """The artefact of a :func:`pretrain` in one process: ``encoder.safetensors`` and ``history.parquet``.

    It is named by the content of ``bones``, however they were cut. ``held_out`` is no part of what is computed.
    """
    ids, known = check_rows(bones, groups, labels, held_out, transductive)
    bones = np.ascontiguousarray(bones)
    shown = {"bones": hashlib.sha256(bones).hexdigest(), "groups": ids.tolist(), "labels": known.tolist()}

    def make(folder: Path, unfinished: Path) -> None:
        fitted = pretrain(bones, groups, labels, held_out, recipe, unfinished, transductive)
        fitted.history.to_parquet(folder / "history.parquet")
        weights = read_weights(fitted.weights)
        encoder = {name[8:]: tensor for name, tensor in weights.items() if name.startswith("encoder.")}
        save_file(encoder, folder / ENCODER)

    return resumable_artefact("encoder", asdict(recipe) | shown, (__name__,), make)


def load_encoder(folder: Path, name: str) -> nn.Module:
    """The encoder of :func:`pretrained`, in evaluation mode."""
    encoder = build_encoder(name)
    put_weights(encoder, read_weights(folder / ENCODER), ENCODER)
    return encoder.eval()
