"""From a T-score to a diagnosis, by the rule of each study; binary targets are derived, never stored."""

from __future__ import annotations

import operator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

LABELS = ("normal", "osteopenia", "osteoporosis")

RULES = {
    # WHO Technical Report Series 843 (1994); STR-Net, Section 2.1
    "who": (("osteoporosis", operator.le, -2.5), ("osteopenia", operator.lt, -1.0)),
    # X1AI-Osteo, Methods: on the lowest of femoral neck and total hip
    "hip": (("osteoporosis", operator.le, -2.5), ("osteopenia", operator.le, -1.5)),
    # the hand papers: osteoporotic below -2.5, normal otherwise; no osteopenia
    "hand": (("osteoporosis", operator.lt, -2.5),),
}
"""For each rule the classes from the most severe on, with the comparison that a T-score must pass."""


def label_from_t_score(t_score: ArrayLike, rule: str = "who") -> pd.Series:
    """Class of each T-score under one of :data:`RULES`; a missing T-score gives a missing label.

    Raises
    ------
    ValueError
        The rule is unknown.
    """
    if rule not in RULES:
        raise ValueError(f"unknown label rule {rule!r}: known are {', '.join(RULES)}")
    t = pd.Series(t_score, dtype=float)
    label = pd.Series("normal", index=t.index, dtype="str")
    for name, passes, cut in reversed(RULES[rule]):  # the most severe class has the last word
        label[passes(t, cut)] = name
    return label.mask(t.isna())


def bone_loss(label: ArrayLike) -> np.ndarray:
    """Screening target of STR-Net: 1 for osteopenia or osteoporosis, 0 for normal; shape (n,), int64.

    Raises
    ------
    ValueError
        A label is missing or not one of :data:`LABELS`.
    """
    label = pd.Series(label)
    if bad := label[~label.isin(LABELS)].drop_duplicates().tolist():
        raise ValueError(f"labels must be among {', '.join(LABELS)}, got {bad[:5]}: drop these subjects first")
    return (label != "normal").to_numpy(np.int64)
