"""A hospital's own folder: checked as a whole, every problem told at once, then a cohort like any other.

The folder holds images (PNG, JPEG, DICOM) and one table (CSV or XLSX). Its manifest ends in ``.local.yaml`` and is kept
out of version control, because file names may identify people.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml

from osteolib.cohorts.cohort import RANGES, WORDS, Cohort, make_cohort
from osteolib.cohorts.duplicates import join_groups, leave_out_cross_class, perceptual_hash, split_groups
from osteolib.cohorts.films import measure_film, to_units
from osteolib.cohorts.manifest import Manifest, manifest_paths, parse_manifest
from osteolib.cohorts.own_copies import contradictions, with_groups
from osteolib.cohorts.tables import PLAIN_ID, read_table, tidy_table
from osteolib.runs.paths import file_sha256, write_atomic
from osteolib.stats.labels import LABELS, RULES, label_from_t_score

IMAGES = {".png", ".jpg", ".jpeg", ".dcm"}
TABLES = {".csv", ".xlsx"}
SEX = {"F": "F", "female": "F", "woman": "F", "M": "M", "male": "M", "man": "M"}
COLUMNS = {
    "subject_id": {"required": True, "plain": True},
    "image": {"required": True, "unique": True},
    "sex": {"values": SEX, "optional": True},
    **{name: {"range": limits, "optional": True} for name, limits in RANGES.items()},
    "t_score": {"range": (-8, 6), "optional": True},  # beyond lie misplaced decimal points and BMD in mg/cm2
    **{n: {"values": {w: w for w in WORDS[n]}, "optional": True} for n in ("label", "side", "t_score_method")},
    **{name: {"optional": True} for name in ("t_score_site", "level", "site", "device", "view")},
}
"""The columns a table may have; others are ignored. ``t_score`` or ``label`` must be among them."""


class FolderProblems(ValueError):
    """Everything that is wrong with a folder; ``problems`` has one line for each."""

    def __init__(self, folder: Path, problems: list[str]):
        self.problems = problems
        listed = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(problems, 1))
        super().__init__(f"{folder.name} cannot become a cohort yet, nothing was written:\n{listed}")


def add_folder(
    folder: Path | str,
    name: str,
    *,
    bone: str = "knee",
    label_rule: str = "who",
    columns: Mapping[str, str] | None = None,
) -> Path:
    """Check a folder of radiographs with its table and write its manifest.

    Parameters
    ----------
    folder
        Images, in subfolders or not, and one table with at least ``subject_id``, ``image`` (path below the folder) and
        ``t_score`` or ``label``; optionally ``sex``, ``age_years``, ``bmi_kg_m2`` and the rest of :data:`COLUMNS`.
    name
        What the cohort is to be called: lower-case letters, digits and hyphens.
    bone
        Which bone the films show. Films of knees are split into knees.
    columns
        Where the table has other headers: ``{"t_score": "T-Wert"}``.

    Returns
    -------
    The manifest, ``data_manifests/cohorts/<name>.local.yaml``.

    Raises
    ------
    FolderProblems
        Anything is wrong; all of it is listed, and nothing was written.
    """
    folder = Path(folder).resolve()
    public, local = manifest_paths(name)
    problems = []
    if not name.replace("-", "").isalnum() or name != name.lower() or not name.isascii():
        problems.append(f"the name {name!r} must be made of lower-case letters, digits and hyphens")
    elif public.exists():
        problems.append(f"the name {name!r} is taken by a cohort of the project: choose another")
    if label_rule not in RULES:
        problems.append(f"label rule {label_rule!r} is unknown: choose among {', '.join(RULES)}")
    if unknown := sorted(set(columns or {}) - set(COLUMNS)):
        problems.append(f"no column is called {', '.join(unknown)}: choose among {', '.join(COLUMNS)}")
    if not folder.is_dir():
        raise FolderProblems(folder, [*problems, "there is no such folder"])
    found = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith((".", "~$")))
    tables = [p for p in found if p.suffix.lower() in TABLES]
    if len(tables) != 1:
        names = ", ".join(p.name for p in tables) or "none"
        raise FolderProblems(folder, [*problems, f"one table (CSV or XLSX) is needed, found {names}"])
    table = {"file": tables[0].relative_to(folder).as_posix(), "headers": dict(columns or {})}
    images = [p.relative_to(folder).as_posix() for p in found if p.suffix.lower() in IMAGES]
    try:
        people, wrong = read_people(folder, table, label_rule)
        problems += wrong + (match_images(people.image, images) if "image" in people else [])
    except ValueError as error:
        problems.append(str(error))
    hashes, unreadable = read_images(folder, images, knees=bone == "knee")
    if problems := problems + unreadable:
        raise FolderProblems(folder, problems)

    files = [describe_file(folder, table["file"])] + [describe_file(folder, i) | {"phash": hashes[i]} for i in images]
    manifest = {
        "name": name, "title": f"Own folder {folder.name}", "kind": "real", "source": "own data, not public",
        "licence": "not for distribution", "citation": "none", "folder": str(folder), "reader": "own",
        "label_rule": label_rule, "settings": {"bone": bone}, "table": table, "files": files,
    }  # fmt: skip
    parse_manifest(manifest, local.name)
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000)
    return write_atomic(local, text)


def read(
    manifest: Manifest, folder: Path, *, unit: str | None = None, cross_class_duplicates: str = "exclude"
) -> Cohort:
    """Read a cohort that :func:`add_folder` accepted; ``unit`` is ``"knee"`` for knees and else ``"film"``.

    Beside the common columns: ``bytes_group, picture_group, source_group``, which copies of a film share.
    """
    knees = manifest.settings["bone"] == "knee"
    unit = unit or ("knee" if knees else "film")
    films, mixed = leave_out_cross_class(read_films(manifest, folder), cross_class_duplicates)
    units = to_units(films, unit, knees).assign(bone=manifest.settings["bone"])
    options = {"unit": unit, "cross_class_duplicates": cross_class_duplicates}
    crossing = contradictions(films, "label")
    notes = [f"{len(crossing):,} films stand under more than one label, as copies or crops of one leg."]
    return make_cohort(manifest, options, units, mixed, notes if crossing else ())


def read_films(manifest: Manifest, folder: Path) -> pd.DataFrame:
    """One row per film of an accepted folder: its row of the table, ``split_group`` and the groups of its copies.

    A split group holds the films of one subject, look-alikes, and all copies of a film.

    Raises
    ------
    ValueError
        The table has changed since and breaks a rule.
    """
    people, problems = read_people(folder, manifest.table, manifest.label_rule)
    if problems:
        raise ValueError(f"{manifest.table['file']}: " + "\n".join(problems))
    files = pd.DataFrame(manifest.files)[["path", "sha256", "phash"]]
    films = people.merge(files, left_on="image", right_on="path").drop(columns="image")
    films = films.assign(path=films.path.map(lambda path: str(folder / path)), image_id=image_ids(films.path))
    films = with_groups(films, knees=manifest.settings["bone"] == "knee")
    group = join_groups(split_groups(films), films.source_group)
    return films.assign(split_group=films.groupby(group).image_id.transform("first").astype("str"))


def read_people(folder: Path, table: dict, label_rule: str) -> tuple[pd.DataFrame, list[str]]:
    """The table under our names with a label for everybody, and its problems."""
    headers = table["headers"]
    columns = {name: about | {"column": headers.get(name, name)} for name, about in COLUMNS.items()}
    people, problems = tidy_table(read_table(folder / table["file"]), columns)
    if "t_score" not in people and "label" not in people:
        problems.append("a column 't_score' or 'label' is needed")
    if label_rule not in RULES:
        return people, problems
    by_rule = label_from_t_score(people.get("t_score", pd.Series(float("nan"), people.index)), label_rule)
    label = people.get("label", by_rule).fillna(by_rule)
    if not problems:  # else a cell that could not be read would be complained of twice
        problems += [f"row {row}: neither t_score nor label is given" for row in people.index[label.isna()]]
    other = by_rule.notna() & label.isin(LABELS) & (label != by_rule)
    problems += [f"row {row}: label {label[row]!r}, but T-score {people.t_score[row]:g} means {by_rule[row]!r} by the "
                 f"rule {label_rule!r}" for row in people.index[other]]  # fmt: skip
    if {"subject_id", "sex"} <= set(people):
        sexes = people[people.sex.isin(WORDS["sex"])].groupby("subject_id").sex.nunique()
        problems += [f"subject {subject!r} has rows of both sexes" for subject in sexes.index[sexes > 1]]
    return people.assign(label=label), problems


def match_images(stated: pd.Series, found: list[str]) -> list[str]:
    """Rows without their image, images without a row, and image names no id can be made of."""
    problems = [f"row {row}: there is no image {image!r} in the folder" for row, image in stated.dropna().items()
                if image not in found]  # fmt: skip
    problems += [f"image {image!r} has no row in the table" for image in found if image not in set(stated)]
    ids = image_ids(pd.Series(found, dtype="str"))
    problems += [f"image {image!r}: the name may hold letters, digits, spaces and . : + - _ only"
                 for image, plain in zip(found, ids.str.fullmatch(PLAIN_ID), strict=True) if not plain]  # fmt: skip
    problems += [f"image {image!r} has the same name as another" for image, twin in
                 zip(found, ids.duplicated(keep=False), strict=True) if twin]  # fmt: skip
    return problems


def image_ids(paths: pd.Series) -> pd.Series:
    """Identifier of each image: its path below the folder without ending, folders joined by a dot."""
    return paths.map(lambda path: ".".join(Path(path).with_suffix("").parts)).astype("str")


def read_images(folder: Path, images: list[str], knees: bool) -> tuple[dict[str, str], list[str]]:
    """Perceptual hash of each image, and which images are damaged, no radiographs, or not of one person's knees."""
    hashes, problems = {}, []
    for image in images:
        try:
            measure_film(folder / image, knees)
            hashes[image] = perceptual_hash(folder / image)
        except ValueError as error:
            problems.append(f"image {image!r} cannot be used: {error}")
    return hashes, problems


def describe_file(folder: Path, path: str) -> dict[str, str | int]:
    """A manifest's entry for one file."""
    return {"path": path, "sha256": file_sha256(folder / path), "bytes": (folder / path).stat().st_size}
