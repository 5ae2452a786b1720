"""``dxa-korea969``: adults of 50 to 93 years of one Korean hospital with a DXA of hip and spine, T-scores as printed.

Source: the supporting file of Kim and Kim, PLOS ONE 17(1) e0260924 (2022), doi:10.1371/journal.pone.0260924. Unlike
``nhanes-dxa`` it keeps the hospital's own T-scores; at the total hip the line from them to BMD is another for each sex,
so that men seem to have been held against young men.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.hip_dxa import SITES, by_lower_site
from osteolib.cohorts.manifest import Manifest
from osteolib.cohorts.tables import tidy_file


def read(manifest: Manifest, folder: Path) -> Cohort:
    """Read the cohort from its verified table; one unit, a hip of unknown side, per person.

    ``t_score_neck``, ``t_score_total_hip`` and ``t_score_spine`` (missing for two) are those printed in the file; none
    is computed. ``t_score``, ``bmd_g_cm2`` and the label are those of the hip site with the lower T-score, the neck
    where both are equal. ``subject_id`` is the letter K and the row that a spreadsheet shows.

    Raises
    ------
    ValueError
        A column is missing or a cell lies outside its range.
    """
    people = tidy_file(folder, manifest.table)
    people = people.assign(subject_id=[f"K{row:04d}" for row in people.index])
    people = by_lower_site(people, manifest.label_rule)
    notes = [bmd_behind(people, sex, site) for sex in ("M", "F") for site in SITES]
    notes.append("The file names neither the side of the hip nor the DXA device.")
    return make_cohort(manifest, {}, people, notes=notes)


def bmd_behind(people: pd.DataFrame, sex: str, site: str) -> str:
    """The line from a printed T-score to its BMD in one sex, and how far BMD lies from it: one analysis, or two?"""
    group = people[people.sex == sex].dropna(subset=[f"t_score_{site}"])
    t_score, bmd = group[f"t_score_{site}"], group[f"bmd_{site}_g_cm2"]
    slope, at_zero = np.polyfit(t_score, bmd, 1)
    away = (bmd - at_zero - slope * t_score).std(ddof=2)
    return (
        f"Printed {SITES[site]} T-scores of sex {sex}: BMD is {at_zero:.3f} g/cm2 at T = 0 and {slope:.3f} more for "
        f"each unit, give or take {away:.3f} (r = {np.corrcoef(t_score, bmd)[0, 1]:.3f})."
    )
