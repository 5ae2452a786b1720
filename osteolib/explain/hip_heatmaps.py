"""The hip pipeline's class score as one network, so that the heat maps of the knees explain it, too.

The boundary between the classes is a straight line in the plane of two principal components, and the plane is a linear
picture of the 131 features: so the score is w . features(square) + a number for age, BMI and sex.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from osteolib.explain.inputs import pictures, regions
from osteolib.phantoms.hip.truth import FEMUR, NECK, read_masks
from osteolib.radiograph import to_tensor_range
from osteolib.screen.sub_clusters import SubClusters
from osteolib.screen.triplet import N_FEATURES, TripletNet
from osteolib.stats.inputs import frame, instance, vector, whole
from osteolib.views.hip_views import right_hip

LAST = "block5"
FROM_THE_TOP = ("answer", "head", "block5", "block4", "block3", "block2", "block1")
"""Parts of :class:`HipScore`, from the answer down to the film."""
BLACK, WHITE = to_tensor_range(np.array([[0, 255]], np.uint8))[0].tolist()


class HipScore(nn.Module):
    """From prepared squares (n, 1, size, size), as ``to_tensor_range`` gives them, to ``screen``, one score each.

    The parts lie in blocks of one convolution each, so that they can be looked at and undone one by one. The network
    that is given is used, not copied.
    """

    def __init__(self, network: TripletNet, weight: NDArray[np.float64] | None = None) -> None:
        super().__init__()
        body = instance(TripletNet, network, "network").body
        starts = [k for k, layer in enumerate(body) if isinstance(layer, nn.Conv2d)]
        for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(body)], strict=True), 1):
            self.add_module(f"block{number}", body[start:end])
        self.n_blocks, self.head = len(starts), network.head
        self.answer = nn.Linear(N_FEATURES, 1, bias=False)
        if weight is not None:
            weight = vector(weight, "weight")
            if weight.size != N_FEATURES:
                raise ValueError(f"weight must have {N_FEATURES} values, one for each feature, got {weight.size}")
            self.answer.load_state_dict(OrderedDict(weight=torch.as_tensor(weight, dtype=torch.float32)[None]))

    def forward(self, images: torch.Tensor) -> SimpleNamespace:
        x = 2 * (images - BLACK) / (WHITE - BLACK) - 1  # the network's own range
        for number in range(1, self.n_blocks + 1):
            x = self.get_submodule(f"block{number}")(x)
        features = nn.functional.normalize(self.head(x.mean((2, 3))))
        return SimpleNamespace(screen=self.answer(features)[:, 0])


def score_weights(clusters: SubClusters) -> NDArray[np.float64]:
    """How the log-odds of class 1 change with each of the 128 features of the image, shape (128,)."""
    instance(SubClusters, clusters, "clusters")
    n = clusters.centroids.shape[1]
    a, b, _ = clusters.line
    at_zero, *steps = clusters.plane(np.vstack([np.zeros(n), np.eye(n)])) @ np.array([a, b])
    return (np.array(steps) - at_zero)[:N_FEATURES]


def squares_on_black(images: NDArray[np.uint8], femur: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """What the network sees of squares (n, size, size): the femur on black.

    Raises
    ------
    ValueError
        ``images`` is not uint8, or ``femur`` no region of their shape.
    """
    images = pictures(images)
    femur = regions(femur, "femur", images.shape)
    return np.where(femur, images, 0).astype(np.uint8)


def true_necks(hips: pd.DataFrame, size: int) -> NDArray[np.bool_]:
    """DXA's femoral neck in each hip's square, shape (n, size, size): cut as its film was, every hip as a right one.

    ``hips``: rows of the rendered hip phantom, with ``side, image_id, masks_path``.

    Raises
    ------
    ValueError
        ``hips`` lacks a column or has no value in one, a side is neither ``left`` nor ``right``, a file of masks is not
        there, or ``size`` is no number of pixels.
    """
    frame(hips, "hips", ["side", "image_id", "masks_path"])
    size = whole(size, "size", 8, 8192)
    if odd := [
        value
        for name in ("side", "image_id", "masks_path")
        for value in hips[name]
        if not isinstance(value, str | Path)
    ]:
        raise ValueError(f"hips must hold words in the columns side, image_id and masks_path, got {odd[:3]}")
    if bad := hips["side"][~hips["side"].isin(("left", "right"))].tolist():
        raise ValueError(f"hips, column side, must hold left and right, got {bad[:3]}")
    if gone := [path for path in hips["masks_path"].unique() if not Path(str(path)).is_file()]:
        raise ValueError(f"hips, column masks_path, names files that are not there: {gone[:3]}")
    for path, films in hips.groupby("masks_path")["image_id"]:
        with np.load(path) as there:
            if lacking := sorted(set(films) - set(there.files)):
                raise ValueError(f"hips, column image_id: {path} has no masks of {lacking[:3]}")
    necks = np.empty((len(hips), size, size), bool)
    for at, hip in enumerate(hips.itertuples()):
        truth = read_masks(hip.masks_path, hip.image_id)
        drawn = np.where(truth & NECK, 255, 0).astype(np.uint8)
        necks[at] = right_hip(drawn, (truth & FEMUR).astype(bool), hip.side, size)[0] >= 128
    return necks


def covered(images: NDArray[np.uint8], femur: NDArray[np.bool_], region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Squares on black with a region of each femur painted in that femur's mean grey; all (n, height, width).

    Raises
    ------
    ValueError
        As :func:`squares_on_black`; ``region`` likewise.
    """
    images = pictures(images)
    femur, region = regions(femur, "femur", images.shape), regions(region, "region", images.shape)
    on_black = squares_on_black(images, femur)
    grey = on_black.sum((1, 2)) / femur.sum((1, 2)).clip(1)
    return np.where(region & femur, grey[:, None, None], on_black).round().astype(np.uint8)


@torch.no_grad()
def class_scores(model: HipScore, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What the squares on black (n, height, width) give of the log-odds of class 1, shape (n,); the model is left in
    evaluation mode.

    Raises
    ------
    ValueError
        ``model`` is no :class:`HipScore`, ``images`` is not uint8, or the scores are not finite.
    """
    images = pictures(images)
    instance(HipScore, model, "model").eval()
    x = torch.from_numpy(to_tensor_range(images))[:, None]
    scores = np.concatenate([model(part).screen.double().numpy() for part in x.split(64)])
    if not np.isfinite(scores).all():
        raise ValueError("model gives scores that are not finite: look at its weights")
    return scores
