"""Where a network starts whose paper starts from ImageNet: its own weights if they are here, or those that install."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from osteolib.screen.knee_folds import Recipe
from osteolib.screen.strnet import BACKBONES, INSTALLED


def available_start(backbone: str, initialisation: str) -> tuple[str, str]:
    """Backbone and initialisation that can be had here.

    ``imagenet`` for a ResNet whose torchvision weights are not in torch's cache becomes ``efficientnet_lite0`` from
    ImageNet, whose weights come with a package; anything else stays as it is asked for.
    """
    import torch

    if initialisation == "imagenet" and backbone in BACKBONES:
        file = Path(BACKBONES[backbone][1].url).name
        if not (Path(torch.hub.get_dir()) / "checkpoints" / file).is_file():
            return INSTALLED, initialisation
    return backbone, initialisation


def as_started(recipe: Recipe, initialisation: str = "imagenet") -> Recipe:
    """The recipe with the backbone and the weights that can be had here for a start."""
    backbone, start = available_start(recipe.backbone, initialisation)
    return replace(recipe, backbone=backbone, initialisation=start)
