"""The notebooks of the book: what each asks, takes, needs and costs, read from the notebook itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from osteolib.runs.fingerprint import dependencies, fingerprint
from osteolib.runs.parameters import Parameter, load_profile, read_parameters
from osteolib.runs.paths import ROOT, digest, file_sha256
from osteolib.runs.recorded import record_hash

FOLDER = ROOT / "notebooks"
READS = {
    "osteolib.report.published": "published/*.yaml",
    "osteolib.report.audits": "audits/*.yaml",
    "osteolib.screen.weights": "weights/*.yaml",
}
"""What the project's modules read from ``data_manifests/`` beside the cohorts that a notebook needs."""


@dataclass(frozen=True)
class Notebook:
    """One notebook under ``notebooks/``.

    ``needs`` names the cohorts it reads, ``records`` the recorded cells it shows, and ``after`` the notebooks whose
    results it reads or whose networks it looks at. ``trains`` is how many trainings it can have side by side: it is
    given that many cores, if there are as many, and no core to wait for.
    """

    name: str
    title: str
    parameters: dict[str, Parameter]
    minutes: dict[str, float]
    needs: tuple[str, ...]
    records: tuple[str, ...]
    after: tuple[str, ...]
    trains: int
    cells: tuple[tuple[str, str], ...]

    def fingerprint(self, profile: str) -> str:
        """Hash of all that decides what a run of this notebook shows, the data apart.

        Cells, profile values, the locked environment, the code imported and the manifests it reads. Unlike an artefact
        in the store, a page also depends on the code that draws it, so nothing is excluded but the command line.
        """
        code = "\n".join(source for kind, source in self.cells if kind == "code")
        modules = dependencies(code)
        manifests = (
            sorted((ROOT / "data_manifests").glob(read)) for module, read in READS.items() if module in modules
        )
        return digest(
            {
                "cells": self.cells,
                "profile": {name: value for name, value in load_profile(profile).items() if name in self.parameters},
                "records": [record_hash(name) for name in self.records],
                "manifests": {str(f.relative_to(ROOT)): file_sha256(f) for files in manifests for f in files},
                "lock": (ROOT / "requirements.txt").read_text(encoding="utf-8"),
                "code": fingerprint(modules, exclude=("osteolib.cli",)) if modules else "",
            }
        )


def read_notebook(path: Path) -> Notebook:
    """Parse one ``.ipynb``.

    Raises
    ------
    ValueError
        It has no parameters cell, or its metadata lack ``osteolib``.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    cells = [(c["cell_type"], "".join(c["source"])) for c in content["cells"]]
    tagged = ["".join(c["source"]) for c in content["cells"] if "parameters" in c["metadata"].get("tags", [])]
    if len(tagged) != 1:
        raise ValueError(f"{path.name}: exactly one cell must carry the tag 'parameters', found {len(tagged)}")
    facts = content["metadata"].get("osteolib")
    if facts is None:
        raise ValueError(
            f"{path.name}: its metadata lack `osteolib: {{minutes, needs}}`; add them to the source's header"
        )
    heading = next((s for kind, s in cells if kind == "markdown" and s.startswith("# ")), f"# {path.stem}")
    return Notebook(
        name=path.stem,
        title=heading.splitlines()[0].removeprefix("# "),
        parameters=read_parameters(tagged[0]),
        minutes=facts["minutes"],
        needs=tuple(facts.get("needs", ())),
        records=tuple(facts.get("records", ())),
        after=tuple(facts.get("after", ())),
        trains=facts.get("trains", 0),
        cells=tuple(cells),
    )


def list_notebooks(folder: Path = FOLDER) -> list[Notebook]:
    """Every notebook of the book, in the order of its number."""
    return [read_notebook(path) for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]
