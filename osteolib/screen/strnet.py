"""STR-Net: one radiograph, three answers (arXiv:2604.20268, Sections 2.3 and 2.4, Table 2).

A backbone's features pass a shared neck; task-aware representation routing (TARR) gives each task its own embedding;
heads answer whether there is bone loss, whether the loss is osteoporosis, and which T-score to expect. The text and
the released code describe two different TARR modules. Both are here, and each has its exact number of parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from osteolib.runs.paths import file_sha256
from osteolib.screen.weights import pretrained_encoder, trained_encoder, untrained_encoder, weights_file
from osteolib.stats.labels import bone_loss
from osteolib.train import put_weights, read_weights

BACKBONES = {
    "resnet18": (models.resnet18, models.ResNet18_Weights.DEFAULT),
    "resnet50": (models.resnet50, models.ResNet50_Weights.DEFAULT),  # the default of the released code, too
}
INSTALLED = "efficientnet_lite0"  # a backbone whose ImageNet weights install as a package
TASKS = ("screen", "severity", "t_score")
DIM, ADAPTER, DROPOUT = 128, 64, 0.3  # Table 2
STOPS = ("adapter", "route", "none")


class Outputs(NamedTuple):
    """What the model says, each of shape (n,): logits of bone loss and of osteoporosis given bone loss; a T-score."""

    screen: Tensor
    severity: Tensor
    t_score: Tensor


class Targets(NamedTuple):
    """What is known, each of shape (n,), float32: 0 or 1; 0 or 1, NaN for a normal bone; NaN where not measured."""

    bone_loss: Tensor
    osteoporosis: Tensor
    t_score: Tensor


class ClassWeights(NamedTuple):
    """Factors on the positive cases of the two cross-entropies."""

    screen: float = 1.0
    severity: float = 1.0


UNWEIGHTED = ClassWeights()


class ReleasedRoute(nn.Module):
    """A task's way through the released TARR: h to W (h + sigmoid(G h) * A h), where A narrows to 64."""

    def __init__(self) -> None:
        super().__init__()
        self.adapter = nn.Sequential(nn.Linear(DIM, ADAPTER), nn.ReLU(), nn.Linear(ADAPTER, DIM))
        self.gate = nn.Linear(DIM, DIM)
        self.out = nn.Linear(DIM, DIM)

    def forward(self, h: Tensor) -> Tensor:
        return self.out(h + torch.sigmoid(self.gate(h)) * self.adapter(h))


