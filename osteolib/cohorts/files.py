"""Are the files of a cohort here, and are they the ones its manifest describes?

They are never part of the project: they are found through the environment variable ``OSTEO_DATA`` and recognised by
their sha256. A reduced copy that the manifest lists counts, and is called one.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from osteolib.cohorts.duplicates import same_perceptual_hash
from osteolib.cohorts.manifest import DataFile, Manifest, load_manifest
from osteolib.runs.paths import ROOT, file_sha256

STATES = ("ok", "copy", "unseen", "missing", "changed", "moved", "extra")
"""``copy``: a reduced copy that the manifest lists. ``unseen``: there, but no content is stated to compare it with.
``moved``: a missing file's name, in another folder."""

USABLE = ("ok", "copy", "unseen")

SHOWN = 50  # files that a report names of each state


class DataNotFound(FileNotFoundError):
    """The files of a cohort are not here; the message says which, where they come from and what to do."""


@dataclass(frozen=True)
class Verification:
    """``files`` has one row per file, ``file`` and ``state``: a word of :data:`STATES`.

    ``present`` are the files that can be used, each as it lies there; ``partial`` says that any part of them will do.
    """

    name: str
    files: pd.DataFrame
    present: tuple[DataFile, ...] = ()
    partial: bool = False

    @property
    def ok(self) -> bool:
        """Nothing is changed or moved, and nothing missing that is needed; files beyond the manifest do no harm."""
        wrong = ["changed", "moved"] if self.partial else ["changed", "moved", "missing"]
        return not self.files.state.isin(wrong).any()

    def __str__(self) -> str:
        counts = self.files.state.value_counts()
        always = ("ok", "missing", "changed", "extra")
        lines = [f"{self.name}: " + ", ".join(f"{counts.get(s, 0)} {s}" for s in STATES if s in always or s in counts)]
        for state in STATES[1:]:
            named = self.files.file[self.files.state == state].tolist()
            lines += [f"  {state:<8} {file}" for file in named[:SHOWN]]
            lines += [f"  {state:<8} and {len(named) - SHOWN} more"] if len(named) > SHOWN else []
        return "\n".join(lines)


def data_folder(manifest: Manifest) -> Path | None:
    """Where the files should lie; ``None`` where ``OSTEO_DATA`` is not set."""
    if Path(manifest.folder).is_absolute():
        return Path(manifest.folder)
    data = os.environ.get("OSTEO_DATA")
    return ROOT / data / manifest.folder if data else None  # a relative OSTEO_DATA hangs on the project folder


def find_data(manifest: Manifest) -> Path:
    """The folder that holds the cohort's files.

    Raises
    ------
    DataNotFound
        None of the files is there, or the manifest describes data that nobody here has.
    """
    folder = data_folder(manifest)
    if folder and any((folder / path).is_file() for file in manifest.files for path in _paths(file)):
        return folder
    where = manifest.folder if Path(manifest.folder).is_absolute() else f"$OSTEO_DATA/{manifest.folder}"
    if manifest.reader == "own":
        remedy = f"If the folder was moved, run {add_again(manifest, 'FOLDER')} with the folder where it is now."
    elif not manifest.files:
        remedy = f"No file list is known for it yet. {manifest.what_would_run}"
    elif folder is None:
        remedy = "Set the environment variable OSTEO_DATA to the folder that holds the data sets."
    else:
        first = manifest.files[0].path
        remedy = f"Unpack it so that {where}/{first} exists, then run `osteolib data verify {manifest.name}`."
        places = {Path(path).name: Path(path).parent for file in manifest.files for path in _paths(file)}
        if moved := sorted(p for p in folder.rglob("*") if p.is_file() and p.name in places):
            there, meant = moved[0].relative_to(folder).as_posix(), places[moved[0].name] / moved[0].name
            remedy += f" {there} is there: it should be {meant.as_posix()}, so rename or move its folder."
    raise DataNotFound(
        f"The data of {manifest.name} are not here: {manifest.title}. Source: {manifest.source} "
        f"(licence: {manifest.licence}). {remedy}"
    )


def add_again(manifest: Manifest, folder: str = "") -> str:
    """What to run so that the own folder of a manifest becomes the cohort anew, as it is now."""
    folder, bone, rule = folder or manifest.folder, manifest.settings["bone"], manifest.label_rule
    if headers := manifest.table.get("headers"):
        options = f"bone={bone!r}, label_rule={rule!r}, columns={headers!r}"
        return f"in Python `osteolib.cohorts.add_folder({folder!r}, {manifest.name!r}, {options})`"
    words = ["osteolib", "data", "add", folder, "--name", manifest.name, "--bone", bone, "--label-rule", rule]
    return f"`{shlex.join(words)}`"


def how_to_mend(manifest: Manifest, report: Verification) -> str:
    """The files of a cohort are not those of its manifest: which they are, and what to do."""
    if manifest.reader == "own":
        return (f"the files of {manifest.name} are not as they were when it was added: put back what was changed, or, "
                f"if they are right as they are, run {add_again(manifest)}\n{report}")  # fmt: skip
    return (f"the files of {manifest.name} are damaged: put back what was moved, get the others anew from "
            f"{manifest.source}\n{report}")  # fmt: skip


def verify(name: str, deep: bool = False) -> Verification:
    """Compare the files of a cohort with its manifest by sha256, with ``deep`` also the perceptual hashes.

    Raises
    ------
    DataNotFound
        There is no file to compare.
    """
    manifest = load_manifest(name)
    return verify_files(manifest, find_data(manifest), deep)


def verify_files(manifest: Manifest, folder: Path, deep: bool = False) -> Verification:
    """Compare ``folder`` with a manifest; see :func:`verify`."""
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")}
    rows, present = [], []
    for file in manifest.files:
        state, here = _find(file, folder, found, deep)
        rows.append((here.path, state))
        present += [here] if state in USABLE else []
    gone = {path for path, state in rows if state == "missing"}
    names = {Path(path).name for file in manifest.files if file.path in gone for path in _paths(file)}
    for path in sorted(found - {path for path, _ in rows}):  # a copy beside its original is one file too many, too
        rows.append((path, "moved" if manifest.partial and Path(path).name in names else "extra"))
    return Verification(manifest.name, pd.DataFrame(rows, columns=["file", "state"]), tuple(present), manifest.partial)


def _paths(file: DataFile) -> tuple[str, ...]:
    return (file.path, file.copy.path) if file.copy else (file.path,)


def _find(file: DataFile, folder: Path, found: set[str], deep: bool) -> tuple[str, DataFile]:
    """State of one file, and the file that has it: the original, or else its reduced copy."""
    candidates = [f for f in (file, file.copy) if f and f.path in found]
    for one in candidates:
        path = folder / one.path
        if not one.sha256:
            return "unseen", DataFile(one.path, file_sha256(path), path.stat().st_size)
        same = path.stat().st_size == one.bytes and file_sha256(path) == one.sha256
        if same and (not deep or same_perceptual_hash(path, one.phash, one.polarity)):
            return "ok" if one is file else "copy", one
    return ("changed", candidates[0]) if candidates else ("missing", file)


def state(name: str) -> str:
    """``present`` (every file as it should be), ``absent``, ``damaged`` (some missing or changed), ``made here``.

    Of a set any part of which will do, how many files are there: ``1727/1947``.
    """
    if load_manifest(name).kind == "phantom":
        return "made here"
    try:
        report = verify(name)
    except DataNotFound:
        return "absent"
    if not report.ok:
        return "damaged"
    listed = len(load_manifest(name).files)
    return "present" if len(report.present) == listed else f"{len(report.present)}/{listed}"
