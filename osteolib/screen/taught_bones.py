"""Encoder and linear layer trained together on labelled views of bones (lee2023_hand, Table 2, first row)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import CosineAnnealingLR

from osteolib.runs.store import resumable_artefact
from osteolib.screen.bone_probe import checked_parts, embed, macro_f1
from osteolib.screen.classifiers import build_classifier
from osteolib.ssl.pretrain import load_encoder
from osteolib.train import fit
from osteolib.views.multicrop import Crop, multi_crop
from osteolib.views.still import PRESETS


@dataclass(frozen=True)
class Taught:
    """What is trained on labels, and how: AdamW with a cosine, whose last epoch counts. Bones are scored whole.

    Attributes
    ----------
    encoder
        Name of :func:`osteolib.screen.classifiers.build_classifier`.
    crops
        Views of each bone, a sample each; bones are scored at the size of the first.
    augmentation, min_content
        As in :class:`osteolib.ssl.pretrain.Recipe`; ``none`` changes nothing but the crop.
    """

    encoder: str = "resnet18-half"
    crops: tuple[Crop, ...] = (Crop(1, 96, (0.7, 1.0)),)
    augmentation: str = "lee2023"
    min_content: float = 0.0
    epochs: int = 20
    batch_size: int = 64
    lr: float = 1e-3
    weight_decay: float = 1e-2
    seed: int = 0


def supervised(
    bones: np.ndarray, target: ArrayLike, groups: ArrayLike, part: ArrayLike, recipe: Taught, start: Path | None = None
) -> Path:
    """The artefact of a training on the bones whose ``part`` is ``train``, from random weights or a given encoder.

    It holds ``probability.parquet``, one row for each bone in order, and ``history.parquet``: ``epoch, lr, loss``,
    ``train_macro_f1`` of the training views as they were seen, by the vote of a group, and ``macro_f1`` of the
    validation bones. No epoch is chosen, so the validation bones are as unseen as those of the test. The name of the
    artefact follows from all that is given, the pixels of ``bones`` among it.

    Parameters
    ----------
    bones
        Shape (n, height, width), uint8, zero outside the bone.
    target, groups, part
        As in :func:`osteolib.screen.bone_probe.linear_probe`, with its errors.
    start
        The folder of an encoder of :func:`osteolib.ssl.pretrain.pretrained` that is trained on; None: random weights.
    """
    target, groups, part = checked_parts(target, groups, part)
    size, preset = recipe.crops[0].size, PRESETS[recipe.augmentation]
    pixels, classes, train = torch.from_numpy(bones), torch.from_numpy(target), np.flatnonzero(part == "train")
    seen: list[tuple[np.ndarray, np.ndarray]] = []  # rows and probabilities of the epoch's views

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[list[Tensor], Tensor, Tensor]]:
        seen.clear()
        order = train[torch.randperm(len(train), generator=generator).numpy()]
        for at in range(0, len(order) - 1, recipe.batch_size):  # a last batch of one has no batch statistics
            rows = order[at : at + recipe.batch_size]
            views = multi_crop(pixels[rows, None] / 255, generator, recipe.crops, preset, recipe.min_content)
            yield views, classes[rows], torch.from_numpy(rows)

    def loss(model: nn.Module, batch: tuple[list[Tensor], Tensor, Tensor], epoch: int) -> dict[str, Tensor]:
        views, y, rows = batch
        images = [view.flatten(0, 1).contiguous(memory_format=torch.channels_last) for view in views]
        logits = torch.cat([model(image) for image in images])
        times = len(logits) // len(y)
        seen.append((rows.cpu().numpy(), logits.detach().float().softmax(1)[:, 1].cpu().numpy()))
        return {"loss": functional.cross_entropy(logits, y.repeat(times))}

    def probabilities(model: nn.Module, images: np.ndarray) -> np.ndarray:
        return torch.from_numpy(embed(model, images, size)).softmax(1)[:, 1].double().numpy()

    def validate(model: nn.Module) -> dict[str, float]:
        rows = np.concatenate([np.resize(r, len(p)) for r, p in seen])
        shown, asked = np.concatenate([p for _, p in seen]), part == "validation"
        chosen = macro_f1(target[asked], probabilities(model, bones[asked]), groups[asked])
        return {"train_macro_f1": macro_f1(target[rows], shown, groups[rows]), "macro_f1": chosen}

    def make(folder: Path, unfinished: Path) -> None:
        torch.manual_seed(recipe.seed)
        model = build_classifier(recipe.encoder)
        if start:
            model[0] = load_encoder(start, recipe.encoder)
        fitted = fit(
            model, loss, batches, validate, folder=unfinished, monitor=None, epochs=recipe.epochs, seed=recipe.seed,
            optimizer=partial(torch.optim.AdamW, lr=recipe.lr, weight_decay=recipe.weight_decay),
            schedule=partial(CosineAnnealingLR, T_max=recipe.epochs),
        )  # fmt: skip
        fitted.history.to_parquet(folder / "history.parquet")
        pd.DataFrame({"probability": probabilities(model, bones)}).to_parquet(folder / "probability.parquet")

    given = {"target": target.tolist(), "groups": groups.tolist(), "part": part.tolist(),
             "bones": hashlib.sha256(np.ascontiguousarray(bones)).hexdigest()}  # fmt: skip
    given |= {"start": start.name} if start else {}
    return resumable_artefact("supervised-bones", asdict(recipe) | given, (__name__,), make)