class TextRoute(nn.Module):
    """A task's way through the TARR of Section 2.3: scaling, then Linear, BatchNorm, ReLU, Dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(DIM))
        self.project = nn.Sequential(nn.Linear(DIM, DIM), nn.BatchNorm1d(DIM), nn.ReLU(), nn.Dropout(DROPOUT))

    def forward(self, z: Tensor) -> Tensor:
        return self.project(self.scale * z)


class STRNet(nn.Module):
    """The network, with random weights: see :func:`initialise`.

    Parameters
    ----------
    backbone
        ``resnet50`` as in the paper, ``resnet18``, or ``efficientnet_lite0``.
    tarr
        ``released``: a shared Linear-LayerNorm-ReLU and :class:`ReleasedRoute`; ``text``: :class:`TextRoute`.
    stop_gradient
        Where the T-score's gradient stops: ``adapter``, before the image adapter as text and code have it (then
        nothing of TARR learns from T-scores); ``route``, before the task's own route; ``none``.
    """

    def __init__(self, backbone: str = "resnet50", tarr: str = "released", stop_gradient: str = "adapter") -> None:
        super().__init__()
        for name, value, known in (
            ("backbone", backbone, (*BACKBONES, INSTALLED)),
            ("tarr", tarr, ("released", "text")),
            ("stop_gradient", stop_gradient, STOPS),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        self.architecture, self.stop_gradient = backbone, stop_gradient
        if backbone == INSTALLED:
            self.backbone = untrained_encoder(backbone, channels=1)
            features = self.backbone.num_features
        else:
            self.backbone = BACKBONES[backbone][0]()
            features = self.backbone.fc.in_features
            self.backbone.fc = nn.Identity()
            self.backbone.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
            nn.init.kaiming_normal_(self.backbone.conv1.weight, mode="fan_out", nonlinearity="relu")  # torchvision's
        self.neck = nn.Sequential(nn.Linear(features, DIM), nn.ReLU(), nn.Dropout(DROPOUT))
        shared = (nn.Linear(DIM, DIM), nn.LayerNorm(DIM), nn.ReLU()) if tarr == "released" else ()
        route = ReleasedRoute if tarr == "released" else TextRoute
        self.tarr = nn.ModuleDict({"shared": nn.Sequential(*shared)} | {task: route() for task in TASKS})
        self.screen_head = nn.Linear(DIM, 1)
        self.severity_head = nn.Linear(DIM, 1)
        self.image_adapter = nn.Sequential(nn.Linear(DIM, 64), nn.ReLU())
        self.tabular_encoder = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.fusion = nn.Sequential(nn.Linear(64 + 32, 64), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(64, 1))
        self.register_buffer("covariate_mean", torch.zeros(3))
        self.register_buffer("covariate_sd", torch.ones(3))

    def scale_covariates(self, covariates: Tensor) -> None:
        """Standardise covariates from now on by mean and SD of these: the training rows, shape (n, 3), NaN left out.

        A column without two different values keeps SD 1 (and mean 0 if nobody has it).
        """
        known = ~covariates.isnan()
        mean = covariates.nanmean(0).nan_to_num(0)
        sd = ((covariates - mean) ** 2).nanmean(0).sqrt().nan_to_num(0)
        self.covariate_mean.copy_(mean)
        self.covariate_sd.copy_(torch.where((sd > 0) & known.any(0), sd, 1.0))

    def forward(self, images: Tensor, covariates: Tensor | None = None) -> Outputs:
        """Answers for a batch.

        Parameters
        ----------
        images
            Shape (n, 1, height, width), float32, normalised; in training n >= 2 (batch normalisation).
        covariates
            Shape (n, 3), float32: age in years, sex (1 female, 0 male), BMI in kg/m^2. A missing value (NaN) becomes
            the training mean, that is 0 after standardisation: neither the paper nor the released files say how to
            code it, and most of the paper's films have none. ``None``: all are missing.
        """
        if covariates is None:
            covariates = images.new_full((len(images), 3), torch.nan)
        table = ((covariates - self.covariate_mean) / self.covariate_sd).nan_to_num(0)
        shared = self.tarr["shared"](self.neck(self.backbone(images)))
        own = shared.detach() if self.stop_gradient == "route" else shared
        embedding = self.tarr["t_score"](own)
        weakly_coupled = embedding.detach() if self.stop_gradient == "adapter" else embedding
        fused = torch.cat([self.image_adapter(weakly_coupled), self.tabular_encoder(table)], dim=1)
        return Outputs(
            self.screen_head(self.tarr["screen"](shared)).squeeze(1),
            self.severity_head(self.tarr["severity"](shared)).squeeze(1),
            self.fusion(fused).squeeze(1),
        )


def initialise(model: STRNet, source: str | Path) -> None:
    """Fill the model with weights from a stated source; there is no silent other one.

    Parameters
    ----------
    source
        ``none``: leave the random weights. ``imagenet``: for a ResNet torchvision's default weights, if they lie in
        torch's cache; for ``efficientnet_lite0`` those that install as a package. Else the path of a safetensors or
        torch file that holds a whole STR-Net of this kind, or a torchvision ResNet alone. Of a backbone for colour the
        first convolution becomes the mean over its three channels (Table 2, "weight averaging"), and its classifier is
        left out.

    Raises
    ------
    ValueError
        The file is not there, cannot be read, or is of another model.
    """
    path = start_file(model.architecture, source)
    if path is None:
        return
    if source == "imagenet" and model.architecture == INSTALLED:
        return put_weights(model.backbone, trained_encoder(INSTALLED, channels=1).state_dict(), INSTALLED)
    state = read_weights(path)
    if "conv1.weight" not in state:  # not a bare backbone
        return put_weights(model, state, path.name)
    state = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    state["conv1.weight"] = state["conv1.weight"].mean(1, keepdim=True)
    put_weights(model.backbone, state, path.name)


def start_file(architecture: str, source: str | Path) -> Path | None:
    """The file that :func:`initialise` reads, None for random weights; ValueError where ImageNet's are not here."""
    if source == "none":
        return None
    if source != "imagenet":
        return Path(source)
    if architecture == INSTALLED:
        return weights_file(pretrained_encoder(INSTALLED))
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(BACKBONES[architecture][1].url).name
    if not path.is_file():
        raise ValueError(f"ImageNet weights of {architecture} are not in torch's cache: put {path.name} into "
                         f"{path.parent}, or give its path, or take the backbone {INSTALLED!r}, whose weights "
                         "install with osteolib, or initialise from 'none'")  # fmt: skip
    return path


