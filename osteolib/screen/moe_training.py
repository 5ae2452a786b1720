"""Training a :class:`osteolib.screen.moe.VertebraNet` and scoring vertebrae it has not seen.

Optimiser and warm-up are the paper's (tpswav2025_ct, Section 3.1): AdamW, weight decay 0.1, batches of 32, 400 epochs
of which 150 warm up in a straight line. "Initial lr=1e-5" is read as the rate that is reached; what follows is not said
and stays constant. Neither augmentation nor how an epoch was chosen is printed: none here, and the epoch with the
smallest unified loss of the validation vertebrae. A training in which a third of all epochs, five at least, brought no
smaller one has ended.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from osteolib.runs.paths import digest, file_sha256
from osteolib.runs.store import resumable_artefact
from osteolib.screen.moe import LOSS_WEIGHTS, N_EXPERTS, Answers, Truth, VertebraNet, encode_truth, unified_loss
from osteolib.ssl.ct_encoders import CT_FEATURES, build_ct_encoder
from osteolib.train import fit, put_weights, read_weights
from osteolib.volume import LEVELS

MODULES = (__name__, "osteolib.screen.moe", "osteolib.ssl.ct_encoders", "osteolib.train")
TOLD = ("known", "shuffled", "withheld")
ABOUT, WEIGHTS = "about.json", "model.safetensors"


@dataclass(frozen=True)
class Recipe:
    """What is trained, and how; defaults are the paper's full model without its pre-training.

    Attributes
    ----------
    encoder
        Key of ``CT_FEATURES``.
    n_experts, gate, unknown, device_to_experts
        As in :class:`osteolib.screen.moe.VertebraNet`. ``n_experts=1`` is multi-task without a mixture, and with
        ``loss_weights=(1, 0, 0)`` the single head of the paper's baselines.
    devices
        ``known``: as each vertebra's row says. The controls: ``shuffled`` gives every patient the device of a random
        one of their own part, in training and afterwards; ``withheld`` tells none.
    start
        File of encoder weights, as :func:`osteolib.train.read_weights` takes it; None for random ones.

    Raises
    ------
    ValueError
        A name is not known.
    """

    encoder: str = "resnet34"
    n_experts: int = N_EXPERTS
    gate: str = "sum"
    unknown: str = "mean"
    device_to_experts: bool = False
    devices: str = "known"
    loss_weights: tuple[float, float, float] = LOSS_WEIGHTS
    epochs: int = 400
    warmup: int = 150
    batch_size: int = 32
    lr: float = 1e-5
    weight_decay: float = 0.1
    seed: int = 0
    start: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("encoder", CT_FEATURES), ("devices", TOLD)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if self.epochs < 1 or self.warmup < 0 or self.batch_size < 2:
            raise ValueError(f"epochs from 1, warmup from 0 and batch_size from 2 on: {self}")


def train_once(
    vertebrae: pd.DataFrame, images: NDArray[np.uint8], parts: Mapping[str, NDArray[np.bool_]], recipe: Recipe,
    key: Mapping[str, Any],
) -> Path:  # fmt: skip
    """Train on ``parts["train"]``, choose the epoch by ``parts["validation"]``, score every other part; the artefact.

    Parameters
    ----------
    vertebrae
        One row per vertebra: ``unit_id, subject_id, split_group, level, device, label, bmd_g_cm2``.
    images
        As :func:`osteolib.screen.ct_images.vertebra_images` makes them, in the order of ``vertebrae``.
    parts
        Of shape (n,) each; no two share a split group. A vertebra without a label can be in none that trains.
    key
        With the recipe, what names the artefact: the cohort's fingerprint and how its images were made.

    Returns
    -------
    Folder with ``scores.parquet`` (``unit_id, part, told`` (the device the network heard of, missing for unknown),
    ``osteoporosis`` (probability), ``bmd_g_cm2``, ``level``, ``gate_1`` ...), ``history.parquet`` and the network:
    :func:`load_net`.

    Raises
    ------
    ValueError
        Parts overlap in a split group; a training vertebra has no label; BMD does not vary.
    """
    check_parts(vertebrae, parts)
    used = {"rows": {name: vertebrae["unit_id"][rows].tolist() for name, rows in parts.items()},
            "start": file_sha256(Path(recipe.start)) if recipe.start else ""}  # fmt: skip

    def make(folder: Path, unfinished: Path) -> None:
        net, told, fitted = _train(vertebrae, images, parts, recipe, unfinished)
        scores = [
            predict(net, images[rows], told[rows]).assign(unit_id=vertebrae["unit_id"].to_numpy()[rows], part=part)
            for part, rows in parts.items()
            if part != "train"
        ]
        pd.concat(scores, ignore_index=True).to_parquet(folder / "scores.parquet")
        fitted.history.to_parquet(folder / "history.parquet")
        shutil.copy(fitted.weights, folder / WEIGHTS)
        (folder / ABOUT).write_text(json.dumps(asdict(recipe) | {"known_devices": net.devices}))

    described = asdict(recipe) | {"start": used["start"]}
    return resumable_artefact("vertebra-net", dict(key) | described | used, MODULES, make)


def check_parts(vertebrae: pd.DataFrame, parts: Mapping[str, NDArray[np.bool_]]) -> None:
    """ValueError where a split group is in two parts, or a training or validation vertebra has no label."""
    groups = {name: set(vertebrae["split_group"][rows]) for name, rows in parts.items()}
    for a in groups:
        for b in groups:
            if a < b and (both := groups[a] & groups[b]):
                raise ValueError(f"{len(both)} split groups are in {a} and in {b}, first {min(both)}: split by group")
    for name in ("train", "validation"):
        rows = vertebrae[np.asarray(parts[name])]
        if (without := rows["label"].isna()).any():
            first = rows["unit_id"][without].iloc[0]
            raise ValueError(f"{without.sum()} vertebrae of {name} have no label, first {first}: "
                             "leave them to pre-training")  # fmt: skip


def told_devices(
    vertebrae: pd.DataFrame, parts: Mapping[str, NDArray[np.bool_]], how: str, seed: int
) -> pd.Series:  # fmt: skip
    """The device that the network hears of, by row; missing for none: see :class:`Recipe`.

    ``shuffled`` deals the devices of a part's people among these people, each part by itself: how often a device is
    named stays as it is in every part, and nothing of one part is told in another. Rows of no part are told none.
    """
    device = vertebrae["device"].reset_index(drop=True)
    if how == "known":
        return device
    told = device.where(np.zeros(len(device), bool))
    if how == "shuffled":
        for place, rows in enumerate(parts.values()):
            owner = vertebrae["subject_id"][np.asarray(rows)]
            by_person = vertebrae[np.asarray(rows)].groupby("subject_id", sort=False)["device"].first()
            mixed = np.random.default_rng([seed, place]).permutation(by_person.to_numpy())
            told[np.asarray(rows)] = owner.map(dict(zip(by_person.index, mixed, strict=True))).to_numpy()
    return told


def warm_up(optimizer: torch.optim.Optimizer, epochs: int) -> torch.optim.lr_scheduler.LRScheduler:
    """A rate that grows in a straight line to that of the optimiser over so many epochs, and then stays."""
    return torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / (epochs + 1), total_iters=epochs)


def load_net(folder: Path) -> VertebraNet:
    """The trained network of :func:`train_once`, in evaluation mode."""
    about = json.loads((folder / ABOUT).read_text())
    net = _build(about, about["known_devices"])
    put_weights(net, read_weights(folder / WEIGHTS), WEIGHTS)
    return net.eval()


@torch.no_grad()
def predict(net: VertebraNet, images: NDArray[np.uint8], device: pd.Series, batch_size: int = 64) -> pd.DataFrame:
    """``told, osteoporosis`` (probability), ``bmd_g_cm2, level, gate_1`` ... of each image.

    ``device`` (n,) names what the network is told; any name it does not know, or none, is an unknown device.
    """
    places = net.device_index(device)
    answers = _answers(net, images, places, batch_size)
    gates = {f"gate_{k}": answers.gate[:, k - 1].numpy() for k in range(1, answers.gate.shape[1] + 1)}
    told = [net.devices[place] if place >= 0 else None for place in places.tolist()]
    return pd.DataFrame({
        "told": pd.array(told, dtype="str"), "osteoporosis": answers.osteoporosis.sigmoid().numpy(),
        "bmd_g_cm2": answers.bmd.numpy(), "level": [LEVELS[k] for k in answers.level.argmax(1).tolist()],
    } | gates)  # fmt: skip


def _build(settings: Mapping[str, Any], devices) -> VertebraNet:
    name = settings["encoder"]
    options = {key: settings[key] for key in ("n_experts", "gate", "unknown", "device_to_experts")}
    return VertebraNet(build_ct_encoder(name), CT_FEATURES[name], devices, **options)


def _answers(net, images: NDArray[np.uint8], places: Tensor, batch_size: int = 64) -> Answers:
    at = next(net.parameters()).device
    parts = [
        net(to_input(images[k : k + batch_size]).to(at), places[k : k + batch_size].to(at))
        for k in range(0, len(images), batch_size)
    ]
    return Answers(*(torch.cat(column).float().cpu() for column in zip(*parts, strict=True)))


def to_input(images: NDArray[np.uint8]) -> Tensor:
    """What the network takes: 0 in the middle of the window, and half its width for a unit."""
    return torch.from_numpy(images).float() / 127.5 - 1


def _train(vertebrae: pd.DataFrame, images: NDArray[np.uint8], parts, recipe: Recipe, folder: Path):
    train, validation = (np.flatnonzero(parts[name]) for name in ("train", "validation"))
    told = told_devices(vertebrae, parts, recipe.devices, recipe.seed)
    truth = encode_truth(vertebrae)
    known = sorted(vertebrae["device"].iloc[train].dropna().unique())
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        net = _build(asdict(recipe), known or ["none"])
    if recipe.start:
        put_weights(net.encoder, read_weights(Path(recipe.start)), Path(recipe.start).name)
    if recipe.loss_weights[1]:
        net.scale_bmd(truth.bmd[train])
    places, bmd_sd = net.device_index(told), float(net.bmd_sd)

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple]:
        order = train[torch.randperm(len(train), generator=generator).numpy()]
        for k in range(0, len(order) - 1, recipe.batch_size):  # a last batch of one has no batch statistics
            rows = order[k : k + recipe.batch_size]
            yield to_input(images[rows]), places[rows], tuple(t[rows] for t in truth)

    def loss(model, batch, epoch: int) -> dict[str, Tensor]:
        x, device, held = batch
        return unified_loss(model(x, device), Truth(*held), bmd_sd, recipe.loss_weights)

    def validate(model) -> dict[str, float]:
        answers = _answers(model, images[validation], places[validation])
        held = unified_loss(answers, Truth(*(t[validation] for t in truth)), bmd_sd, recipe.loss_weights)
        return {f"validation_{name}": float(term) for name, term in held.items()} | {"negative_loss": -held["loss"]}

    fitted = fit(
        net, loss, batches, validate, folder=folder, monitor="negative_loss", epochs=recipe.epochs, seed=recipe.seed,
        optimizer=partial(torch.optim.AdamW, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True),
        schedule=partial(warm_up, epochs=recipe.warmup), stop_patience=max(5, recipe.epochs // 3),
        about={"recipe": digest(asdict(recipe))},
    )  # fmt: skip
    return net, told, fitted
