"""From bone images to a score of each subject: frozen features, a linear layer, and the mean over the bones present.

The linear layer is trained as the hand papers train theirs (LARC, cosine, batch of 128, cross-entropy), and the epoch
with the highest validation macro-F1 counts (lee2025_hand, "Metrics"). What is split and what is scored is one choice,
``groups``: the subject (lee2025_hand, Eq. 10), or each bone image by itself (lee2023_hand, Table 1), where bones of one
person stand on both sides of the split.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import CosineAnnealingLR

from osteolib.cohorts.folds import grouped_folds
from osteolib.runs.store import artefact
from osteolib.ssl.larc import LARC
from osteolib.ssl.pretrain import load_encoder
from osteolib.stats.metrics import f1
from osteolib.train import fit

PARTS = ("train", "validation", "test")


def split_bones(
    bones: pd.DataFrame, target: ArrayLike, by: str = "subject_id", fold: int = 0, n_folds: int = 10, seed: int = 0
) -> np.ndarray:
    """The part of each bone image: one fold tests, the next validates; ten folds give the papers' 8:1:1.

    Parameters
    ----------
    bones
        One row per bone image: ``bone_id`` (each its own), ``subject_id, split_group``.
    by
        ``subject_id``, with duplicates kept together, or ``bone_id`` for the protocol that splits by segment.

    Returns
    -------
    ``train``, ``validation`` or ``test``, shape (n,).
    """
    if by not in ("subject_id", "bone_id"):
        raise ValueError(f"bones are split by subject_id or bone_id, not by {by!r}")
    table = bones if by == "subject_id" else bones.assign(subject_id=bones["bone_id"], split_group=bones["bone_id"])
    folds = grouped_folds(table, target, n_folds, seed)
    return np.select([folds == fold, folds == (fold + 1) % n_folds], ["test", "validation"], "train")


@torch.inference_mode()
def embed(encoder: nn.Module, bones: np.ndarray, size: int, batch_size: int = 128) -> np.ndarray:
    """Features of each bone seen whole: (n, features), float32, from ``bones`` (n, height, width), uint8."""
    encoder.eval()
    device, features = next(encoder.parameters()).device, []
    for batch in torch.from_numpy(bones)[:, None].split(batch_size):
        whole = functional.interpolate(batch.to(device) / 255, (size, size), mode="bilinear", antialias=True)
        features.append(encoder(whole).float().cpu())
    return torch.cat(features).numpy()


def embed_stored(folder: Path, name: str, bones: np.ndarray, size: int) -> np.ndarray:
    """:func:`embed` with the encoder of :func:`osteolib.ssl.pretrain.pretrained`, kept: several pages ask for it."""

    def make(into: Path) -> None:
        np.save(into / "features.npy", embed(load_encoder(folder, name), bones, size), allow_pickle=False)

    key = {"encoder": folder.name, "size": size, "bones": hashlib.sha256(np.ascontiguousarray(bones)).hexdigest()}
    return np.load(artefact("features", key, (__name__,), make) / "features.npy", allow_pickle=False)


@dataclass(frozen=True)
class Probe:
    """A trained linear layer: ``weight`` (2, features) and ``bias`` (2,), of features less ``mean`` over ``sd``."""

    mean: np.ndarray
    sd: np.ndarray
    weight: Tensor
    bias: Tensor

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Probability of class 1 of each row of ``features`` (n, features): (n,), float64."""
        x = torch.from_numpy((features - self.mean) / self.sd).float()
        return functional.linear(x, self.weight, self.bias).softmax(1)[:, 1].double().numpy()


