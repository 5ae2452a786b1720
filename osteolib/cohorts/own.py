"""A hospital's own folder: checked as a whole, every problem told at once, then a cohort like any other.

The folder holds images (PNG, JPEG, DICOM) and one table (CSV or XLSX). Its manifest ends in ``.local.yaml`` and is kept
out of version control, because file names may identify people.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.duplicates import join_groups, leave_out_cross_class, perceptual_hash, split_groups
from osteolib.cohorts.films import check_side, film_notes, measure_film, to_units
from osteolib.cohorts.image_names import image_ids, match_images
from osteolib.cohorts.manifest import Manifest, manifest_paths, parse_manifest
from osteolib.cohorts.own_copies import contradictions, describe_copies, with_groups
from osteolib.cohorts.own_people import COLUMNS, read_people, unused_columns
from osteolib.cohorts.own_polarity import as_stated, polarity_note
from osteolib.cohorts.plausible import doubts
from osteolib.radiograph.polarity import POLARITIES
from osteolib.runs.paths import file_sha256, write_atomic
from osteolib.stats.labels import RULES

IMAGES = {".png", ".jpg", ".jpeg", ".dcm"}
TABLES = {".csv", ".xlsx"}
STATED = ["side", "polarity"]  # what a table may say of a film
OTHER_TABLES = {".xls", ".xlsm", ".xlsb", ".ods", ".tsv", ".numbers", ".sav", ".dta"}


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
        saved = "".join(f"; save {p.name} as CSV or XLSX" for p in found if p.suffix.lower() in OTHER_TABLES)
        raise FolderProblems(folder, [*problems, f"one table (CSV or XLSX) is needed, found {names}{saved}"])
    table = {"file": tables[0].relative_to(folder).as_posix(), "headers": dict(columns or {})}
    images = [p.relative_to(folder).as_posix() for p in found if p.suffix.lower() in IMAGES]
    others = [p.relative_to(folder).as_posix() for p in found if p.suffix.lower() not in IMAGES]
    stated = {}
    try:
        people, wrong = read_people(folder, table, label_rule)
        image, unmatched = match_images(people.image, images, others) if "image" in people else (None, [])
        problems += wrong + unmatched
        if image is not None:
            rows = people.reindex(columns=STATED).astype(object).to_dict("records")
            stated = dict(zip(image, rows, strict=True))
    except ValueError as error:
        problems.append(str(error))
    seen, unreadable = read_images(folder, images, bone == "knee", stated)
    if problems := problems + unreadable:
        raise FolderProblems(folder, problems)

    try:
        files = [describe_file(folder, table["file"])]
        files += [describe_file(folder, image) | seen[image] for image in images]
    except OSError as error:
        gone = Path(error.filename).relative_to(folder).as_posix()
        problem = (
            f"{gone!r} could be read and cannot any more ({error.strerror}): is the folder being copied or cleared?"
        )
        raise FolderProblems(folder, [f"{problem} Add it again when it is at rest"]) from None
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
    films = read_films(manifest, folder)
    content = films.sha256
    films, mixed = leave_out_cross_class(films.assign(sha256=films.pop("pixels")), cross_class_duplicates)
    if films.empty:
        raise ValueError("no film is left: each is identical to one of another label; correct the table, or load the "
                         "cohort with cross_class_duplicates='keep'")  # fmt: skip
    films = films.assign(sha256=content)
    units = to_units(films, unit, knees).assign(bone=manifest.settings["bone"])
    options = {"unit": unit, "cross_class_duplicates": cross_class_duplicates}
    crossing = contradictions(films, "label")
    notes = [f"{len(crossing):,} films stand under more than one label, as copies or crops of one leg."]
    notes = (notes if crossing else []) + doubts(films) + polarity_note(films)
    return make_cohort(manifest, options, units, mixed, notes)


def describe(manifest: Manifest, folder: Path) -> str:
    """What a person who added a folder should know: columns not used, values that are strange, copies; lines of text.

    Raises
    ------
    ValueError
        The table has changed since and breaks a rule.
    """
    films, lines = read_films(manifest, folder), []
    if left := unused_columns(folder, manifest.table):
        lines.append(f"Columns that are not used: {', '.join(map(repr, left))}.")
    strange = [*doubts(films), *film_notes(films), *polarity_note(films)]
    return "\n".join([*lines, *(f"To be looked at: {doubt}" for doubt in strange), describe_copies(films)])


def read_films(manifest: Manifest, folder: Path) -> pd.DataFrame:
    """One row per film of an accepted folder: its row of the table, ``split_group`` and the groups of its copies.

    A split group holds the films of one subject, look-alikes, and all copies of a film. ``pixels`` is a hash of what
    the file shows, however it is stored. Where ``polarity`` is stated, ``path`` and ``sha256`` are those of a copy with
    bright bone.

    Raises
    ------
    ValueError
        The table has changed since and breaks a rule.
    """
    people, problems = read_people(folder, manifest.table, manifest.label_rule)
    images = pd.DataFrame([file for file in manifest.files if file.phash]).astype({"polarity": "str"})
    image, unmatched = match_images(people.image, images.path.tolist()) if "image" in people else (None, [])
    if problems := problems + unmatched:
        raise ValueError(f"{manifest.table['file']}: " + "\n".join(problems))
    told = images[["path", "sha256", "phash", "polarity"]]
    films = people.drop(columns="polarity", errors="ignore").assign(image=image)
    films = films.merge(told, left_on="image", right_on="path").drop(columns="image")
    films = films.assign(path=films.path.map(lambda path: str(folder / path)), image_id=image_ids(films.path))
    films = as_stated(films)
    films = with_groups(films, knees=manifest.settings["bone"] == "knee")
    group = join_groups(split_groups(films), films.source_group)
    return films.assign(split_group=films.groupby(group).image_id.transform("first").astype("str"))


def read_images(
    folder: Path, images: list[str], knees: bool, stated: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """What a manifest says of each image, and which are damaged, no radiographs, or not of one person's knees.

    ``stated`` has what the table says of some images (:data:`STATED`): a film of another side is among the problems,
    and what bone is on it goes to its ``phash`` and ``polarity``.
    """
    found, problems = {}, []
    for image in images:
        said = stated.get(image, {})
        polarity = said["polarity"] if said.get("polarity") in POLARITIES else None
        try:
            check_side(measure_film(folder / image, knees, polarity), said.get("side"))
            found[image] = {"phash": perceptual_hash(folder / image, polarity)}
            found[image] |= {"polarity": polarity} if polarity else {}
        except ValueError as error:
            problems.append(f"image {image!r} cannot be used: {error}")
    return found, problems


def describe_file(folder: Path, path: str) -> dict[str, str | int]:
    """A manifest's entry for one file."""
    return {"path": path, "sha256": file_sha256(folder / path), "bytes": (folder / path).stat().st_size}
