"""A mixture of experts over DXA devices that answers three questions of a vertebra (tpswav2025_ct, Sections 2.2, 2.3).

An encoder gives the image embedding P of a vertebra; a table gives the embedding D of the device that measured its bone
density. Each of N = 3 experts answers all three tasks from P (osteoporosis, BMD, level), and a gate weighs them,

    alpha = Softmax(f_g(P + D)),    Output = sum_i alpha_i E_i        (Equations 2 and 3).

Equation 2 prints an index i on its left that its right side does not have. Read as it must be for the weights to sum to
1, f_g gives one number for each expert and i picks one after a single softmax: this is ``gate="sum"``, the default. The
other reading that gives it an index, alpha_i from P + D_i with an embedding of expert i, is ``gate="per-expert"``: such
a gate never hears which device measured this vertebra. Neither the widths, nor what the experts share, nor the unit of
the BMD under the squared error is printed; here the experts share the encoder alone, and BMD is standardised by the
training vertebrae: in g/cm² its squared error would be some 30 times smaller and hardly be heard.

An unknown device has the mean of the known embeddings, which a gate between known devices meets half-way
(``unknown="mean"``), or an embedding of its own, learned from training vertebrae whose device is hidden at random
(``unknown="learned"``); the paper does not say, its external site having a known maker.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from osteolib.volume import LEVELS

N_EXPERTS = 3
GATES = ("sum", "image", "device", "per-expert", "uniform")
UNKNOWN = ("mean", "learned")
LOSS_WEIGHTS = (1.0, 1.0, 0.5)
"""Of class, BMD and level in Equation 4."""
HIDDEN_DEVICES = 0.1  # share of training vertebrae from which an unknown device is learned


class Answers(NamedTuple):
    """What the network says of n vertebrae.

    Attributes
    ----------
    osteoporosis
        Shape (n,), logit.
    bmd
        Shape (n,), g/cm².
    level
        Shape (n, 18), logits in the order of :data:`osteolib.volume.LEVELS`.
    gate
        Shape (n, experts), weights that sum to 1.
    """

    osteoporosis: Tensor
    bmd: Tensor
    level: Tensor
    gate: Tensor


class Truth(NamedTuple):
    """What is known, shape (n,) each: 0 or 1, g/cm² (both float32, NaN where unknown), and the level's place (int64,
    -1 where unknown)."""

    osteoporosis: Tensor
    bmd: Tensor
    level: Tensor


class VertebraNet(nn.Module):
    """Encoder, experts and gate.

    Parameters
    ----------
    encoder, features
        From images to (n, features), as :func:`osteolib.ssl.ct_encoders.build_ct_encoder` makes one.
    devices
        Names of those known in training.
    n_experts
        1 is the network without a mixture: a single head, to which no device is told.
    gate
        What it sees: ``sum``, P + D; ``image``, P; ``device``, D; ``per-expert``, as above; ``uniform``, nothing, all
        experts weighing the same.
    device_to_experts
        Add D to what the experts see, too: with one expert, a single head that is told the device, the comparator the
        paper does not have.
    """

    def __init__(
        self, encoder: nn.Module, features: int, devices: Sequence[str], *, n_experts: int = N_EXPERTS,
        gate: str = "sum", unknown: str = "mean", device_to_experts: bool = False, hidden: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        for name, value, known in (("gate", gate, GATES), ("unknown", unknown, UNKNOWN)):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        if n_experts < 1 or not devices or len(set(devices)) < len(devices):
            raise ValueError(f"one expert or more and devices with names of their own: {n_experts}, {list(devices)}")
        self.devices, self.gate_sees, self.unknown = tuple(devices), gate, unknown
        self.device_to_experts = device_to_experts
        self.encoder = encoder
        self.norm = nn.LayerNorm(features)  # P of the scale of D, where they are added
        self.device = nn.Embedding(len(devices) + (unknown == "learned"), features)
        answers = 2 + len(LEVELS)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, answers)) for _ in range(n_experts)
        )
        if n_experts > 1 and gate != "uniform":
            self.to_gate = nn.Sequential(
                nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1 if gate == "per-expert" else n_experts)
            )
        if gate == "per-expert":
            self.expert_embedding = nn.Embedding(n_experts, features)
        self.register_buffer("bmd_mean", torch.zeros(()))
        self.register_buffer("bmd_sd", torch.ones(()))

    def to(self, *where, memory_format: torch.memory_format | None = None, **more) -> VertebraNet:
        """As any module; the layout of pictures, which training asks for, is passed over where weights are of cubes."""
        if memory_format is not None and not any(weight.dim() == 5 for weight in self.parameters()):
            more["memory_format"] = memory_format
        return super().to(*where, **more) if where or more else self

    def scale_bmd(self, bmd: Tensor) -> None:
        """Standardise BMD from now on by mean and SD of these, the training vertebrae; NaN left out.

        Raises
        ------
        ValueError
            Fewer than two different values.
        """
        known = bmd[~bmd.isnan()]
        if len(known) < 2 or known.std() == 0:
            raise ValueError(f"BMD cannot be learned from {len(known)} value(s) that do not differ; leave its loss out")
        self.bmd_mean.copy_(known.mean())
        self.bmd_sd.copy_(known.std())

    def device_index(self, names: ArrayLike) -> Tensor:
        """Place of each device among those known, shape (n,), int64; -1 for any other name or a missing one."""
        places = {name: place for place, name in enumerate(self.devices)}
        return torch.tensor([places.get(name, -1) for name in pd.Series(names).tolist()])

    def embed_device(self, device: Tensor) -> Tensor:
        """D, shape (n, features), of places as :meth:`device_index` gives them."""
        known = self.device.weight[: len(self.devices)]
        unknown = known.mean(0) if self.unknown == "mean" else self.device.weight[-1]
        return torch.where(device[:, None] < 0, unknown, known[device.clamp(min=0)])

    def gate_weights(self, image: Tensor, device: Tensor) -> Tensor:
        """alpha, shape (n, experts), of embeddings P and D, both (n, features)."""
        n, n_experts = len(image), len(self.experts)
        if n_experts == 1 or self.gate_sees == "uniform":
            return image.new_full((n, n_experts), 1 / n_experts)
        if self.gate_sees == "per-expert":
            logits = self.to_gate(image[:, None] + self.expert_embedding.weight).squeeze(2)
        else:
            seen = {"sum": image + device, "image": image, "device": device}[self.gate_sees]
            logits = self.to_gate(seen)
        return logits.softmax(1)

    def forward(self, images: Tensor, device: Tensor | None = None) -> Answers:
        """Answers for (n, 3, height, width) planes, or what else the encoder takes; ``device`` None: all unknown."""
        if device is None:
            device = torch.full((len(images),), -1, device=images.device)
        if self.training and self.unknown == "learned":
            hidden = torch.rand(len(device), device=device.device) < HIDDEN_DEVICES
            device = torch.where(hidden, -1, device)
        features, told = self.encoder(images), self.embed_device(device)
        image = self.norm(features)
        seen = image + told if self.device_to_experts else features
        alpha = self.gate_weights(image, told)
        each = torch.stack([expert(seen) for expert in self.experts], 1)
        out = (alpha[:, :, None] * each).sum(1)
        return Answers(out[:, 0], out[:, 1] * self.bmd_sd + self.bmd_mean, out[:, 2:], alpha)


def encode_truth(vertebrae: pd.DataFrame) -> Truth:
    """Truth from ``label, bmd_g_cm2, level``; a vertebra without a label is NaN in class.

    Raises
    ------
    ValueError
        A level is not one of T1 to T12 and L1 to L6.
    """
    level = vertebrae["level"]
    if bad := level[level.notna() & ~level.isin(LEVELS)].unique().tolist():
        raise ValueError(f"level {', '.join(map(str, bad))} is not one of T1 to T12 and L1 to L6: leave these rows out")
    positive = (vertebrae["label"] == "osteoporosis").astype(float).where(vertebrae["label"].notna())
    bmd = torch.tensor(vertebrae["bmd_g_cm2"].to_numpy(float), dtype=torch.float32)
    places = [LEVELS.index(name) if isinstance(name, str) else -1 for name in level]
    return Truth(torch.tensor(positive.to_numpy(float), dtype=torch.float32), bmd, torch.tensor(places))


def unified_loss(
    answers: Answers, truth: Truth, bmd_sd: Tensor | float = 1.0, weights: tuple[float, float, float] = LOSS_WEIGHTS
) -> dict[str, Tensor]:
    """Equation 4: ``loss`` = 1.0 class + 1.0 BMD + 0.5 level, and the terms it is made of.

    Cross-entropy, squared error in units of ``bmd_sd``, cross-entropy over the 18 levels: each a mean over the
    vertebrae of which it is known, 0 where there are none. A weight of 0 leaves a task out.

    Parameters
    ----------
    bmd_sd
        That of the network's training vertebrae, in g/cm².
    """
    known, measured, placed = ~truth.osteoporosis.isnan(), ~truth.bmd.isnan(), truth.level >= 0

    def mean(loss: Tensor, mask: Tensor) -> Tensor:
        return (loss * mask).sum() / mask.sum().clamp(min=1)

    terms = {
        "class": mean(
            functional.binary_cross_entropy_with_logits(
                answers.osteoporosis, truth.osteoporosis.nan_to_num(0), reduction="none"
            ),
            known,
        ),
        "bmd": mean(((answers.bmd - truth.bmd.nan_to_num(0)) / bmd_sd) ** 2, measured),
        "level": mean(functional.cross_entropy(answers.level, truth.level.clamp(min=0), reduction="none"), placed),
    }
    return {"loss": sum(weight * term for weight, term in zip(weights, terms.values(), strict=True))} | terms


def load_balance(gate: ArrayLike, device: ArrayLike) -> pd.DataFrame:
    """How the gate shares vertebrae out among the experts.

    Parameters
    ----------
    gate
        Shape (n, experts), weights that sum to 1.
    device
        Shape (n,), names.

    Returns
    -------
    A row for each device and one for ``all``: ``n``; ``expert_1`` ..., mean weight; ``first_1`` ..., share of vertebrae
    that give this expert the largest weight; ``evenness``, entropy of the mean weights over that of equal ones, 1 where
    all experts carry the same and 0 where one carries everything; ``decided``, 1 minus the mean of the same for single
    vertebrae: 0 where each vertebra mixes all experts alike, 1 where each asks one alone.
    """
    gate = torch.as_tensor(gate, dtype=torch.float64)
    names = pd.Series(device).fillna("unknown").reset_index(drop=True)
    rows = {}
    for name in [*sorted(names.unique()), "all"]:
        some = gate[torch.tensor((names == name).tolist())] if name != "all" else gate
        mean, first = some.mean(0), functional.one_hot(some.argmax(1), gate.shape[1]).double().mean(0)
        rows[name] = {
            "n": len(some),
            **{f"expert_{k}": float(w) for k, w in enumerate(mean, 1)},
            **{f"first_{k}": float(w) for k, w in enumerate(first, 1)},
            "evenness": float(_evenness(mean)), "decided": float(1 - _evenness(some).mean()),
        }  # fmt: skip
    return pd.DataFrame(rows).T.astype({"n": int}).rename_axis("device").reset_index()


def _evenness(weights: Tensor) -> Tensor:
    """Entropy over its largest value, 1 for a single expert."""
    n = weights.shape[-1]
    return torch.special.entr(weights).sum(-1) / math.log(n) if n > 1 else weights[..., 0]
