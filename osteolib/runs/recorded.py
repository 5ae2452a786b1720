"""Recorded runs: results of runs too long for the book, kept in the project with all that is needed to judge them.

A *cell* is declared in ``data_manifests/recorded/cells.yaml``: a job, a profile, options. :func:`make_record` runs it
once and writes ``data_manifests/recorded/<cell>/``: ``predictions.csv``, ``history.csv``, ``results.csv`` and, last,
``run.json`` with configuration, cohort, code, versions, machine, the hours of the last process and the SHA-256 of the
other three. A record is never edited: one whose files differ from their hashes is refused. A job that fails leaves
``failed.json`` with the error, which pages show until the cell is recorded.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from osteolib.runs.fingerprint import BOOKKEEPING, fingerprint
from osteolib.runs.parameters import load_profile
from osteolib.runs.paths import ROOT, file_sha256, write_atomic

if TYPE_CHECKING:
    import pandas as pd

RECORDED = ROOT / "data_manifests" / "recorded"
TABLES = ("predictions", "history", "results")
READERS = ("osteolib.cohorts", "osteolib.radiograph.dicom", "osteolib.radiograph.dicom_shown",
           "osteolib.radiograph.dicom_values", "osteolib.radiograph.film", "osteolib.radiograph.hanging",
           "osteolib.radiograph.images", "osteolib.radiograph.io", "osteolib.radiograph.legs",
           "osteolib.radiograph.markers", "osteolib.radiograph.polarity", "osteolib.radiograph.preprocess")  # fmt: skip
"""Code that brings units and pixels from outside. It does not make a record stale: what it brings does, which a record
keeps as ``given`` and a test compares where the data are."""
FAILED = "failed.json"
VERSIONS = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "torchvision")


@dataclass(frozen=True)
class Cell:
    """One declared run.

    ``job`` is a dotted function of the package, called as ``job(profile values, **options)``; its module names in
    ``MODULES[function]`` whose code the predictions depend on and, where units come from outside, has in
    ``GIVEN[function]`` a function of the same arguments that tells what the job is given. ``grid`` names the
    Snakemake target that the cell belongs to besides ``record``.
    """

    name: str
    what: str
    job: str
    profile: str
    options: Mapping[str, Any]
    hours: float
    grid: str = ""


@dataclass(frozen=True)
class Recording:
    """What a job returns.

    Attributes
    ----------
    predictions
        The columns of the contract (:data:`osteolib.runs.run.PREDICTION_COLUMNS`) and ``split_group``, which
        intervals resample.
    history
        One row per epoch of each training.
    results
        ``method, target, split, metric, value, ci_low, ci_high, n, n_groups``: computed from ``predictions`` alone.
    cohorts
        ``{"kind": ..., "fingerprint": ...}`` by name.
    configuration
        What the profile and the options came to, and what a reader needs to judge the results.
    """

    predictions: pd.DataFrame
    history: pd.DataFrame
    results: pd.DataFrame
    cohorts: Mapping[str, Mapping[str, str]]
    configuration: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """A recorded cell as it lies in the project; ``stale`` says that its code or declaration has changed since."""

    cell: Cell
    predictions: pd.DataFrame
    history: pd.DataFrame
    results: pd.DataFrame
    run: Mapping[str, Any]
    stale: bool


def list_cells(folder: Path = RECORDED) -> dict[str, Cell]:
    """Every declared cell by name.

    Raises
    ------
    ValueError
        An entry of ``cells.yaml`` lacks a field or has one too many; it is named.
    """
    content = yaml.safe_load((folder / "cells.yaml").read_text(encoding="utf-8"))
    cells = {}
    for name, entry in content.items():
        try:
            cells[name] = Cell(name, **entry)
        except TypeError as error:
            raise ValueError(f"cells.yaml, {name}: {str(error).removeprefix('Cell.__init__() ')}") from None
        if not cells[name].job.startswith("osteolib."):
            raise ValueError(f"cells.yaml, {name}: job must name a function of osteolib, got {cells[name].job!r}")
    return cells


def find_cell(name: str, folder: Path = RECORDED) -> Cell:
    """One declared cell; ValueError naming the nearest where there is none of that name."""
    cells = list_cells(folder)
    if name not in cells:
        near = difflib.get_close_matches(name, cells, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(cells)}"
        raise ValueError(f"no recorded cell {name!r}: {hint} (data_manifests/recorded/cells.yaml)")
    return cells[name]


def make_record(name: str, folder: Path = RECORDED) -> Path:
    """Run a cell and write its record; a record that is there is left as it is. Returns its ``run.json``.

    A run that is cut off has written nothing here: what it had trained lies in the artefact store, and the next goes
    on from there. One that fails writes down its error and passes it on.
    """
    cell = find_cell(name, folder)
    last = folder / name / "run.json"
    if last.is_file():
        return last
    module, _, function = cell.job.rpartition(".")
    home = import_module(module)
    job: Callable[..., Recording] = getattr(home, function)
    began, started = time.monotonic(), datetime.now(UTC)
    modules = list(home.MODULES[function])
    code = _code(modules)
    sizes = _Noted(load_profile(cell.profile))
    try:
        recording = job(sizes, **cell.options)
        given = home.GIVEN[function](sizes, **cell.options) if function in home.GIVEN else {}
    except Exception as error:
        said = f"{type(error).__name__}: {str(error).replace(str(ROOT), '.')}"
        about = {"error": said, "date": f"{started:%Y-%m-%d}", "machine": machine()}
        write_atomic(folder / name / FAILED, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
        raise
    files = {f"{table}.csv": _csv(getattr(recording, table)) for table in TABLES}
    run = {
        "cell": name,
        "what": cell.what,
        "job": cell.job,
        "profile": cell.profile,
        "options": dict(cell.options),
        "sizes": {name: sizes[name] for name in sorted(sizes.used)},
        "configuration": dict(recording.configuration),
        "cohorts": dict(recording.cohorts),
        "modules": modules,
        "code": code,
        "given": given,
        "versions": {package: version(package) for package in VERSIONS} | {"python": platform.python_version()},
        "machine": machine(),
        "date": f"{started:%Y-%m-%d}",
        "hours": round((time.monotonic() - began) / 3600, 2),
        "files": {file: hashlib.sha256(text.encode()).hexdigest() for file, text in files.items()},
    }
    for file, text in files.items():
        write_atomic(folder / name / file, text)
    (folder / name / FAILED).unlink(missing_ok=True)
    return write_atomic(last, json.dumps(run, indent=1, ensure_ascii=False) + "\n")  # last: it makes the record count


def read_record(name: str, folder: Path = RECORDED) -> Record | None:
    """A cell's record, or None where it has not been run yet.

    Raises
    ------
    ValueError
        There is no such cell, or a file of the record is not what was written.
    """
    import pandas as pd

    cell = find_cell(name, folder)
    if not (folder / name / "run.json").is_file():
        return None
    run = json.loads((folder / name / "run.json").read_text(encoding="utf-8"))
    tables = {}
    for file, expected in run["files"].items():
        path = folder / name / file
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != expected:
            state = "was edited" if content else "is missing"
            raise ValueError(
                f"recorded/{name}/{file} {state}: a record is never edited. Take it back from version control, or "
                f"remove the folder and run `make record CELL={name}`"
            )
        tables[file.removesuffix(".csv")] = pd.read_csv(io.BytesIO(content))
    return Record(cell, **tables, run=run, stale=_is_stale(cell, run))


def record_hash(name: str, folder: Path = RECORDED) -> str:
    """Changes when a cell is recorded or fails, or when the code of its record changes; empty where it was not run."""
    cell = find_cell(name, folder)
    path = folder / name / "run.json"
    if not path.is_file():
        return file_sha256(folder / name / FAILED)[:16] if (folder / name / FAILED).is_file() else ""
    run = json.loads(path.read_text(encoding="utf-8"))
    return f"{file_sha256(path)[:16]}{' stale' * _is_stale(cell, run)}"


def state_of(name: str, folder: Path = RECORDED) -> str:
    """In words: not recorded yet, failed and how, recorded, recorded by other code than today's, or damaged."""
    try:
        record = read_record(name, folder)
    except ValueError:
        return "damaged"
    if record is None and (folder / name / FAILED).is_file():
        about = json.loads((folder / name / FAILED).read_text(encoding="utf-8"))
        return f"failed on {about['date']}: {about['error'].splitlines()[0]}"
    if record is None:
        return "not recorded yet"
    return "recorded by other code" if record.stale else "recorded"


