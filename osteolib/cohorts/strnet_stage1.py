"""``strnet-stage1``: the public multi-class knee set of 1,947 files that STR-Net's larger stage comes from.

Any part of it, as originals or as reduced copies, makes a cohort. Its files are not as many radiographs: how they hang
together is found from their pixels (:mod:`osteolib.cohorts.pictures`), and no split may tear a source film apart.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.films import to_units
from osteolib.cohorts.manifest import Manifest, load_manifest
from osteolib.cohorts.pictures import group_files
from osteolib.runs.paths import ROOT

LIST = ROOT / "data_manifests" / "cohorts" / "strnet-stage1.csv"
LINKED = "knee-wani"  # the set whose films stand in this one, with a person and a T-score each


def read(manifest: Manifest, folder: Path, *, unit: str = "knee") -> Cohort:
    """Read the cohort from the files that are there.

    Parameters
    ----------
    unit
        ``"knee"``: a film of both legs gives two units, as in STR-Net's Fig. 1. ``"film"``: one each.

    Returns
    -------
    Beside the common columns: ``file`` (as listed), ``bytes_group, picture_group, source_group`` (``split_group`` is
    the last), ``original_width, original_height, original_bytes, original_format`` (of the original, also where a
    reduced copy is read), ``wani_id`` and ``wani_label``, the film of ``knee-wani`` that the source film is and the
    class of its T-score, where it is one; ``wani_names``, how many of that set's films it is; ``wani_file``, whether
    the file has the bytes of one.

    Raises
    ------
    ValueError
        The unit is unknown, or a film shows no leg or more than two.
    """
    listed = file_list()
    here = pd.DataFrame([(file.path, file.sha256) for file in manifest.files], columns=["path", "sha256"])
    films = here.assign(stem=here["path"].map(_stem)).merge(listed, on="stem", how="left", suffixes=("", "_listed"))
    known = films["sha256_listed"].str.len() == 64
    films = films.assign(
        file=films["path_listed"],
        label=films["path_listed"].map(lambda path: path.split("/")[0]),
        image_id=films["path_listed"].map(lambda path: Path(path).stem),
        path=films["path"].map(lambda path: str(folder / path)),
        same_as=films["sha256_listed"].where(known, films["sha256"]),
        original_format=films["path_listed"].map(lambda path: Path(path).suffix),
    ).rename(columns={"width": "original_width", "height": "original_height", "bytes": "original_bytes"})
    films, _, _ = group_files(films)
    films = films.assign(subject_id=films["source_group"], split_group=films["source_group"])  # nobody is named
    films = films.assign(**linked_films(films))
    kept = ["image_id", "path", "sha256", "label", "subject_id", "split_group", "file", "bytes_group", "picture_group",
            "source_group", "original_width", "original_height", "original_bytes", "original_format", "wani_id",
            "wani_label", "wani_names", "wani_file"]  # fmt: skip
    units = to_units(films[kept], unit).assign(bone="knee", view="AP")
    copies = int((known & (films["sha256"] != films["same_as"])).sum())
    return make_cohort(manifest, {"unit": unit}, units, notes=notes_on(films, len(listed), copies, int((~known).sum())))


def file_list() -> pd.DataFrame:
    """Every file of the set as the manifest lists it, with what is known of the originals.

    Returns
    -------
    ``path, sha256`` (empty where nobody here has seen the file), ``bytes, width, height`` of the original, ``in_372``
    (whether it is one of a public set of 372), ``split_42`` (a public random split), ``near_group, source_group`` (the
    groups as another count found them), ``stem`` (path without ending).
    """
    listed = pd.read_csv(LIST, dtype={"sha256": str}, keep_default_na=True)
    return listed.assign(sha256=listed["sha256"].fillna(""), stem=listed["path"].map(_stem))


def linked_films(films: pd.DataFrame) -> dict[str, pd.Series]:
    """The film of ``knee-wani`` that each source film is, by the bytes of the original, and the class of its T-score.

    Several where a group holds copies of one film under several names: then the first whose class all agree on; a group
    whose films carry two classes has an id and no class.
    """
    wani = pd.DataFrame(
        [(f.sha256, f.path) for f in load_manifest(LINKED).files if f.phash], columns=["same_as", "film"]
    )
    met = films[["same_as", "source_group"]].merge(wani, on="same_as").sort_values("film")
    met = met.assign(wani_id=met["film"].map(lambda path: Path(path).stem), label=met["film"].str.split("/").str[-2])
    by_source = met.groupby("source_group")
    one_class = by_source["label"].first().where(by_source["label"].nunique() == 1)
    source = films["source_group"]
    return {
        "wani_id": source.map(by_source["wani_id"].first()),
        "wani_label": source.map(one_class),
        "wani_names": source.map(by_source["wani_id"].nunique()).fillna(0).astype(int),
        "wani_file": films["same_as"].isin(wani["same_as"]),
    }


def notes_on(films: pd.DataFrame, listed: int, copies: int, unseen: int) -> list[str]:
    """What a reader of any result on this cohort should know."""
    missing = listed - len(films)
    numbers = [films[f"{grade}_group"].nunique() for grade in ("bytes", "picture", "source")]
    crossing = films.groupby("source_group")["label"].transform("nunique") > 1
    notes = [
        f"{len(films):,} of the {listed:,} listed files are here; {missing} are missing"
        + (f" ({', '.join(_missing(films))})." if missing else "."),
        "They are {:,} byte strings, {:,} pictures and {:,} source films.".format(*numbers),
        f"{int(crossing.sum()):,} files show a source film that also stands under another class.",
        "Labels are folder names. No person is named: a source film stands for one, and two films of one person count "
        "as two.",
    ]
    if copies:
        notes.append(f"{copies:,} files are reduced copies (greyscale, longer side at most 640 pixels), not originals.")
    if unseen:
        notes.append(f"The content of {unseen} files could not be verified: the manifest knows their names only.")
    if absent := sorted({"normal", "osteopenia", "osteoporosis"} - set(films["label"])):
        notes.append(f"No file of {' and '.join(absent)} is here: what compares with that class cannot be answered.")
    return notes


def _missing(films: pd.DataFrame) -> list[str]:
    listed = file_list()
    gone = listed[~listed["path"].isin(films["file"])]
    return [f"{label} {n}" for label, n in gone["path"].str.split("/").str[0].value_counts(sort=False).items()]


def _stem(path: str) -> str:
    return str(Path(path).with_suffix(""))
