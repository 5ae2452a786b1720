"""Grad-CAM of the screening logit, scores against a known region, and a check that a map depends on what was learned.

With A_k the k-th channel of a layer's output and y the logit (Selvaraju et al. 2017, equations 1 and 2):
map = ReLU(sum over k of a_k A_k), where a_k is the mean of dy/dA_k over the places of A_k.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from osteolib.explain.inputs import network, pictures, regions
from osteolib.radiograph import to_tensor_range
from osteolib.screen.knee_folds import CrossValidated, Recipe
from osteolib.screen.phantom_control import trained_network
from osteolib.screen.strnet import INSTALLED
from osteolib.stats.inputs import flag, frame, instance, number, reals, unmasked, whole

LAST_STAGE = "backbone.layer4"  # "the last ResNet-50 convolutional block", STR-Net, Section 2.5
EFFICIENTNETS_LAST = "backbone.blocks"
FROM_THE_TOP = (
    "screen_head", "tarr.screen", "tarr.shared", "neck", LAST_STAGE, "backbone.layer3", "backbone.layer2",
    "backbone.layer1", "backbone.bn1", "backbone.conv1",
)  # fmt: skip


class ScreeningLogit(nn.Module):
    """A model seen as images to one logit each."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.model(images).screen


def grad_cam(
    model: nn.Module, images: NDArray[np.uint8], layer: str = LAST_STAGE, guided: bool = False, batch_size: int = 32
) -> NDArray[np.float32]:
    """What raises the screening logit, and where; each knee's map on its own scale.

    Parameters
    ----------
    model
        An STR-Net, or any module whose answer has ``screen``. A copy in evaluation mode is looked at (a map must not
        depend on dropout's draw or on the other knees of a batch); the model itself is left as it is.
    images
        Shape (n, height, width), uint8, prepared knees; other types are refused: only uint8 says what is black.
    layer
        Name of the module within ``model`` whose output is weighed.
    guided
        Guided Grad-CAM: Grad-CAM times guided backpropagation, absolute value.

    Returns
    -------
    Shape (n, height, width), 0 or more, bilinear between the layer's places. All 0 where nothing raises the logit.

    Raises
    ------
    ValueError
        The model has no such layer, the layer has no places, the images are none, or the logit does not come from them.

    Notes
    -----
    Gradients are taken, in float32, whatever the caller has switched off (``torch.no_grad``, ``torch.inference_mode``).
    """
    images, batch_size, guided = pictures(images), whole(batch_size, "batch_size", 1), flag(guided, "guided")
    with torch.inference_mode(False), torch.enable_grad():
        return _grad_cam(network(model), images, layer, guided, batch_size)


def _grad_cam(model: nn.Module, images: np.ndarray, layer: str, guided: bool, batch_size: int) -> NDArray[np.float32]:
    from captum.attr import GuidedGradCam, LayerAttribution, LayerGradCam

    device = "cuda" if torch.cuda.is_available() else "cpu"
    look = ScreeningLogit(copy.deepcopy(model)).float().eval().to(device)
    if not isinstance(layer, str) or not layer or layer not in dict(look.model.named_modules()):
        raise ValueError(f"{type(model).__name__} has no layer {layer!r}: name one of its modules, as {LAST_STAGE!r}")
    for module in look.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # guided backpropagation replaces its gradient
    at, maps = look.model.get_submodule(layer), []
    for start in range(0, len(images), batch_size):
        x = torch.from_numpy(to_tensor_range(images[start : start + batch_size]))[:, None]
        x = x.to(device).requires_grad_()
        if not start:
            _check_answer(look, at, x[:1], type(model).__name__, layer)
        if guided:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")
                found = GuidedGradCam(look, at).attribute(x, interpolate_mode="bilinear").abs()
        else:
            found = LayerGradCam(look, at).attribute(x, relu_attributions=True)
            found = LayerAttribution.interpolate(found, x.shape[2:], "bilinear")
        maps.append(found[:, 0].detach().cpu().numpy())
    maps = np.concatenate(maps)
    if not np.isfinite(maps).all():
        raise ValueError(f"model: {type(model).__name__} gives values that are not finite: look at its weights")
    return maps


