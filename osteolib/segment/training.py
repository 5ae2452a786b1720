"""Training the mixture U-Net with its transport loss, and drawing hypotheses from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from osteolib.cohorts import Cohort
from osteolib.phantoms.hand.truth import ANNOTATOR_WEIGHTS, annotate, read_masks
from osteolib.radiograph import read_radiograph
from osteolib.runs.store import artefact, resumable_artefact
from osteolib.segment.mixture import MixtureUNet, hypothesis_weights, mixture_probability
from osteolib.segment.overlap import distance, ged_squared
from osteolib.segment.transport import gamma_at, mean_cross_entropy, progress, transport_loss
from osteolib.train import ADAMW, Fitted, fit, put_weights, read_weights

MODEL = "mixture.safetensors"


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

    def take(self, rows: ArrayLike, annotators: ArrayLike | None = None) -> Annotated:
        """Some of the images, each with one annotation alone where ``annotators`` (n,) says which; of probability 1."""
        rows = torch.as_tensor(rows)
        labels, beta = self.labels[rows], self.beta[rows]
        if annotators is not None:
            labels = labels[torch.arange(len(rows)), torch.as_tensor(annotators)][:, None]
            beta = torch.ones(len(rows), 1)
        return Annotated(self.images[rows], labels, beta)

    def digest(self) -> str:
        return sha256(b"".join(t.numpy().tobytes() for t in (self.images, self.labels, self.beta))).hexdigest()


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

    steps = partial(ADAMW, lr=recipe.lr)
    options = {"epochs": recipe.epochs, "seed": recipe.seed, "optimizer": steps, "monitor": "negative_ged"}
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


def to_network(pixels: NDArray[np.uint8], size: int, labels: bool = False) -> NDArray[np.uint8]:
    """A film with its longer side reduced to ``size``, padded with zeros below and on the right to multiples of 16.

    Every new pixel of a film is a mean over the old ones it covers; of a label map it is the nearest.
    """
    from PIL import Image

    if size % 16 or size < 32:
        raise ValueError(f"size must be a multiple of 16 from 32 on, for the network's five levels, got {size}")
    how = Image.Resampling.NEAREST if labels else Image.Resampling.BILINEAR
    height, width = _reduced(pixels.shape, size)
    small = np.asarray(Image.fromarray(pixels).resize((width, height), how))
    return np.pad(small, [(0, max(-side % 16, 32 - side)) for side in small.shape])


def to_film(probability: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Label map (height, width) of a film from the probabilities (n_classes, height, width) at the network's size.

    The most probable class after bilinear interpolation, so that an outline may run between the network's pixels.

    Of n probabilities the largest is at least 1/n: a class is enlarged only within the box where it may be that.
    """
    from PIL import Image

    n, (rows, columns) = len(probability), _reduced(shape, max(probability.shape[1:]))
    probability = probability[:, :rows, :columns]
    may_win = probability >= 1 / n
    may_win[0] = may_win[1:].any(0)
    labels, best = np.zeros(shape, np.uint8), np.zeros(shape, np.float32)
    ratio = np.array(shape) / (rows, columns)
    for number in range(n):
        found = np.argwhere(may_win[number])
        if not len(found):
            continue
        # interpolated, a pixel reaches as far as the middle of the next
        low = np.floor((found.min(0) - 1) * ratio).clip(0).astype(int)
        high = np.ceil((found.max(0) + 2) * ratio).clip(max=shape).astype(int)
        box = (*(low / ratio)[::-1], *(high / ratio).clip(max=(rows, columns))[::-1])
        large = Image.fromarray(probability[number]).resize((high - low)[::-1].tolist(), Image.Resampling.BILINEAR, box)
        window = tuple(map(slice, low, high))
        wins = np.asarray(large) > best[window]
        labels[window][wins], best[window][wins] = number, np.asarray(large)[wins]
    return labels


def _reduced(shape: tuple[int, int], size: int) -> tuple[int, int]:
    height, width = (round(side * size / max(shape)) for side in shape)
    return height, width


def phantom_annotations(cohort: Cohort, size: int, seed: int = 0) -> Annotated:
    """Films of the hand phantom at the network's size, each drawn by all annotators, in the order of
    ``ANNOTATOR_WEIGHTS``, on the film as it is; kept in the store."""

    def make(folder: Path) -> None:
        images, labels = [], []
        for number, row in enumerate(cohort.subjects.itertuples()):
            images.append(to_network(read_radiograph(row.path).pixels, size))
            truth, rng = read_masks(row.masks_path, row.image_id), np.random.default_rng([seed, number])
            drawn = [annotate(truth, name, rng, row.spacing_mm) for name in ANNOTATOR_WEIGHTS]
            labels.append([to_network(one, size, labels=True) for one in drawn])
        np.savez_compressed(folder / "hands.npz", images=images, labels=labels)

    key = {"cohort": cohort.fingerprint, "ids": [*cohort.subjects["image_id"]], "size": size, "seed": seed}
    with np.load(artefact("hand-annotations", key, (__name__,), make) / "hands.npz") as arrays:
        images, labels = torch.from_numpy(arrays["images"])[:, None] / 255, torch.from_numpy(arrays["labels"])
    return Annotated(images, labels, torch.tensor([[*ANNOTATOR_WEIGHTS.values()]]).repeat(len(images), 1))


def trained_mixture(train: Annotated, validation: Annotated, recipe: Recipe) -> Path:
    """The artefact of a :func:`train_mixture`, for :func:`load_mixture`: weights, and ``history.parquet``."""
    key = asdict(recipe) | {"train": train.digest(), "validation": validation.digest()}

    def make(folder: Path, unfinished: Path) -> None:
        _, fitted = train_mixture(train, validation, recipe, unfinished)
        fitted.history.to_parquet(folder / "history.parquet")
        shutil.copy(fitted.weights, folder / MODEL)

    return resumable_artefact("mixture", key, (__name__,), make)


def load_mixture(folder: Path, recipe: Recipe) -> MixtureUNet:
    """The model of :func:`trained_mixture`, in evaluation mode."""
    model = MixtureUNet(8, recipe.k, recipe.latent, recipe.width)
    put_weights(model, read_weights(folder / MODEL), MODEL)
    return model.eval()
