"""STR-Net with its parts added one by one, and with other backbones (arXiv:2604.20268, Table 4, Figures 6 and 7).

Networks of one seed start from the same numbers wherever they have the same parts, and see the same batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from osteolib.radiograph import to_tensor_range
from osteolib.radiograph.augment import augment
from osteolib.runs.store import resumable_artefact
from osteolib.screen.knee_folds import Recipe, covariates_of
from osteolib.screen.strnet import (
    DIM,
    TASKS,
    Outputs,
    STRNet,
    Targets,
    answers,
    class_weights,
    encode_targets,
    initialise,
    predict,
    start_sha256,
    strnet_loss,
)
from osteolib.train import fit

STAGES = ("B0", "B1", "B2", "B3", "B4")
WORDS = {"B0": "baseline", "B1": "+ neck", "B2": "+ severity head", "B3": "+ T-score branch", "B4": "+ TARR"}
RELEASED = "B4, loss as released"
OTHERS = {
    "VGG19": "vgg19_bn", "DenseNet-121": "densenet121", "EfficientNet-B0": "efficientnet_b0",
    "ConvNeXt-T": "convnext_tiny", "Swin-T": "swin_tiny_patch4_window7_224", "ViT-B/16": "vit_base_patch16_224",
    "ResNet-50": "resnet50", "RegNetY-400MF": "regnety_004", "MobileNetV3-L": "mobilenetv3_large_100",
    "Xception": "legacy_xception",
}  # fmt: skip
"""Ten backbones by timm's names. The text that was at hand names VGG19 and ViT-B/16; the others are our choice."""
MODULES = (__name__, "osteolib.screen.knee_folds", "osteolib.screen.strnet", "osteolib.train",
           "osteolib.radiograph.augment")  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """``stage`` of Table 4, weight of the released code's undeclared term, and another backbone by timm's name."""

    stage: str = "B4"
    lambda_normal: float = 0.0
    backbone: str = ""

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ValueError(f"stage must be one of {', '.join(STAGES)}, got {self.stage!r}")
        if self.backbone and self.backbone not in OTHERS.values():
            raise ValueError(f"backbone must be one of {', '.join(OTHERS.values())}, got {self.backbone!r}")


def variants() -> dict[str, Variant]:
    """The stages of Table 4, and the last with the fourth term of the released loss (weight 0.1)."""
    return {stage: Variant(stage) for stage in STAGES} | {RELEASED: Variant("B4", 0.1)}


class PartialSTRNet(STRNet):
    """An STR-Net that can be cut down to a stage; answers of heads that are not there are 0 and train nothing."""

    depth = STAGES.index("B4")

    def cut(self, variant: Variant, image_size: int) -> None:
        """Take away what the stage does not have, and put another backbone in where one is asked for."""
        self.depth = STAGES.index(variant.stage)
        if variant.backbone:
            self.backbone, features = other_backbone(variant.backbone, image_size)
            self.neck[0] = nn.Linear(features, DIM)
        if self.depth < 4:
            self.tarr = nn.ModuleDict({name: nn.Identity() for name in ("shared", *TASKS)})
        if self.depth < 3:
            del self.image_adapter, self.tabular_encoder, self.fusion
        if self.depth < 2:
            del self.severity_head
        if self.depth < 1:
            self.screen_head, self.neck = nn.Linear(self.neck[0].in_features, 1), nn.Identity()

    def forward(self, images: Tensor, covariates: Tensor | None = None) -> Outputs:
        if self.depth >= 3:
            return super().forward(images, covariates)
        h = self.neck(self.backbone(images))
        screen = self.screen_head(h).squeeze(1)
        severity = self.severity_head(h).squeeze(1) if self.depth == 2 else torch.zeros_like(screen)
        return Outputs(screen, severity, torch.zeros_like(screen))


