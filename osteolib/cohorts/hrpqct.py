"""``hrpqct-phantoms``: readings of density phantoms of one kind (QC1) on 13 HR-pQCT machines."""

from __future__ import annotations

from pathlib import Path

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.manifest import Manifest
from osteolib.cohorts.tables import tidy_file


def read(manifest: Manifest, folder: Path) -> Cohort:
    """Read the cohort from its verified table; one row per reading, the phantom in place of a person.

    Returns
    -------
    Beside the usual columns ``mg_cm3``, what the machine at ``site`` read of ``insert`` 1 to 5 at the ``visit`` in
    month 0, 6 or 12, ``years`` after the site's first. ``device`` is the generation of the machine. No T-score and no
    label.

    Raises
    ------
    ValueError
        A column is missing or a cell lies outside its range.
    """
    readings = tidy_file(folder, manifest.table)
    first = readings.groupby("site")["day"].transform("min")
    readings = readings.assign(
        years=(readings.pop("day") - first) / 365.25, insert=readings["insert"].astype(int),
        visit=readings["visit"].astype(int), subject_id="QC1", split_group="QC1", unit="reading",
        unit_id=[f"row-{row}" for row in readings.index],
    )  # fmt: skip
    notes = (
        "Objects of plastic and hydroxyapatite, read on machines for wrist and shin: no person and no DXA.",
        "Whether one specimen went to all sites or each has its own is not said.",
    )
    return make_cohort(manifest, {}, readings, notes=notes)
