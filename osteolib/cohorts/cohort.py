"""One object whatever the source: verified subjects under fixed column names, and what was left out and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from osteolib.cohorts.manifest import Manifest
from osteolib.cohorts.tables import PLAIN_ID
from osteolib.runs.paths import digest
from osteolib.stats.labels import LABELS

TEXT, NUMBER = "str", "float64"
COLUMNS = {
    "subject_id": TEXT, "image_id": TEXT, "unit": TEXT, "unit_id": TEXT, "path": TEXT, "sex": TEXT, "age_years": NUMBER,
    "bmi_kg_m2": NUMBER, "t_score": NUMBER, "t_score_site": TEXT, "t_score_method": TEXT, "bmd_g_cm2": NUMBER,
    "label": TEXT, "bone": TEXT, "level": TEXT, "site": TEXT, "device": TEXT, "view": TEXT, "side": TEXT,
    "split_group": TEXT,
}  # fmt: skip
"""The columns every cohort has, in this order; further ones may follow. Names carry units."""

RANGES = {"age_years": (0, 120), "bmi_kg_m2": (8, 100), "t_score": (-8, 8), "bmd_g_cm2": (0.05, 3)}
"""Beyond these a value is a slip of the pen or another unit."""

WORDS = {
    "sex": ("F", "M"),
    "t_score_method": ("DXA", "QUS", "simulated"),
    "label": LABELS,
    "side": ("left", "right"),
}


@dataclass(frozen=True)
class Cohort:
    """Subjects of one data set.

    Attributes
    ----------
    subjects
        One row per unit (what a model scores) with :data:`COLUMNS` first. ``path`` is where the image lies on this
        machine: leave it out of what is published.
    exclusions
        ``subject_id, action, reason, detail``: each subject left out (``excluded``), each value replaced (``edited``),
        each contradiction that was kept (``flagged``).
    notes
        Sentences that a reader of any result on this cohort should know.
    fingerprint
        Hash of manifest, options and the verified content of the files.
    """

    name: str
    kind: str
    subjects: pd.DataFrame
    exclusions: pd.DataFrame
    notes: tuple[str, ...]
    fingerprint: str
    manifest: Manifest


def make_cohort(
    manifest: Manifest,
    options: dict[str, Any],
    subjects: pd.DataFrame,
    exclusions: Iterable[tuple[str, str, str, str]] = (),
    notes: Iterable[str] = (),
) -> Cohort:
    """Complete the columns, check them and name the result.

    Raises
    ------
    ValueError
        A value of ``subjects`` is outside the contract; the message names the unit.
    """
    subjects = subjects.assign(**{name: None for name in COLUMNS if name not in subjects})
    subjects = subjects[[*COLUMNS, *(c for c in subjects if c not in COLUMNS)]].astype(COLUMNS).reset_index(drop=True)
    check_subjects(subjects, manifest.name)
    files = {file.path: file.sha256 for file in manifest.files}
    fingerprint = digest({"manifest": manifest.content(), "options": options, "files": files})
    left_out = pd.DataFrame(list(exclusions), columns=["subject_id", "action", "reason", "detail"], dtype="str")
    return Cohort(manifest.name, manifest.kind, subjects, left_out, tuple(notes), fingerprint, manifest)


def check_subjects(subjects: pd.DataFrame, name: str) -> None:
    """Hold a table of subjects against the contract; ValueError naming unit, column and value."""
    import pandera.pandas as pa

    def column(name: str) -> pa.Column:
        checks = []
        if name in RANGES:
            checks = [pa.Check.in_range(*RANGES[name])]
        elif name in WORDS:
            checks = [pa.Check.isin(WORDS[name])]
        elif name in ("subject_id", "image_id", "unit_id", "split_group"):
            checks = [pa.Check.str_matches(f"^{PLAIN_ID}$")]
        filled = name in ("subject_id", "unit", "unit_id", "split_group")
        return pa.Column(COLUMNS[name], checks, nullable=not filled, unique=name == "unit_id")

    try:
        pa.DataFrameSchema({name: column(name) for name in COLUMNS}).validate(subjects, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.head(5)
        ids = subjects.unit_id.reindex(cases["index"]).to_numpy()
        listed = "; ".join(
            f"unit {unit!r}, {case.column}: {case.failure_case!r} fails {case.check}"
            for unit, case in zip(ids, cases.itertuples(), strict=True)
        )
        raise ValueError(f"{name}: {len(errors.failure_cases)} values break the contract: {listed}") from None


def flow(cohort: Cohort) -> pd.DataFrame:
    """How many subjects there were, how many each reason left out, how many remain: ``step`` and ``subjects``."""
    out = cohort.exclusions[cohort.exclusions.action == "excluded"]
    remaining = cohort.subjects.subject_id.nunique()
    steps = [("subjects in the table", remaining + len(out))]
    steps += [(f"left out: {reason}", -n) for reason, n in out.groupby("reason", sort=False).size().items()]
    return pd.DataFrame([*steps, ("subjects", remaining)], columns=["step", "subjects"])
