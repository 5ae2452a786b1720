"""Mask R-CNN for femur, artificial joint and screws on films of the pelvis (chen2024_hip, Fig. 1b and Table 2).

He et al., Mask R-CNN, ICCV 2017 (arXiv:1703.06870), as torchvision has it, with a feature pyramid on a ResNet. The
paper says no more than the network's name. Heads and proposals are few: a half film holds at most three things.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from osteolib.runs.store import resumable_artefact
from osteolib.segment.hip_instances import (
    BITS,
    CLASSES,
    HipHalves,
    eight_bit,
    frame,
    paste,
    reduction,
    targets,
    to_network,
)
from osteolib.segment.hip_squares import half_of_film, hip_square
from osteolib.train import Fitted, fit, put_weights, read_weights

MODEL = "mask_rcnn.safetensors"
SURE = 0.5
"""Score from which a class counts as found; torchvision's customary one, never tuned."""


@dataclass(frozen=True)
class MaskRecipe:
    """Settings of a training; the paper prints none of them.

    Attributes
    ----------
    columns
        Width of half a film in the network, a multiple of 32.
    backbone
        ``resnet18`` or ``resnet50``.
    channels
        Of the pyramid and of the mask head; torchvision's own are 256.
    epochs, visits
        An epoch shows ``visits`` half films, drawn anew: as many with a joint, and with screws, as free ones.
    """

    columns: int = 128
    backbone: str = "resnet18"
    channels: int = 64
    epochs: int = 6
    visits: int = 96
    batch: int = 2
    lr: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class HipFound:
    """What was found of one hip on a film.

    Attributes
    ----------
    scores
        The best score of each class, 0 where nothing was proposed.
    masks
        Shape (height, width) of the film, bool; of the classes whose score is at least SURE.
    square
        x0, y0, x1, y1 of the proximal femur, None where there is none; then ``reason`` says why.
    """

    side: str
    scores: dict[str, float]
    masks: dict[str, NDArray[np.bool_]] = field(repr=False)
    square: tuple[int, int, int, int] | None
    reason: str = ""

    @property
    def obstructed(self) -> bool:
        """An artificial joint or screws were found: the paper leaves such hips out."""
        return bool({"joint", "screw"} & self.masks.keys())


def sized(film_width: int, backbone: str, epochs: int, seed: int) -> MaskRecipe:
    """The recipe for films of a width: a network's pixel is about two and a half of theirs, and a deeper network has
    torchvision's own heads."""
    columns = max(32, round(film_width / 5 / 32) * 32)
    return MaskRecipe(columns, backbone, 64 if backbone == "resnet18" else 256, epochs, seed=seed)


def hip_mask_rcnn(recipe: MaskRecipe) -> nn.Module:
    """torchvision's Mask R-CNN with the recipe's sizes and random weights; grey half films (1, rows, columns) in.

    Batch norm is the ordinary one: frozen, as torchvision has it for weights that were learned elsewhere, it would keep
    random features as they are.
    """
    from torchvision.models import get_model
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.backbone_utils import BackboneWithFPN
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
    from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
    from torchvision.ops import MultiScaleRoIAlign

    rows, columns = frame(recipe.columns)
    torch.manual_seed(recipe.seed)
    if recipe.backbone not in ("resnet18", "resnet50"):
        raise ValueError(f"backbone must be resnet18 or resnet50, got {recipe.backbone!r}")
    resnet = get_model(recipe.backbone, weights=None)
    resnet.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    narrow = resnet.fc.in_features // 8
    layers = {f"layer{k + 1}": str(k) for k in range(4)}
    body = BackboneWithFPN(resnet, layers, [narrow * 2**k for k in range(4)], recipe.channels)
    sizes = tuple((round(share * columns),) for share in (0.15, 0.3, 0.5, 0.75, 1.0))
    width = 4 * recipe.channels
    return MaskRCNN(
        body,
        min_size=columns,
        max_size=rows,
        image_mean=[0.5],
        image_std=[0.25],
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.2),) * 5),
        rpn_pre_nms_top_n_train=200,
        rpn_pre_nms_top_n_test=200,
        rpn_post_nms_top_n_train=50,
        rpn_post_nms_top_n_test=50,
        rpn_batch_size_per_image=64,
        box_head=TwoMLPHead(recipe.channels * 7**2, width),
        box_predictor=FastRCNNPredictor(width, 1 + len(CLASSES)),
        box_batch_size_per_image=16,
        box_positive_fraction=0.5,
        box_detections_per_img=8,
        mask_roi_pool=MultiScaleRoIAlign(["0"], 28, 2),  # an outline needs the finest features
        mask_head=MaskRCNNHeads(recipe.channels, (recipe.channels,) * 3, 1),
        mask_predictor=MaskRCNNPredictor(recipe.channels, recipe.channels, 1 + len(CLASSES)),
    )