def linear_probe(
    features: np.ndarray, target: ArrayLike, groups: ArrayLike, part: ArrayLike,
    seed: int = 0, epochs: int = 100, batch_size: int = 128, lr: float = 0.1,
) -> tuple[Probe, pd.DataFrame]:  # fmt: skip
    """Train one linear layer on the features of training bones.

    Features are standardised by the training bones, which changes the way to the solution but not what is linear.

    Parameters
    ----------
    target
        0 or 1 for each bone, shape (n,).
    groups
        What is scored, of each bone: see the head of this module.
    part
        From :func:`split_bones`.

    Returns
    -------
    The layer of the first best epoch. History: ``epoch, loss, macro_f1`` (of validation groups) and
    ``train_macro_f1``.

    Raises
    ------
    ValueError
        A part lacks a class, or a feature is not finite.
    """
    target, groups, part = checked_parts(target, groups, part)
    if not np.isfinite(features).all():
        raise ValueError("features are not all finite: did the encoder diverge? Look at its history")
    train, validation = part == "train", part == "validation"
    mean, sd = features[train].mean(0), features[train].std(0)
    sd = np.where(sd > 0, sd, 1)
    x = torch.from_numpy((features - mean) / sd).float()
    y = torch.from_numpy(target)
    rows = torch.from_numpy(np.flatnonzero(train))
    generator = torch.Generator().manual_seed(seed)  # one for all epochs: a run of seconds is never gone on with
    layer = nn.Linear(x.shape[1], 2)
    nn.init.normal_(layer.weight, std=0.01, generator=generator)
    nn.init.zeros_(layer.bias)
    code = np.unique(groups, return_inverse=True)[1]  # numbers are found faster than names, every epoch

    def batches(epoch: int, _: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in rows[torch.randperm(len(rows), generator=generator)].split(batch_size):
            yield x[batch], y[batch]

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor], epoch: int) -> dict[str, Tensor]:
        return {"loss": functional.cross_entropy(model(batch[0]), batch[1])}

    def validate(model: nn.Module) -> dict[str, float]:
        probability = model(x.to(layer.weight.device)).softmax(1)[:, 1].double().cpu().numpy()
        chosen, fitted = (macro_f1(target[at], probability[at], code[at]) for at in (validation, train))
        return {"macro_f1": chosen, "train_macro_f1": fitted}

    with TemporaryDirectory() as folder:
        fitted = fit(layer, loss, batches, validate, folder=Path(folder), monitor="macro_f1", epochs=epochs, seed=seed,
                     optimizer=partial(LARC, lr=lr), schedule=partial(CosineAnnealingLR, T_max=epochs),
                     stop_patience=epochs, max_norm=math.inf, precision="32-true")  # fmt: skip
    layer = layer.cpu().requires_grad_(False)
    return Probe(mean, sd, layer.weight, layer.bias), fitted.history.drop(columns="lr")


def vote(groups: ArrayLike, target: ArrayLike, probability: ArrayLike) -> pd.DataFrame:
    """Equation 10: the mean probability over the bones that a group has, be they seven or one.

    Returns
    -------
    One row per group: ``group, y_true, y_score, n_bones``.

    Raises
    ------
    ValueError
        The bones of a group are of two classes.
    """
    table = pd.DataFrame({"group": groups, "y_true": target, "y_score": probability})
    by_group = table.groupby("group", sort=False)
    mixed = by_group["y_true"].nunique().loc[lambda n: n > 1].index.tolist()
    if mixed:
        raise ValueError(f"bones of {mixed[0]!r} are of two classes: the label belongs to the subject")
    scores = by_group.agg(y_true=("y_true", "first"), y_score=("y_score", "mean"), n_bones=("y_score", "size"))
    return scores.reset_index()


def macro_f1(target: np.ndarray, probability: np.ndarray, groups: np.ndarray) -> float:
    """Macro-F1 of the more probable class of each group, by the vote of its bones; 0 for a class that nobody has."""
    _, first, member, size = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    called, true = np.bincount(member, probability) / size > 0.5, target[first] == 1
    tp, fp = (called & true).sum(), (called & ~true).sum()
    fn, tn = (~called & true).sum(), (~called & ~true).sum()
    return float(np.nan_to_num([f1(tp, fp, fn, tn), f1(tn, fn, fp, tp)]).mean())


def checked_parts(target: ArrayLike, groups: ArrayLike, part: ArrayLike) -> tuple[np.ndarray, ...]:
    """Class (int64), group and part of each bone, if each of :data:`PARTS` has both classes and groups of its own."""
    target, groups, part = np.asarray(target).astype(np.int64), np.asarray(groups), np.asarray(part)
    for name in PARTS:
        if set(target[part == name].tolist()) != {0, 1}:
            raise ValueError(
                f"the {name} bones are not of classes 0 and 1: split anew, with fewer folds or another seed"
            )
    for name in PARTS[1:]:
        if shared := set(groups[part == name]) & set(groups[part == "train"]):
            raise ValueError(f"{sorted(shared)[0]} is in {name} and in train: split by what is scored")
    return target, groups, part