def _check_answer(look: ScreeningLogit, at: nn.Module, x: torch.Tensor, name: str, layer: str) -> None:
    """Raise ValueError where one picture shows that no map can be made."""
    seen = []
    hook = at.register_forward_hook(lambda module, given, answer: seen.append(answer))
    try:
        logit = look(x)
    except (RuntimeError, AttributeError, TypeError, IndexError) as error:
        raise ValueError(
            f"model: {name} cannot answer images of shape {tuple(x.shape)} with `screen`: {error}"
        ) from None
    finally:
        hook.remove()
    shape = tuple(logit.shape) if isinstance(logit, torch.Tensor) else type(logit).__name__
    if shape != (1,):
        raise ValueError(f"model: the `screen` of {name} must be one logit for each image, shape (n,); got {shape}")
    if len(seen) != 1 or not isinstance(seen[0], torch.Tensor) or seen[0].ndim != 4:
        raise ValueError(f"layer {layer!r} does not give channels with places (n, k, height, width), once a picture: "
                         f"name a convolutional block, as {LAST_STAGE!r}")  # fmt: skip
    if not logit.requires_grad or torch.autograd.grad(logit.sum(), seen[0], allow_unused=True)[0] is None:
        raise ValueError(f"model: the `screen` of {name} does not follow from layer {layer!r} by gradients: it is "
                         "detached, or computed from something else")  # fmt: skip


