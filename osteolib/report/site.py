"""The book: pages and executed notebooks are put together in ``build/<profile>/site`` and rendered there.

Pages in ``book/`` quote numbers as ``{{ knee_people.n_films }}``: the name of a notebook without its number, and a fact
it recorded. They are filled here, so a number in prose is always the one that the run behind the page produced.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from osteolib.report import pages
from osteolib.report.parts import page_line
from osteolib.report.regenerated import regenerated_table
from osteolib.runs import ROOT, fingerprint, list_notebooks
from osteolib.runs.run import read_results

ABSENT = "*(not available: the data are not here)*"


class Absent(jinja2.Undefined):
    """A fact that no run recorded is said to be missing instead of being left blank."""

    def __str__(self) -> str:
        return ABSENT

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def site_hash() -> str:
    """Hash of all that the book is rendered from, executed notebooks apart."""
    parts = [fingerprint(["osteolib.report.site"], exclude=())]
    sources = [ROOT / "_config.yml", ROOT / "_toc.yml", *sorted((ROOT / "book").rglob("*"))]
    sources += sorted((ROOT / "data_manifests").rglob("*.yaml"))
    parts += [f"{p.relative_to(ROOT)}:{hashlib.sha256(p.read_bytes()).hexdigest()}" for p in sources if p.is_file()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def assemble(profile: str) -> Path:
    """Put the sources of the book together, from nothing; returns the folder."""
    build = ROOT / "build" / profile
    site = build / "site"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, site / name)
    shutil.copytree(ROOT / "book", site / "book")
    mathjax = Path(str(files("mathjax"))) / "static" / "mathjax" / "es5"
    vendor = site / "vendor" / "mathjax"  # not under _static: Jupyter Book loads every script it finds there
    shutil.copytree(mathjax / "output" / "chtml", vendor / "output" / "chtml")
    shutil.copy(mathjax / "tex-mml-chtml.js", vendor)
    (site / "notebooks").mkdir()
    for notebook in list_notebooks():
        executed = build / "notebooks" / f"{notebook.name}.ipynb"
        page = for_reading(json.loads(executed.read_text(encoding="utf-8")))
        (site / "notebooks" / executed.name).write_text(json.dumps(page), encoding="utf-8")
    recorded = {n.name: read_results(build / "results" / n.name) for n in list_notebooks()}
    pages.whole_scorecard(recorded).to_csv(site / "book" / "scorecard.csv", index=False)
    fill = renderer(recorded)
    for page in site.glob("book/**/*.md"):
        page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")
    return site


def renderer(recorded: Mapping[str, Mapping[str, Any]]) -> Callable[[str], str]:
    """A function that fills the ``{{ ... }}`` of a page with facts and tables of the recorded runs, by notebook."""
    context: dict[str, Any] = {name.split("_", 1)[1]: results["facts"] for name, results in recorded.items()}
    context |= pages.tables(recorded) | {"page": page_line, "regenerated": regenerated_table}
    environment = jinja2.Environment(undefined=Absent, keep_trailing_newline=True)
    environment.filters["num"] = lambda value, digits=2: (
        ABSENT if isinstance(value, Absent) else f"{value:,.{digits}f}".replace("-", "−")
    )
    return lambda text: environment.from_string(text).render(context)


def for_reading(notebook: dict) -> dict:
    """An executed notebook as a page: injected parameters hidden, solutions folded, alternative texts on figures.

    A picture without alternative text is a half-drawn figure, which the kernel shows where a cell ends: it is left out.
    """
    for cell in notebook["cells"]:
        tags = cell["metadata"].setdefault("tags", [])
        if "injected-parameters" in tags:
            tags.append("remove-cell")
        if "solution" in tags:
            tags.append("hide-cell")
        outputs = cell.get("outputs", [])
        outputs[:] = [
            o for o in outputs if "image/png" not in o.get("data", {}) or "alt" in o["metadata"].get("image/png", {})
        ]
        for output in outputs:
            if alt := output.get("metadata", {}).get("image/png", {}).get("alt"):
                cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
        cell["metadata"].pop("papermill", None)
    notebook["metadata"].pop("papermill", None)
    return notebook


def build(profile: str) -> Path:
    """Assemble and render; a warning is an error. Returns the first page.

    Raises
    ------
    SystemExit
        Sphinx found something to complain about; its message is on standard error.
    """
    site = assemble(profile)
    command = ["build", str(site), "--all", "-W", "--keep-going", "-q"]
    done = subprocess.run([Path(sys.executable).with_name("jupyter-book"), *command], check=False)
    if done.returncode:
        raise SystemExit("the book has warnings, and they count as errors: see above")
    index = site / "_build" / "html" / "index.html"  # it only leads on; without an icon browsers ask for favicon.ico
    icon = '<link rel="icon" href="_static/favicon.svg">'
    index.write_text(icon + index.read_text(encoding="utf-8"), encoding="utf-8")
    return index


if __name__ == "__main__":
    print(build(sys.argv[1]))
