"""The pipeline on outlines that a detector found: what it sees of a hip, and the T-score it then names.

The pipeline is fitted on true outlines. A new hip comes with the one that was found, a little too small or too large;
square, background and features move with it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hip.truth import FEMUR, read_masks
from osteolib.radiograph import read_radiograph
from osteolib.screen.hip_score import Find, square_of, why_not
from osteolib.screen.triplet import N_FEATURES, TripletNet, describe
from osteolib.screen.x1ai import X1ai
from osteolib.segment.hip_instances import eight_bit
from osteolib.segment.hip_judged import overlap
from osteolib.segment.hip_squares import half_of_film


class Outlined(NamedTuple):
    """Hips by the outlines that were found of them, in the order of the rows asked for.

    Attributes
    ----------
    images, femur
        Shape (n, size, size), uint8 and bool: square and femur of each, as a right hip; empty where there is none.
    table
        One row a hip, with the index of those asked for: ``iou`` of the femur with the true one, 0 where none was
        found; ``reason`` for having no square (:func:`osteolib.screen.hip_score.why_not`), empty where there is one.
    """

    images: NDArray[np.uint8]
    femur: NDArray[np.bool_]
    table: pd.DataFrame

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which hips have a square, shape (n,)."""
        return (self.table["reason"] == "").to_numpy()


def outlined_hips(find: Find, hips: pd.DataFrame, size: int) -> Outlined:
    """Squares of a phantom's hips by found outlines.

    Parameters
    ----------
    find
        As :func:`osteolib.segment.mask_rcnn.find_hips` with its model: none of the hips may have trained it.
    hips
        One row a hip: ``image_id, side, path, masks_path``.
    size
        Pixels along each side of a square.
    """
    images, rows = np.zeros((2, len(hips), size, size), np.uint8), {}
    order = pd.Series(range(len(hips)), hips.index)
    for image, film in hips.groupby("image_id", sort=False):
        pixels = eight_bit(read_radiograph(film["path"].iloc[0]).pixels)
        truth = read_masks(film["masks_path"].iloc[0], image) & FEMUR > 0
        found = {one.side: one for one in find(pixels)}
        for row, side in film["side"].items():
            one, half = found[side], half_of_film(truth.shape[1], side)
            seen = one.masks.get("femur", np.zeros_like(truth))
            rows[row] = {"iou": overlap(seen[:, half], truth[:, half]), "reason": why_not(one, truth.shape, None)}
            if not rows[row]["reason"]:
                images[:, order[row]] = square_of(pixels, one, size)
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(hips.index)
    return Outlined(images[0], images[1].astype(bool), table)


def outlined_t_scores(
    outlined: Outlined, network: TripletNet, pipeline: X1ai, x: NDArray[np.float64]
) -> NDArray[np.float64]:
    """T-scores by the outlines found, shape (n,), NaN for hips without a square.

    ``x``, shape (n, 131), are the numbers by true outlines; age, BMI and sex are taken from there.
    """
    there, t_scores = outlined.there, np.full(len(outlined.table), np.nan)
    if there.any():
        features = describe(network, outlined.images[there], outlined.femur[there])
        t_scores[there] = pipeline.predict(np.column_stack([features, x[there, N_FEATURES:]]))["t_score"]
    return t_scores