def start_sha256(architecture: str, source: str | Path) -> str:
    """SHA-256 of the weights a training starts from, empty for random ones: another file is another training."""
    path = start_file(architecture, source)
    if path is not None and not path.is_file():
        raise ValueError(f"there is no weights file {path}: give the path of a .safetensors, .pt or .pth file")
    return file_sha256(path) if path else ""


def encode_targets(label: ArrayLike, t_score: ArrayLike) -> Targets:
    """Targets from labels (normal, osteopenia, osteoporosis) and T-scores (NaN where missing), shape (n,) each.

    Raises
    ------
    ValueError
        A label is missing or unknown.
    """
    label = pd.Series(label)
    osteoporosis = (label == "osteoporosis").astype(float).where(label != "normal")
    columns = bone_loss(label), osteoporosis.to_numpy(), pd.Series(t_score, dtype=float).to_numpy()
    return Targets(*(torch.tensor(column, dtype=torch.float32) for column in columns))


def class_weights(targets: Targets, rule: str = "text") -> ClassWeights:
    """Weights of the positive cases from the training targets.

    Parameters
    ----------
    rule
        ``text``: negatives / positives, so that both classes weigh the same; Section 2.4 says "weighted" without
        saying how. ``released``: at least 1 for screening and none for severity, as in the code.

    Raises
    ------
    ValueError
        A task has cases of one class only, or the rule is unknown.
    """
    if rule not in ("text", "released"):
        raise ValueError(f"the rule must be text or released, got {rule!r}")
    ratios = []
    for name, target in (("bone loss", targets.bone_loss), ("osteoporosis", targets.osteoporosis)):
        positive, negative = int((target == 1).sum()), int((target == 0).sum())
        if not (positive and negative):
            raise ValueError(f"{name} cannot be learned from one class: the training rows have {positive} with and "
                             f"{negative} without it")  # fmt: skip
        ratios.append(negative / positive)
    return ClassWeights(*ratios) if rule == "text" else ClassWeights(max(1.0, ratios[0]))


def loss_terms(
    outputs: Outputs, targets: Targets, weights: ClassWeights = UNWEIGHTED, margin: float = 0.30
) -> dict[str, Tensor]:
    """The terms of equation 1, and ``normal``, the fourth term of the released code; unweighted scalars.

    Each is the mean over the cases it applies to, 0 where there are none: severity on bone loss, T-score (smooth L1)
    where measured, ``normal``, the squared excess of the probability of bone loss over ``margin``, on normal bones.
    """

    def masked(loss: Tensor, mask: Tensor) -> Tensor:
        return (loss * mask).sum() / mask.sum().clamp(min=1)

    def cross_entropy(logits: Tensor, target: Tensor, weight: float) -> Tensor:
        return functional.binary_cross_entropy_with_logits(
            logits, target.nan_to_num(0), reduction="none", pos_weight=logits.new_tensor(weight)
        )

    grade, measured = (targets.bone_loss == 1) & ~targets.osteoporosis.isnan(), ~targets.t_score.isnan()
    smooth_l1 = functional.smooth_l1_loss(outputs.t_score, targets.t_score.nan_to_num(0), reduction="none")
    excess = functional.relu(torch.sigmoid(outputs.screen) - margin) ** 2
    return {
        "screen": cross_entropy(outputs.screen, targets.bone_loss, weights.screen).mean(),
        "severity": masked(cross_entropy(outputs.severity, targets.osteoporosis, weights.severity), grade),
        "t_score": masked(smooth_l1, measured),
        "normal": masked(excess, targets.bone_loss == 0),
    }