def other_backbone(name: str, image_size: int) -> tuple[nn.Module, int]:
    """A network of timm with random weights for grey images of one size, and its number of features.

    Of VGG19 the convolutions and their mean over the image: its three large layers are a classifier of photographs.
    """
    import timm

    sized = {"img_size": image_size} if name.startswith(("vit", "swin")) else {}
    model = timm.create_model(name, pretrained=False, in_chans=1, num_classes=0, **sized)
    if name.startswith("vgg"):
        model = nn.Sequential(model.features, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return model, model.eval()(torch.zeros(1, 1, image_size, image_size)).shape[1]


def build(variant: Variant, recipe: Recipe) -> PartialSTRNet:
    """The network of a recipe, started as the recipe says; another backbone starts from random numbers."""
    model = PartialSTRNet(recipe.backbone, recipe.tarr)
    if not variant.backbone:
        initialise(model, recipe.initialisation)
    model.cut(variant, recipe.image_size)
    return model


def weights_of(variant: Variant) -> dict[str, float]:
    """Weights of the terms of Equation 1 that the stage has: 0.3 severity from B2 on, 0.1 T-score from B3 on."""
    depth = STAGES.index(variant.stage)
    return {"lambda_severity": 0.3 * (depth >= 2), "lambda_t_score": 0.1 * (depth >= 3),
            "lambda_normal": variant.lambda_normal}  # fmt: skip


def train_variant(
    subjects: pd.DataFrame, images: NDArray[np.uint8], parts: Mapping[str, NDArray[np.bool_]], recipe: Recipe,
    variant: Variant, key: Mapping[str, Any],
) -> Path:  # fmt: skip
    """Train as :func:`osteolib.screen.knee_folds.train_once`, which B4 equals; the artefact has the same tables."""
    start = "none" if variant.backbone else recipe.initialisation
    used = {"rows": {name: subjects["unit_id"][rows].tolist() for name, rows in parts.items()},
            "weights": start_sha256(recipe.backbone, start), "variant": asdict(variant)}  # fmt: skip

    def make(folder: Path, unfinished: Path) -> None:
        scores, history = _train(subjects, images, parts, recipe, variant, unfinished)
        scores.to_parquet(folder / "scores.parquet")
        history.to_parquet(folder / "history.parquet")

    return resumable_artefact("strnet-parts", dict(key) | asdict(recipe) | used, MODULES, make)


def _train(subjects, images, parts, recipe: Recipe, variant: Variant, folder: Path):
    from sklearn.metrics import average_precision_score, roc_auc_score

    targets = encode_targets(subjects["label"], subjects["t_score"])
    table = torch.from_numpy(covariates_of(subjects))
    pixels = torch.from_numpy(to_tensor_range(images))[:, None]
    train = np.flatnonzero(parts["train"])
    weights = class_weights(Targets(*(t[train] for t in targets)), recipe.class_weights)
    torch.manual_seed(recipe.seed)
    model = build(variant, recipe)
    model.scale_covariates(table[train])
    lambdas = weights_of(variant)

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple]:
        order = train[torch.randperm(len(train), generator=generator).numpy()]
        for at in range(0, len(order) - 1, recipe.batch_size):  # a last batch of one has no batch statistics
            rows = order[at : at + recipe.batch_size]
            yield augment(pixels[rows], generator), table[rows], tuple(t[rows] for t in targets)

    def loss(model, batch, epoch: int):
        x, covariates, known = batch
        return strnet_loss(model(x, covariates), Targets(*known), epoch, weights=weights, **lambdas)

    def validate(model) -> dict[str, float]:
        rows = np.flatnonzero(parts["validation"])
        outputs, known = answers(model, pixels[rows], table[rows]), Targets(*(t[rows] for t in targets))
        score, truth = torch.sigmoid(outputs.screen).numpy(), known.bone_loss.numpy()
        whole = strnet_loss(outputs, known, recipe.epochs, weights=weights, warmup_epochs=0, **lambdas)
        return {"auprc": average_precision_score(truth, score), "auroc": roc_auc_score(truth, score),
                "validation_loss": float(whole["loss"])}  # fmt: skip

    fitted = fit(model, loss, batches, validate, folder=folder, monitor="auprc", epochs=recipe.epochs, seed=recipe.seed)
    scores = []
    for part, chosen in parts.items():
        if part != "train":
            rows = np.flatnonzero(chosen)
            scored = predict(model, pixels[rows], table[rows])
            scores.append(scored.assign(unit_id=subjects["unit_id"].to_numpy()[rows], part=part))
    return pd.concat(scores, ignore_index=True), fitted.history


def has_head(variant: Variant, target: str) -> bool:
    """Whether a stage answers ``bone_loss``, ``severity`` or ``t_score``."""
    return STAGES.index(variant.stage) >= {"bone_loss": 0, "severity": 2, "t_score": 3}[target]