def out_of_fold_maps(
    subjects: pd.DataFrame, images: np.ndarray, recipe: Recipe, trained: CrossValidated, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Grad-CAM of the knees ``rows``, each by the network that saw neither it nor its split group.

    ``subjects``, ``images`` and ``recipe`` as given to :func:`osteolib.screen.knee_folds.cross_validate`.

    Raises
    ------
    ValueError
        An argument is not as there, a row is none of the knees, or a knee was not tested.
    """
    frame(subjects, "subjects", ["unit_id"])
    images = pictures(images)
    instance(Recipe, recipe, "recipe")
    frame(instance(CrossValidated, trained, "trained").scores, "trained.scores", ["unit_id", "fold", "part"])
    at = reals(rows, "rows")
    if len(images) != len(subjects) or at.ndim != 1 or not at.size or not np.isin(at, np.arange(len(subjects))).all():
        raise ValueError(f"rows must be a vector of 0 to {len(subjects) - 1}, at least one, and images one for each of "
                         f"subjects; got shape {at.shape} and {len(images)} images")  # fmt: skip
    rows = at.astype(np.int64)
    tested = trained.scores[trained.scores["part"] == "test"].set_index("unit_id")["fold"]
    wanted = subjects["unit_id"].iloc[rows]
    if not wanted.isin(tested.index).all() or not tested.index.is_unique:
        raise ValueError("trained.scores must have each knee of rows once with part `test`")
    fold = tested[wanted].to_numpy()
    stage = EFFICIENTNETS_LAST if recipe.backbone == INSTALLED else LAST_STAGE
    maps = np.empty((len(rows), *images.shape[1:]), np.float32)
    for each in np.unique(fold):
        network = trained_network(trained.folders[each], recipe)
        maps[fold == each] = grad_cam(network, images[rows[fold == each]], stage)
    return maps


def roi_scores(maps: np.ndarray, masks: NDArray[np.bool_]) -> pd.DataFrame:
    """How much of each map lies in its region; both of shape (n, height, width), maps 0 or more.

    Returns
    -------
    One row per map. ``area``: the region's share of the image, which is what a map without any preference gets, in
    both scores. ``energy``: the map's sum in the region over its whole sum. ``hit`` (pointing game): whether the
    highest place lies in the region, the share that does where several are equally high. A map that is 0 everywhere
    points nowhere: NaN in both.

    Raises
    ------
    ValueError
        The shapes differ, a map has a negative, missing or infinite value, or ``masks`` holds anything but booleans or
        0 and 1.
    """
    maps, masks = unmasked(maps, "maps"), regions(masks, "masks")
    wide = reals(maps, "maps")
    if maps.shape != masks.shape or maps.ndim != 3 or not maps.size:
        raise ValueError(f"maps {maps.shape} and masks {masks.shape} must both be (n, height, width): prepare the "
                         "masks as the images, in the size of the maps")  # fmt: skip
    if not np.isfinite(wide).all():
        raise ValueError("maps has values that are not finite: look at the network that made them")
    if (maps < 0).any():
        raise ValueError("maps: a map has negative values: take its positive part or its absolute value first")
    rows = []
    for heat, mask in zip(maps, masks, strict=True):
        total, area = heat.sum(dtype=float), mask.mean()
        energy = heat[mask].sum(dtype=float) / total if total else np.nan
        rows.append((energy, mask[heat == heat.max()].mean() if total else np.nan, area))
    return pd.DataFrame(rows, columns=["energy", "hit", "area"])


def centred_gaussian(size: int, sd: float = 0.25) -> NDArray[np.float64]:
    """A map that looks at the middle of every image, shape (size, size); ``sd`` as a share of the side.

    Raises
    ------
    ValueError
        ``size`` is no number of pixels, or ``sd`` is not above 0.
    """
    size, sd = whole(size, "size", 1, 20_000), number(sd, "sd", "(0, inf)")
    place = ((np.arange(size) + 0.5) / size - 0.5) / sd
    return np.exp(-(place[:, None] ** 2 + place**2) / 2)


def cascading_randomisation(
    trained: nn.Module,
    untrained: nn.Module,
    images: NDArray[np.uint8],
    layer: str = LAST_STAGE,
    guided: bool = False,
    parts: Sequence[str] = FROM_THE_TOP,
) -> pd.DataFrame:
    """Likeness of maps before and after what was learned is undone, part by part from the top (Adebayo et al. 2018).

    Parameters
    ----------
    untrained
        A network of the same kind with random weights; ``parts``, names of modules from the top, become its own, one
        after another, and stay so. Not the weights the training began with: a short training stays close to those.

    Returns
    -------
    One row per part and image: ``part``, ``knee`` (row of ``images``), ``rank_correlation`` (Spearman, NaN where a map
    is the same everywhere), ``ssim`` of the maps, each divided by its maximum. A map that stays the same although its
    network no longer knows anything does not show what was learned.

    Raises
    ------
    ValueError
        As :func:`grad_cam`; or images smaller than 7 pixels, which ``ssim`` looks at together, or a part that the two
        networks do not have alike.
    """
    from scipy.stats import spearmanr
    from skimage.metrics import structural_similarity

    def likeness(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
        varied = np.ptp(a) > 0 and np.ptp(b) > 0
        a, b = (m / max(m.max(), np.finfo(m.dtype).tiny) for m in (a, b))
        return {
            "rank_correlation": spearmanr(a, b, axis=None).statistic if varied else np.nan,
            "ssim": structural_similarity(a, b, data_range=1),
        }

    images = pictures(images, side=7)
    network(trained, "trained"), network(untrained, "untrained")
    if not isinstance(parts, list | tuple) or not parts or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"parts must be a list of names of modules, at least one, got {parts!r}")
    for part in parts:
        for name, its in (("trained", trained), ("untrained", untrained)):
            if part not in dict(its.named_modules()):
                raise ValueError(f"parts: the {name} {type(its).__name__} has no module {part!r}")
        one, other = (
            {name: tensor.shape for name, tensor in its.get_submodule(part).state_dict().items()}
            for its in (trained, untrained)
        )
        if one != other:
            raise ValueError(
                f"parts: {part!r} of trained and of untrained differ in their weights: give networks of a kind"
            )
    try:
        before, model, rows = grad_cam(trained, images, layer, guided), copy.deepcopy(trained), []
    except ValueError as error:
        raise ValueError(f"trained: {error}") from None
    for part in parts:
        model.get_submodule(part).load_state_dict(untrained.get_submodule(part).state_dict())
        after = grad_cam(model, images, layer, guided)
        rows += [{"part": part, "knee": i} | likeness(*pair) for i, pair in enumerate(zip(before, after, strict=True))]
    return pd.DataFrame(rows)
