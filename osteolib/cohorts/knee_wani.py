"""``knee-wani``: 240 rows and 239 films of the Knee X-ray Osteoporosis Database, with its flaws handled in the open.

Source: Wani and Arora, Mendeley Data, DOI 10.17632/fxjm8fb6mw.2. It is the source of STR-Net's second stage.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.duplicates import leave_out_cross_class, split_groups
from osteolib.cohorts.films import to_units
from osteolib.cohorts.manifest import Manifest
from osteolib.cohorts.tables import read_table, tidy_table
from osteolib.stats.labels import label_from_t_score

CONTRADICTING = ("keep", "exclude")
FACTS = ("sex", "age_years", "height_m", "weight_kg", "t_score")
"""What two rows of one film must agree in; BMI follows from height and weight."""


def read(
    manifest: Manifest,
    folder: Path,
    *,
    unit: str = "knee",
    cross_class_duplicates: str = "exclude",
    contradicting_copies: str = "keep",
) -> Cohort:
    """Read the cohort from verified files.

    Parameters
    ----------
    unit
        ``"knee"``: a film of both legs gives two units, which share subject, label and T-score. ``"film"``: one each.
    cross_class_duplicates
        Byte-identical films filed under different classes: ``"exclude"`` all of them, or ``"keep"`` them.
    contradicting_copies
        Byte-identical films of one class whose rows differ in one of :data:`FACTS`: ``"keep"`` and flag them, since
        the class, the label of most models, is the same whichever row is right; or ``"exclude"`` all of them, for
        whatever asks sex, age or T-score of a film.

    Raises
    ------
    ValueError
        An option is unknown, or table and films break a rule.
    """
    options = {"unit": unit, "cross_class_duplicates": cross_class_duplicates}
    if contradicting_copies != "keep":  # the option came later: cohorts without it keep their fingerprint
        options["contradicting_copies"] = contradicting_copies
    people, dropped = read_people(manifest, folder)
    people, edits = set_implausible_missing(people, manifest.settings["plausible"])
    people = people.assign(bmi_kg_m2=people.weight_kg / people.height_m**2)
    films, without_film = match_films(people, manifest, folder)
    films["split_group"] = split_groups(films)
    films, mixed = leave_out_cross_class(films, cross_class_duplicates)
    films, disputed = handle_contradicting_copies(films, contradicting_copies)
    copies = films.duplicated("sha256", keep=False)
    subjects = to_units(films, unit).assign(bone="knee", view="AP", **manifest.settings["constants"])
    subjects["mask_boxes"] = subjects.image_id.map(manifest.settings.get("mask_boxes", {}))
    notes = (
        f"{dropped} rows without a patient id (maximum, minimum and mean of the columns) are not patients.",
        "The T-scores are from quantitative ultrasound of the heel (STR-Net, Section 2.1), not from DXA; "
        "the table itself gives the site as knee.",
        f"{int(copies.sum())} of the {len(films)} films used are byte-identical to another one of the same class.",
        "The label of a knee is the person's: the class follows the one T-score exactly, whichever knee is shown.",
    )
    return make_cohort(
        manifest, options, subjects, without_film + mixed + disputed + edits + contradictions(people), notes
    )


def read_people(manifest: Manifest, folder: Path) -> tuple[pd.DataFrame, int]:
    """The checked table, one row per patient, and the number of rows that are none.

    Raises
    ------
    ValueError
        A column is missing, a cell breaks its description, or a class is not the one its T-score gives.
    """
    name = manifest.table["file"]
    raw = read_table(folder / name, manifest.table.get("sheet"))
    people, problems = tidy_table(raw, manifest.table["columns"])
    if "subject_id" in people:
        patients = raw.index[people.subject_id.notna()]
        people, problems = tidy_table(raw.loc[patients], manifest.table["columns"])
    if not problems:
        rule = label_from_t_score(people.t_score, manifest.label_rule)
        problems = [
            f"row {row.Index}, {row.subject_id}: {row.label!r}, but T-score {row.t_score} means {rule[row.Index]!r}"
            for row in people[people.label != rule].itertuples()
        ]
    if problems:
        raise ValueError(f"{name}: " + "\n".join(problems))
    return people.reset_index(drop=True), len(raw) - len(people)


def set_implausible_missing(people: pd.DataFrame, plausible: dict[str, list[float]]) -> tuple[pd.DataFrame, list]:
    """Replace values outside a plausible range by missing ones; the person stays."""
    edits, people = [], people.copy()
    for column, (low, high) in plausible.items():
        wrong = people[column].notna() & ~people[column].between(low, high)
        edits += [
            (row.subject_id, "edited", f"{column} outside {low} to {high}", f"{getattr(row, column):g} set to missing")
            for row in people[wrong].itertuples()
        ]
        people.loc[wrong, column] = float("nan")
    return people, edits


def contradictions(people: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """What cannot be true, or not both; the rows are kept, since no one can tell which entry is the slip."""
    p, man = people, people.sex == "M"
    low = p.obesity.map({"under weight": 0, "normal weight": 18.5, "overweight": 25, "obese": 30})
    high = p.obesity.map({"under weight": 18.5, "normal weight": 25, "overweight": 30, "obese": 100})
    checks = {
        "a man with pregnancies": (man & (p.n_pregnancies > 0), ["n_pregnancies"]),
        "a man with a menopause": (man & p.menopause_age_years.notna(), ["menopause_age_years"]),
        "a man recorded as housewife": (man & (p.occupation == "housewife"), ["occupation"]),
        "menopause after the present age": (p.menopause_age_years > p.age_years, ["menopause_age_years", "age_years"]),
        "Z-score below the T-score by more than 1 before age 40": (
            (p.z_score < p.t_score - 1) & (p.age_years < 40),  # peers are still young adults
            ["z_score", "t_score", "age_years"],
        ),
        "weight class is not that of the BMI (WHO)": (
            ~p.bmi_kg_m2.round(1).between(low, high, inclusive="left") & p.obesity.notna(),
            ["obesity", "bmi_kg_m2"],
        ),
        "recorded BMI is not weight / height squared": (
            (p.bmi_recorded - p.bmi_kg_m2).abs() > 0.05,
            ["bmi_recorded", "bmi_kg_m2"],
        ),
    }
    return [
        (row.subject_id, "flagged", what, ", ".join(f"{fact} {row[fact]}" for fact in facts))
        for what, (wrong, facts) in checks.items()
        for _, row in p[wrong].round(2).iterrows()
    ]


def handle_contradicting_copies(films: pd.DataFrame, handling: str) -> tuple[pd.DataFrame, list]:
    """Flag, or leave out, byte-identical films of one class whose rows differ in one of :data:`FACTS`.

    Raises
    ------
    ValueError
        The handling is unknown.
    """
    if handling not in CONTRADICTING:
        raise ValueError(f"contradicting_copies must be one of {', '.join(CONTRADICTING)}, got {handling!r}")
    shown = films[list(FACTS)].map(lambda value: value if isinstance(value, str) else f"{value:.3g}")
    copies = films[films.groupby("sha256").label.transform("nunique").eq(1) & films.duplicated("sha256", keep=False)]
    action, rows, listed = ("excluded" if handling == "exclude" else "flagged"), [], []
    for _, group in copies.groupby("sha256", sort=False):
        if differ := [fact for fact in FACTS if group[fact].nunique(dropna=False) > 1]:
            said = "; ".join(f"{fact} {' / '.join(shown.loc[group.index, fact])}" for fact in differ)
            rows += group.index.tolist()
            detail = f"{' = '.join(group.image_id)}: {said}"
            listed += [(s, action, "film identical to one whose row says otherwise", detail) for s in group.subject_id]
    return (films.drop(rows) if handling == "exclude" else films), listed


def match_films(people: pd.DataFrame, manifest: Manifest, folder: Path) -> tuple[pd.DataFrame, list]:
    """Join patients and films by file name: a patient without film is left out, a film without patient is an error."""
    images = pd.DataFrame([file for file in manifest.files if file.path != manifest.table["file"]])
    stem = images.path.map(lambda path: Path(path).stem)
    images = images.assign(image_id=stem, folder=images.path.map(lambda path: Path(path).parent.name))
    problems = [f"film {path} has no row in the table" for path in images.path[~stem.isin(people.subject_id)]]
    problems += [f"films {', '.join(group.path)} belong to one patient id" for _, group in images.groupby("image_id")
                 if len(group) > 1]  # fmt: skip
    films = people.merge(images, left_on="subject_id", right_on="image_id", how="left")
    problems += [f"film {row.path} lies in the folder of another class than {row.label}, its row's"
                 for row in films[films.path.notna() & (films.folder != films.label)].itertuples()]  # fmt: skip
    if problems:
        raise ValueError(f"{manifest.name}: " + "\n".join(problems))
    without = films[films.path.isna()]
    films = films[films.path.notna()].drop(columns=["folder", "bytes"])
    films = films.assign(path=films.path.map(lambda path: str(folder / path)))
    return films, [(s, "excluded", "no film", "the table has a row, the folder no film") for s in without.subject_id]
