"""A run: one execution of a notebook with checked parameters, and the folder its results go to."""

from __future__ import annotations

import json
import os
import platform
import random
import sys
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteolib.runs.csv_text import csv_text
from osteolib.runs.notebooks import FOLDER, read_notebook
from osteolib.runs.parameters import ParameterError, injected_names, resolve
from osteolib.runs.paths import ROOT, digest, write_atomic

BOOK = "OSTEO_BOOK"
"""Set by the Snakefile alone: this run fills the folder that the book reads."""

RESULT_COLUMNS = (
    "published_id", "metric", "value", "ci_low", "ci_high", "n", "cohort", "kind", "profile", "seed", "config_hash",
)  # fmt: skip
PREDICTION_COLUMNS = (
    "cohort", "subject_id", "image_id", "unit_id", "split", "fold", "seed", "method", "target", "y_true", "y_score",
)  # fmt: skip
VERSIONS = (
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "statsmodels",
    "matplotlib",
    "papermill",
    "torch",
    "torchvision",
)


@dataclass
class Run:
    """What :func:`start` returns: the notebook's parameters, and the methods that record its results.

    Every record goes to ``folder`` at once and atomically: ``results.csv`` (rows that join the published values),
    ``facts.json`` (numbers that prose quotes), ``predictions.csv``, ``run.json`` (configuration, versions, device,
    time).
    """

    notebook: str
    parameters: dict[str, Any]
    folder: Path
    in_book: bool
    cohorts: dict[str, dict] = field(default_factory=dict)
    rows: list[dict] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    @property
    def config_hash(self) -> str:
        """Names the configuration: notebook and parameters."""
        return digest({"notebook": self.notebook, "parameters": self.parameters})

    def write(self, name: str, content: str | bytes) -> Path:
        """Write one file of the results folder, atomically."""
        return write_atomic(self.folder / name, content)

    def uses(self, name: str, kind: str, fingerprint: str) -> None:
        """Record that this run read a cohort; ``kind`` is ``real`` or ``phantom``."""
        known = self.cohorts.setdefault(name, {"kind": kind, "fingerprints": []})
        if fingerprint not in known["fingerprints"]:  # a page may load a cohort with several options
            known["fingerprints"].append(fingerprint)

    def result(
        self,
        published_id: str | None,
        metric: str,
        value: float,
        *,
        n: int,
        cohort: str,
        ci: tuple[float, float] | None = None,
    ) -> None:
        """Record one result row; ``published_id`` is the published value it answers, or ``None``.

        Raises
        ------
        ValueError
            The cohort was not recorded with :meth:`uses`, or the interval does not hold the value's order.
        """
        if cohort not in self.cohorts:
            raise ValueError(f"cohort {cohort!r} was not loaded in this run: known are {sorted(self.cohorts)}")
        low, high = ci if ci is not None else (np.nan, np.nan)
        if low > high:
            raise ValueError(f"{metric}: the interval ({low}, {high}) is upside down")
        self.rows.append(
            dict(zip(RESULT_COLUMNS, (
                published_id, metric, float(value), float(low), float(high), int(n), cohort,
                self.cohorts[cohort]["kind"], self.parameters["profile"], self.parameters["seed"], self.config_hash,
            ), strict=True))
        )  # fmt: skip
        self.write("results.csv", csv_text(pd.DataFrame(self.rows, columns=RESULT_COLUMNS)))

    def fact(self, **values: float | int | str) -> None:
        """Record numbers that prose quotes, by name; plain Python numbers and text only."""
        for name, value in values.items():
            plain = value.item() if isinstance(value, np.generic) else value
            if not isinstance(plain, bool | int | float | str):
                raise ValueError(f"fact {name!r} must be a plain number or text, got {type(value).__name__}")
            self.facts[name] = plain
        self.write("facts.json", json.dumps(self.facts, indent=1, ensure_ascii=False))

    def predictions(self, table: pd.DataFrame) -> None:
        """Record per-unit predictions, one row each, with exactly the columns of the contract."""
        if missing := sorted(set(PREDICTION_COLUMNS) ^ set(table.columns)):
            raise ValueError(f"predictions need exactly the columns {PREDICTION_COLUMNS}; these differ: {missing}")
        self.write("predictions.csv", csv_text(table[list(PREDICTION_COLUMNS)]))

    def finish(self) -> dict[str, Any]:
        """Record how the run was made and how long it took; the last cell of every notebook."""
        record = {
            "notebook": self.notebook,
            "parameters": self.parameters,
            "config_hash": self.config_hash,
            "cohorts": self.cohorts,
            "seconds": round(time.monotonic() - self._started, 1),
            "device": _device(),
            "python": platform.python_version(),
            "versions": {name: version(name) for name in VERSIONS},
        }
        self.write("run.json", json.dumps(record, indent=1, ensure_ascii=False, default=str))
        return record


def start(namespace: MutableMapping[str, Any], notebook: str) -> Run:
    """Begin a run: check the parameters, fill those left at ``None`` from the profile, seed, choose the folder.

    Parameters
    ----------
    namespace
        ``globals()`` of the notebook. Parameters that were ``None`` get the profile's value there.
    notebook
        Its file name without ``.ipynb``: nothing tells a kernel which notebook it runs.

    Raises
    ------
    ParameterError
        A name that the parameters cell does not declare, a wrong type, a value out of range, an unknown profile.
    """
    declared = read_notebook(FOLDER / f"{notebook}.ipynb").parameters
    given = {name: namespace[name] for name in declared if name in namespace}
    given |= {name: namespace.get(name) for name in injected_names(namespace.get("In", ()))}
    values = resolve(declared, given)
    namespace.update(values)
    random.seed(values["seed"])
    np.random.seed(values["seed"])  # for libraries that still draw from the global state; ours take a Generator
    build = ROOT / "build" / values["profile"]
    in_book = os.environ.get(BOOK) == "1"
    defaults = resolve(declared, {"profile": values["profile"]})
    if in_book and values != defaults:
        raise ParameterError("the book is built from the profile's own values: unset OSTEO_BOOK to run with others")
    name = digest({"notebook": notebook, "parameters": values})
    folder = build / "results" / notebook if in_book else build / "runs" / notebook / name
    if not in_book:
        print(f"results of this run: {folder.relative_to(ROOT)}")
    return Run(notebook, values, folder, in_book)


def read_results(folder: Path) -> dict[str, Any]:
    """What a run recorded, and where: ``facts``, ``rows`` (DataFrame), ``run``, ``folder``; empty where nothing is."""

    def load(name: str) -> Mapping[str, Any]:
        path = folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    table = folder / "results.csv"
    rows = pd.read_csv(table) if table.is_file() else pd.DataFrame(columns=RESULT_COLUMNS)
    return {"facts": load("facts.json"), "rows": rows, "run": load("run.json"), "folder": folder}


def _device() -> str:
    torch = sys.modules.get("torch")  # a page that did not import it did not compute on a GPU
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return f"CPU, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
