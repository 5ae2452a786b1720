"""Are the files of a cohort here, and are they the ones its manifest describes?

They are never part of the project: they are found through the environment variable ``OSTEO_DATA`` and recognised by
their sha256.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from osteolib.cohorts.duplicates import same_perceptual_hash
from osteolib.cohorts.manifest import Manifest, load_manifest
from osteolib.runs.paths import ROOT, file_sha256


class DataNotFound(FileNotFoundError):
    """The files of a cohort are not here; the message says which, where they come from and what to do."""


@dataclass(frozen=True)
class Verification:
    """``files`` has one row per file: ``file`` and ``state`` (ok, missing, changed or extra)."""

    name: str
    files: pd.DataFrame

    @property
    def ok(self) -> bool:
        """Every file of the manifest is there unchanged; files beyond it do no harm."""
        return not self.files.state.isin(["missing", "changed"]).any()

    def __str__(self) -> str:
        counts = self.files.state.value_counts()
        lines = [f"{self.name}: " + ", ".join(f"{counts.get(s, 0)} {s}" for s in ("ok", "missing", "changed", "extra"))]
        lines += [f"  {row.state:<8} {row.file}" for row in self.files[self.files.state != "ok"].itertuples()]
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
    if folder and any((folder / file.path).is_file() for file in manifest.files):
        return folder
    where = manifest.folder if Path(manifest.folder).is_absolute() else f"$OSTEO_DATA/{manifest.folder}"
    if not manifest.files:
        remedy = f"No file list is known for it yet. {manifest.what_would_run}"
    elif folder is None:
        remedy = "Set the environment variable OSTEO_DATA to the folder that holds the data sets."
    else:
        first = manifest.files[0].path
        remedy = f"Unpack it so that {where}/{first} exists, then run `osteolib data verify {manifest.name}`."
    raise DataNotFound(
        f"The data of {manifest.name} are not here: {manifest.title}. Source: {manifest.source} "
        f"(licence: {manifest.licence}). {remedy}"
    )


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
    rows = []
    for file in manifest.files:
        path = folder / file.path
        state = "missing"
        if path.is_file():
            same = path.stat().st_size == file.bytes and file_sha256(path) == file.sha256
            state = "ok" if same and (not deep or same_perceptual_hash(path, file.phash)) else "changed"
        rows.append((file.path, state))
    known = {file.path for file in manifest.files}
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    rows += [(path, "extra") for path in found if path not in known and not Path(path).name.startswith(".")]
    return Verification(manifest.name, pd.DataFrame(rows, columns=["file", "state"]))


def state(name: str) -> str:
    """``present`` (every file as it should be), ``absent``, ``damaged`` (some missing or changed), ``made here``."""
    if load_manifest(name).kind == "phantom":
        return "made here"
    try:
        return "present" if verify(name).ok else "damaged"
    except DataNotFound:
        return "absent"