def strnet_loss(
    outputs: Outputs, targets: Targets, epoch: int, *, weights: ClassWeights = UNWEIGHTED, lambda_severity: float = 0.3,
    lambda_t_score: float = 0.1, lambda_normal: float = 0.0, warmup_epochs: int = 5,
) -> dict[str, Tensor]:  # fmt: skip
    """Equation 1: ``loss`` = screen + 0.3 severity + 0.1 T-score, and the terms it is made of.

    The T-score counts from epoch ``warmup_epochs`` (from 0) on. So does the fourth term, which the paper does not
    mention and the released code has on with 0.1: here it is off unless ``lambda_normal`` says so.
    """
    terms = loss_terms(outputs, targets, weights)
    loss = terms["screen"] + lambda_severity * terms["severity"]
    if epoch >= warmup_epochs:
        loss = loss + lambda_t_score * terms["t_score"] + lambda_normal * terms["normal"]
    return {"loss": loss} | terms


def gradient_reach(model: STRNet, images: Tensor, targets: Targets, covariates: Tensor | None = None) -> pd.DataFrame:
    """How much of each loss term's gradient arrives at each part of the model, in evaluation mode.

    Returns
    -------
    One row per part: ``parameters`` (their number), then the norm of the gradient of each term of :func:`loss_terms`,
    0 where none arrives.
    """
    parts: dict[str, list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        parts.setdefault(".".join(name.split(".")[: 2 if name.startswith("tarr.") else 1]), []).append(parameter)
    was_training = model.training
    terms = loss_terms(model.eval()(images, covariates), targets)
    model.train(was_training)
    table = pd.DataFrame({"parameters": {part: sum(p.numel() for p in ps) for part, ps in parts.items()}})
    for name, term in terms.items():
        for part, parameters in parts.items():
            gradients = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
            norms = torch.stack([torch.zeros(()) if g is None else g.norm().cpu() for g in gradients])
            table.loc[part, name] = float(norms.norm())
    return table


@torch.no_grad()
def answers(model: nn.Module, images: Tensor, covariates: Tensor | None = None, batch_size: int = 64) -> Outputs:
    """The outputs for many images, batch by batch, float32 on the CPU.

    ``model`` is an STR-Net in evaluation mode, or what :func:`osteolib.train.fit` hands to ``validate``; arguments as
    in :meth:`STRNet.forward`, on any device.
    """
    device, rows = next(model.parameters()).device, []
    for at in range(0, len(images), batch_size):
        table = None if covariates is None else covariates[at : at + batch_size].to(device)
        rows.append(torch.stack(model(images[at : at + batch_size].to(device), table)).float().cpu())
    return Outputs(*torch.cat(rows, dim=1))


def predict(model: nn.Module, images: Tensor, covariates: Tensor | None = None, batch_size: int = 64) -> pd.DataFrame:
    """Probabilities ``screen`` and ``severity`` (of osteoporosis, given bone loss) and ``t_score``, one row per image.

    Arguments as in :func:`answers`.
    """
    outputs = answers(model, images, covariates, batch_size)
    values = torch.sigmoid(outputs.screen), torch.sigmoid(outputs.severity), outputs.t_score
    return pd.DataFrame(dict(zip(TASKS, (value.numpy() for value in values), strict=True)))
