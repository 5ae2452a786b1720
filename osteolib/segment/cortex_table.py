"""The cortical percentage of the second metacarpal of many hands, read without a person."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.segment.bones import cortical_percentage

M2 = BONES.index("M2") + 1  # its number in a label map


def cortex_table(
    films: Iterable[NDArray], masks: Iterable[NDArray[np.uint8]], spacing_mm: Iterable[float]
) -> pd.DataFrame:
    """One row a hand: ``percentage`` (0 to 100), ``shaft_mm``, ``canal_mm``, and ``reason`` where nothing was read.

    Parameters
    ----------
    films, masks
        Films (height, width), and their label maps: 1 to 7 in the order of BONES.
    spacing_mm
        Per pixel, alike in both directions.
    """
    read = [
        cortical_percentage(film, mask == M2, (spacing, spacing))
        for film, mask, spacing in zip(films, masks, spacing_mm, strict=True)
    ]
    rows = [(100 * c.percentage, c.outer_width, c.canal_width, c.reason) for c in read]
    return pd.DataFrame(rows, columns=["percentage", "shaft_mm", "canal_mm", "reason"])


def cortex_by_true_mask(hands: pd.DataFrame) -> pd.DataFrame:
    """:func:`cortex_table` of phantom hands (``path, masks_path, image_id, spacing_mm``) with their true masks."""
    films = (read_radiograph(path).pixels for path in hands["path"])
    masks = (read_masks(row.masks_path, row.image_id) for row in hands.itertuples())
    return cortex_table(films, masks, hands["spacing_mm"]).set_axis(hands.index)


def reasons_in_words(reasons: pd.Series) -> str:
    """``3 × the mask is empty; 1 × cut off …``, numbers within a reason left out; ``none`` where all are empty."""
    said = reasons[reasons > ""].astype(str).str.replace(r"[\d.]+", "…", regex=True).value_counts()
    return "; ".join(f"{n} × {reason}" for reason, n in said.items()) or "none"
