"""What a recorded training was given: units, targets, parts and grey levels, small enough to lie in a record.

Whether a record still holds depends on the code that trains, and on what that code is given. The second is not told by
the code of readers and phantoms, which changes often and mostly to no effect: it is told by what they bring.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS = ("unit_id", "label", "t_score", "age_years", "sex", "bmi_kg_m2", "split_group")


def given(
    subjects: pd.DataFrame,
    look: Callable[[pd.DataFrame], NDArray[np.uint8]],
    parts: Mapping[str, NDArray] | NDArray[np.integer],
    looked: int = 24,
) -> dict[str, Any]:
    """Hash of the table of units and parts, and mean and SD of the grey levels of some units, evenly spread.

    Parameters
    ----------
    subjects
        With :data:`COLUMNS`, one row per unit.
    look
        ``look(some subjects)``: their images, shape (n, size, size), uint8. Grey levels are kept as numbers, not as a
        hash: another decoder may round a pixel otherwise.
    parts
        Mask (n,) of each part by name, or the fold (n,) of each unit.
    """
    masks = parts if isinstance(parts, Mapping) else {str(fold): parts == fold for fold in np.unique(parts)}
    table = subjects[list(COLUMNS)].assign(**{f"in {name}": np.asarray(mask) for name, mask in masks.items()})
    text = table.sort_values("unit_id").to_csv(index=False, float_format="%.6g", lineterminator="\n")
    some = subjects.iloc[np.unique(np.linspace(0, len(subjects) - 1, looked).round().astype(int))]
    images = zip(some["unit_id"].astype(str), look(some), strict=True)
    grey = {unit: [round(float(image.mean()), 2), round(float(image.std()), 2)] for unit, image in images}
    return {"n": len(subjects), "table": hashlib.sha256(text.encode()).hexdigest(), "grey": grey}


def same_given(now: Mapping[str, Any], then: Mapping[str, Any], tolerance: float = 0.3) -> bool:
    """Whether two answers of :func:`given` are of the same units, targets and parts, and of the same pictures."""
    if (now["n"], now["table"], set(now["grey"])) != (then["n"], then["table"], set(then["grey"])):
        return False
    return all(np.allclose(now["grey"][unit], then["grey"][unit], atol=tolerance) for unit in then["grey"])