def machine() -> str:
    """Processor or accelerator and what it computes in, in words."""
    import torch

    if torch.accelerator.is_available():
        return (
            torch.cuda.get_device_name(0) if torch.cuda.is_available() else str(torch.accelerator.current_accelerator())
        )
    able = torch.cpu.get_capabilities()
    bf16 = "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "no bf16"
    return f"CPU, {os.cpu_count()} cores, {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {bf16}"


class _Noted(dict):
    """Values of a profile, and which of them were asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.used.add(name)
        return super().__getitem__(name)


def _is_stale(cell: Cell, run: Mapping[str, Any]) -> bool:
    """Whether the declaration, a size that the job asked for, or the code is no longer what made the record."""
    if (run["job"], run["profile"], run["options"]) != (cell.job, cell.profile, dict(cell.options)):
        return True
    today = load_profile(cell.profile)
    if any(today.get(name) != value for name, value in run.get("sizes", {}).items()):
        return True
    try:
        return _code(run["modules"]) != run["code"]
    except ValueError:  # a module is gone
        return True


def _code(modules: list[str]) -> str:
    return fingerprint(modules, (*BOOKKEEPING, *READERS))


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, float_format="%.8g", lineterminator="\n")


if __name__ == "__main__":
    import sys

    print(make_record(sys.argv[1]).relative_to(ROOT))
