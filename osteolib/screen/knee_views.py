"""Two views of a prepared knee, the whole and its joint, and features of them that nothing here was trained for."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.realism import find_gap
from osteolib.radiograph import resize
from osteolib.runs.store import artefact
from osteolib.screen.knee_folds import knee_images
from osteolib.screen.texture_features import texture_features
from osteolib.screen.weights import frozen_features, pretrained_encoder, untrained_encoder

LITE0 = "efficientnet_lite0"
ENCODERS = ("ImageNet", "texture", "random weights")
REACH = 0.6
"""The joint's square reaches this far from its middle, in widths of the bones at the joint."""


def knee_views(subjects: pd.DataFrame, size: int) -> dict[str, NDArray[np.uint8]]:
    """``whole`` and ``joint`` of each unit, shape (n, size, size) each; from films prepared at twice the size.

    ``subjects`` as :func:`osteolib.screen.knee_folds.knee_images` wants them.
    """
    double = knee_images(subjects, 2 * size)
    return {
        "whole": np.stack([resize(image, size) for image in double]),
        "joint": np.stack([resize(image[joint_square(image)], size) for image in double]),
    }


def joint_square(image: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns of the square around the joint, as far as the film reaches.

    The joint is the line that :func:`osteolib.phantoms.realism.find_gap` finds between a tenth and nine tenths of the
    height; the square is :data:`REACH` times the bones' width to each side, and an eighth of the film at least.
    """
    gap, n = find_gap(image, (0.1, 0.9)), len(image)
    half = round(max(REACH * gap.width, n / 8))
    rows, columns = (slice(max(at - half, 0), min(at + half, n)) for at in (gap.row, gap.column))
    return rows, columns


def view_features(encoder: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Features of images (n, size, size), uint8, one row each, kept in the store by what the images are.

    Parameters
    ----------
    encoder
        ``ImageNet``: EfficientNet-Lite0 with its weights; ``random weights``: the same before any training, seed 0;
        ``texture``: :func:`osteolib.screen.texture_features.texture_features`.

    Raises
    ------
    ValueError
        There is no such encoder, or its weights are not installed.
    """
    if encoder not in ENCODERS:
        raise ValueError(f"encoder must be one of {', '.join(ENCODERS)}, got {encoder!r}")
    compute = {"ImageNet": lambda i: frozen_features(LITE0, i), "texture": texture_features,
               "random weights": random_features}[encoder]  # fmt: skip
    key = {"encoder": encoder, "images": hashlib.sha256(np.ascontiguousarray(images)).hexdigest(),
           "shape": list(images.shape), "weights": pretrained_encoder(LITE0).sha256}  # fmt: skip
    folder = artefact("knee-features", key, (__name__,),
                      lambda into: np.save(into / "features.npy", compute(images), allow_pickle=False))  # fmt: skip
    return np.load(folder / "features.npy", allow_pickle=False)


def random_features(images: NDArray[np.uint8], seed: int = 0, batch_size: int = 32) -> NDArray[np.float32]:
    """As :func:`osteolib.screen.weights.frozen_features` with Lite0, but with the random weights of ``seed``."""
    import torch

    encoder, generator_state = pretrained_encoder(LITE0), torch.get_rng_state()
    torch.manual_seed(seed)
    model, rows = untrained_encoder(LITE0).eval(), []
    torch.set_rng_state(generator_state)
    with torch.no_grad():
        for at in range(0, len(images), batch_size):
            grey = torch.from_numpy(images[at : at + batch_size])[:, None].float() / 255
            rows.append(model(((grey - encoder.input_mean) / encoder.input_sd).expand(-1, 3, -1, -1)).numpy())
    return np.concatenate(rows)
