"""``nhanes-dxa``: people of NHANES 2007-2018 with a DXA of the hip; T-scores recomputed from BMD, reference named.

A T-score is a distance from a reference: T = (BMD - mean) / SD of young adults. The reference stands in the manifest
with its source: young white women for everybody, as the WHO and the ISCD advise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.hip_dxa import SITES, by_lower_site
from osteolib.cohorts.manifest import Manifest
from osteolib.cohorts.tables import tidy_file


def read(manifest: Manifest, folder: Path, *, min_age_years: float = 0) -> Cohort:
    """Read the cohort from its verified table; one unit, a hip, per person.

    ``t_score_neck``, ``t_score_total_hip`` and ``t_score_spine`` (missing where not scanned) are recomputed from
    ``bmd_neck_g_cm2``, ``bmd_total_hip_g_cm2`` and ``bmd_spine_g_cm2``. ``t_score``, ``bmd_g_cm2`` and the label are
    those of the hip site with the lower T-score.

    Parameters
    ----------
    min_age_years
        Younger people are left out. T-scores are not meant for those under 20, whom the reference does not cover.

    Raises
    ------
    ValueError
        A column is missing or a cell lies outside its range.
    """
    people = tidy_file(folder, manifest.table)
    for site in SITES:
        reference = manifest.settings["reference"][site]
        t_score = (people[f"bmd_{site}_g_cm2"] - reference["mean"]) / reference["sd"]
        people[f"t_score_{site}"] = t_score.round(6)  # so that a BMD of exactly mean - 2.5 SD has T = -2.5
    people = by_lower_site(people, manifest.label_rule)
    people["device"] = people.cycle.map(manifest.settings["devices"])

    young = people.age_years < min_age_years
    exclusions = [(s, "excluded", f"younger than {min_age_years:g} years", "") for s in people.subject_id[young]]
    notes = [f"{site}: {about['note']}" for site, about in manifest.settings["reference"].items()]
    notes += [
        reference_used(people, sex, f"bmd_{site}_g_cm2", f"t_score_{site}_extract")
        for sex in ("M", "F")
        for site in ("neck", "total_hip")
    ]
    notes.append(
        f"{int((people.age_years < 20).sum())} of {len(people)} people are younger than 20, for whom T-scores are not "
        f"meant; ages stop at {people.age_years.max():g}, the top code. Rows are not weighted to the population."
    )
    options = {"min_age_years": min_age_years}
    return make_cohort(manifest, options, people[~young], exclusions, notes)


def reference_used(people: pd.DataFrame, sex: str, bmd: str, t_score: str) -> str:
    """Which mean and SD the author of the extract used for one sex and site, and how far that moves the T-score.

    BMD = mean + SD * T is a line: its intercept and slope are the reference, its residual says whether there is one.
    """
    group = people[people.sex == sex]
    sd, mean = np.polyfit(group[t_score], group[bmd], 1)
    residual = np.abs(mean + sd * group[t_score] - group[bmd]).max()
    shift = (group[t_score.removesuffix("_extract")] - group[t_score]).mean()
    site = SITES[t_score.removeprefix("t_score_").removesuffix("_extract")]
    return (
        f"The extract's own {site} T-scores of sex {sex} follow "
        f"mean {mean:.3f} and SD {sd:.3f} g/cm2 (largest residual {residual:.0e}); "
        f"the recomputed ones differ from them by {shift:+.2f} on average."
    )
