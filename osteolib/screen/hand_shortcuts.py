"""What could tell the age or sex of a hand without anything being learned from its bones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.radiograph import resize
from osteolib.segment.prompts import Axis
from osteolib.segment.real_metacarpals import RealBones


def shortcuts(bones: RealBones, view: int) -> dict[str, pd.DataFrame]:
    """Columns of numbers for each hand, by what they are; ``view`` is the side at which the network sees a bone.

    The length of a bone is no artefact, for bones grow, but a network that sees every bone scaled to one square cannot
    use it.
    """
    looks = pd.DataFrame(map(look, bones.images, [view] * len(bones.images)), columns=["mean", "sd", "sharp"])
    looks = looks.groupby(bones.table["hand"].to_numpy()).mean()
    length = [np.linalg.norm(np.diff(a["M3"], axis=0)) if "M3" in a else np.nan for a in bones.axes]
    return {
        "film: height and width": pd.DataFrame([film.shape for film in bones.raw], columns=["height", "width"]),
        "film: mean and SD of grey": pd.DataFrame([(f.mean(), f.std()) for f in bones.raw], columns=["mean", "sd"]),
        "bone images: mean and SD of grey": looks[["mean", "sd"]],
        "bone images: sharpness": looks[["sharp"]],
        "bone images: direction of M1, M3": pd.DataFrame(map(directions, bones.axes)).rename(columns=str),
        "length of M3, pixels (unseen)": pd.DataFrame({"M3": length}),
    }


def look(image: NDArray[np.uint8], view: int) -> tuple[float, float, float]:
    """Mean and SD of grey, and mean absolute Laplacian, two pixels inside a bone image resized to ``view``.

    A small bone is enlarged to fill its square, and so is smoother.
    """
    from scipy.ndimage import binary_erosion, laplace

    small = resize(image, view).astype(float)
    inside = binary_erosion(small > 0, iterations=2)
    pixels = small[inside]
    return pixels.mean(), pixels.std(), np.abs(laplace(small)[inside]).mean()


def directions(axes: Mapping[str, Axis]) -> NDArray[np.float64]:
    """Unit vectors (x, y) along M1 and M3, NaN for one without axis: little hands are harder to lay straight."""
    along = [np.diff(axes[b], axis=0)[0] if b in axes else np.full(2, np.nan) for b in ("M1", "M3")]
    return np.concatenate([v / np.linalg.norm(v) for v in along])