def train_mask_rcnn(train: HipHalves, recipe: MaskRecipe, folder: Path) -> tuple[nn.Module, Fitted]:
    """The model after its last epoch; the history has the five terms of the loss.

    Raises
    ------
    ValueError
        No half film of ``train`` shows a femur.
    """
    wanted = [targets(bits) for bits in train.bits]
    if not any((t["labels"] == 1).any() for t in wanted):
        raise ValueError(f"none of the {len(wanted)} half films to train on shows a femur: are their masks read?")
    _, kind, n = np.unique([max([*t["labels"].tolist(), 0]) for t in wanted], return_inverse=True, return_counts=True)
    weight = torch.from_numpy(1 / n[kind])

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[list[Tensor], list[dict[str, Tensor]]]]:
        shown = torch.multinomial(weight, recipe.visits, replacement=True, generator=generator)
        for rows in shown.split(recipe.batch):
            yield [train.images[i][None] / 255 for i in rows], [wanted[i] for i in rows]

    def loss(model: nn.Module, batch: tuple[Any, ...], epoch: int) -> dict[str, Tensor]:
        terms = {name.removeprefix("loss_"): term for name, term in model(*batch).items()}
        return {"loss": sum(terms.values())} | terms

    model = hip_mask_rcnn(recipe)
    steps = partial(torch.optim.AdamW, lr=recipe.lr, weight_decay=1e-4)
    slower = partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=recipe.epochs)
    options = {"epochs": recipe.epochs, "seed": recipe.seed, "optimizer": steps, "schedule": slower, "monitor": None}
    # corners of boxes beyond 256 pixels have no fractions in bf16
    fitted = fit(model, loss, batches, None, folder=folder, precision="32-true", **options)
    return model, fitted


def trained_mask_rcnn(train: HipHalves, recipe: MaskRecipe) -> Path:
    """The artefact of a :func:`train_mask_rcnn`, for :func:`load_mask_rcnn`: weights, and ``history.parquet``."""

    def make(folder: Path, unfinished: Path) -> None:
        _, fitted = train_mask_rcnn(train, recipe, unfinished)
        fitted.history.to_parquet(folder / "history.parquet")
        shutil.copy(fitted.weights, folder / MODEL)

    return resumable_artefact("mask-rcnn", asdict(recipe) | {"train": train.digest()}, (__name__,), make)


def load_mask_rcnn(folder: Path, recipe: MaskRecipe) -> nn.Module:
    """The model of :func:`trained_mask_rcnn`, in evaluation mode."""
    model = hip_mask_rcnn(recipe)
    put_weights(model, read_weights(folder / MODEL), MODEL)
    return model.eval()


@torch.no_grad()
def find_hips(model: nn.Module, pixels: NDArray, columns: int) -> tuple[HipFound, HipFound]:
    """What a trained model sees on one film: the patient's right hip and the left one.

    Parameters
    ----------
    model
        In evaluation mode.
    pixels
        Shape (height, width), uint8 or uint16: an AP film of the pelvis with a hip in each half, or in one.
    columns
        As the model was trained: ``MaskRecipe.columns``.
    """
    film, device = eight_bit(np.asarray(pixels)), next(model.parameters()).device
    sides = ("right", "left")
    halves = torch.from_numpy(np.stack([to_network(film, side, columns) for side in sides]))
    images, _ = model.transform(list(halves[:, None].to(device) / 255))
    features = model.backbone(images.tensors)
    proposals, _ = model.rpn(images, features)
    found, _ = model.roi_heads(features, proposals, images.image_sizes)
    return tuple(_on_film(one, film.shape, side, columns) for one, side in zip(found, sides, strict=True))


def _on_film(found: dict[str, Tensor], shape: tuple[int, int], side: str, columns: int) -> HipFound:
    """The best detection of each class, drawn on the film."""
    half, scale = half_of_film(shape[1], side), reduction(shape, columns)
    wide = half.stop - half.start
    scores, masks = dict.fromkeys(BITS, 0.0), {}
    found = {name: value.cpu() for name, value in found.items()}
    for number, name in enumerate(CLASSES, 1):
        own = torch.nonzero(found["labels"] == number)[:, 0]
        if not len(own):
            continue
        best = own[found["scores"][own].argmax()]
        scores[name] = float(found["scores"][best])
        if scores[name] < SURE:
            continue
        drawn = paste(found["masks"][best, 0], found["boxes"][best].numpy() / scale, (shape[0], wide))
        masks[name] = np.zeros(shape, bool)
        masks[name][:, half] = drawn if side == "right" else drawn[:, ::-1]
    if "femur" not in masks:
        best = f"its best score is {scores['femur']:.2f}"
        return HipFound(side, scores, masks, None, f"no femur found in the {side} half of the film: {best}")
    try:
        return HipFound(side, scores, masks, hip_square(masks["femur"], side))
    except ValueError as error:
        return HipFound(side, scores, masks, None, str(error))
