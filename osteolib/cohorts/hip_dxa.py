"""What the readers of real DXA tables of the hip share: two sites, and the lower of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from osteolib.stats.labels import label_from_t_score

SITES = {"neck": "femoral neck", "total_hip": "total hip", "spine": "lumbar spine"}


def by_lower_site(people: pd.DataFrame, label_rule: str) -> pd.DataFrame:
    """A hip per person with ``t_score``, ``bmd_g_cm2`` and label of the site with the lower T-score, the neck if equal.

    ``people`` with ``subject_id`` and, for ``neck`` and ``total_hip``, ``t_score_<site>`` and ``bmd_<site>_g_cm2``.
    """
    neck_lower = people.t_score_neck <= people.t_score_total_hip
    t_score = people[["t_score_neck", "t_score_total_hip"]].min(axis=1)
    return people.assign(
        t_score=t_score, bmd_g_cm2=people.bmd_neck_g_cm2.where(neck_lower, people.bmd_total_hip_g_cm2),
        t_score_site=np.where(neck_lower, SITES["neck"], SITES["total_hip"]), t_score_method="DXA",
        label=label_from_t_score(t_score, label_rule), unit="hip", bone="femur", unit_id=people.subject_id,
        split_group=people.subject_id,
    )  # fmt: skip
