"""What the heat maps accept: pictures as the networks saw them, regions of true and false, networks that answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteolib.stats.inputs import reals, unmasked


def pictures(images: Any, name: str = "images", side: int = 1) -> NDArray[np.uint8]:
    """``images`` if they are (n, height, width) in uint8, each side at least ``side`` pixels; or ValueError.

    Other types are refused: only uint8 says what is black and white, and a guess would give another picture's map.
    """
    found = unmasked(images, name)
    if found.dtype != np.uint8 or found.ndim != 3 or 0 in found.shape:
        raise ValueError(
            f"{name} must be prepared pictures (n, height, width), 0 to 255 as uint8, one or more, got {found.dtype} "
            f"of shape {found.shape}: scale others first, e.g. np.round(255 * x).astype(np.uint8) for x from 0 to 1"
        )
    if min(found.shape[1:]) < side:
        raise ValueError(f"{name} must be at least {side} pixels high and wide, got shape {found.shape}")
    return found


def regions(masks: Any, name: str, shape: tuple[int, ...] | None = None) -> NDArray[np.bool_]:
    """``masks`` as booleans, from booleans or from numbers that are all 0 or 1; ValueError for any others."""
    found = unmasked(masks, name)
    if found.dtype != bool:
        found = reals(found, name)
        if not ((found == 0) | (found == 1)).all():
            raise ValueError(
                f"{name} must be True and False, or 0 and 1: pass {name} > 0 if every other value is inside"
            )
        found = found == 1
    if shape is not None and found.shape != shape:
        raise ValueError(f"{name} has shape {found.shape}, not {shape}: one region for each picture, in its size")
    return found


def network(model: Any, name: str = "model") -> Any:
    """``model`` if it is a torch module; or ValueError."""
    from torch import nn

    if not isinstance(model, nn.Module):
        raise ValueError(f"{name} must be a torch module whose answer has `screen`, got a {type(model).__name__}")
    return model
