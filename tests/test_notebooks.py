"""Notebooks as they are shipped, and as people call them."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from osteolib.runs import ROOT, list_notebooks
from osteolib.runs.authoring import generate
from osteolib.runs.parameters import load_profile, resolve

SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def papermill(*args: str, cwd: Path) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if k not in ("OSTEO_DATA", "OSTEO_BOOK")}
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", *args]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_the_notebook_is_what_its_source_says(source):
    shipped = (ROOT / "notebooks" / f"{source.stem}.ipynb").read_text(encoding="utf-8")
    assert shipped == generate(source), "run `make notebooks`"


def test_no_notebook_lacks_a_source():
    assert [p.stem for p in NOTEBOOKS] == [p.stem for p in SOURCES]


def folded(cell) -> bool:
    return bool({"hide-input", "solution", "parameters"} & set(cell.metadata.get("tags", [])))


def lines_of_code(path: Path) -> int:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    lines = [line.strip() for cell in cells for line in cell.source.splitlines()]
    return sum(1 for line in lines if line and not line.startswith("#"))


def test_notebooks_are_short():
    lines = {path.stem: lines_of_code(path) for path in NOTEBOOKS}
    assert not {name: n for name, n in lines.items() if n > 125}
    assert sorted(lines.values())[len(lines) // 2] < 90


PLUMBING = {"figure", "table", "say", "provenance", "load_or_explain", "start", "result", "fact", "predictions", "uses"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_plumbing_is_folded_and_what_teaches_stands_open(path):
    """A cell that draws, tabulates, records, prints a sentence or only imports is one click away on the page."""
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    for cell in code:
        statements = ast.parse(cell.source).body
        calls = [node.func for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
        named = {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in calls}
        drawn = {name for name in named if name.startswith(("show_", "record_"))}
        plumbing = (
            named & PLUMBING or drawn or all(isinstance(node, ast.Import | ast.ImportFrom) for node in statements)
        )
        assert folded(cell) or not plumbing, f'fold this cell (tags=["hide-input"]) or split it:\n{cell.source}'
    assert any(not folded(cell) for cell in code), "something must stand open"


TIME_IT_TAKES = re.compile(r"\b(minutes?|seconds?) to run\b")


def said_by_code(source: str) -> list[str]:
    """The strings that ``say`` is given in a piece of Python."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    given = [arg for call in calls if getattr(call.func, "id", "") == "say" for arg in call.args]
    strings = [node.value for arg in given for node in ast.walk(arg) if isinstance(node, ast.Constant)]
    return [text for text in strings if isinstance(text, str)]


def sentences() -> list[tuple[str, str]]:
    """Page and sentence, of the notebooks, the book and the package; how long a page takes to run apart."""
    notebooks = {path.stem: nbformat.read(path, as_version=4).cells for path in NOTEBOOKS}
    prose = [(name, cell.source) for name, cells in notebooks.items() for cell in cells if cell.cell_type == "markdown"]
    prose += [(path.stem, path.read_text(encoding="utf-8")) for path in sorted((ROOT / "book").rglob("*.md"))]
    code = [(name, cell.source) for name, cells in notebooks.items() for cell in cells if cell.cell_type == "code"]
    code += [(path.stem, path.read_text(encoding="utf-8")) for path in (ROOT / "osteolib" / "report").glob("*.py")]
    prose += [(page, text) for page, source in code for text in said_by_code(source)]
    said = [(page, sentence) for page, text in prose for sentence in re.split(r"(?<=[.?!:])\s+|\n\n|\n\s*[-|] ?", text)]
    words = [(page, " ".join(re.findall(r"\w+", sentence.lower()))) for page, sentence in said if "$$" not in sentence]
    return [(page, line) for page, line in words if len(line.split()) >= 8 and not TIME_IT_TAKES.search(line)]


def test_no_sentence_stands_twice():
    pages: dict[str, list[str]] = {}
    for page, line in sentences():
        pages.setdefault(line, []).append(page)
    assert {"claims_page", "02_knee_shortcuts", "glossary"} <= {page for where in pages.values() for page in where}
    assert not {line: where for line, where in pages.items() if len(where) > 1}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_thin_and_complete(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(len(cell.source.splitlines()) <= (30 if folded(cell) else 15) for cell in code), "no cell over 15 lines"
    assert max(len(line) for cell in code for line in cell.source.splitlines()) <= 88  # what a page shows unscrolled
    assert not [cell for cell in code if cell.outputs or cell.execution_count]
    assert f'osteolib.start(globals(), "{path.stem}")' in "\n".join(cell.source for cell in code)
    solutions = [cell.source for cell in code if "solution" in cell.metadata.get("tags", [])]
    assert solutions
    assert all(s.strip().splitlines()[-1].startswith("assert ") for s in solutions), "a solution ends in an assertion"
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "Exercise" in prose
    assert "Take away" in prose or "Take away" in "\n".join(cell.source for cell in code)


@pytest.mark.parametrize("notebook", list_notebooks(), ids=lambda n: n.name)
def test_every_profile_gives_every_parameter_a_value(notebook):
    assert set(notebook.minutes) == {"smoke", "quick", "long", "paper"}
    for profile in notebook.minutes:
        values = resolve(notebook.parameters, {"profile": profile})
        assert None not in values.values()
        taken = {k: v for k, v in load_profile(profile).items() if k in values}
        assert {k: values[k] for k in taken} == taken


def test_an_unknown_parameter_fails_with_one_clear_line(tmp_path):
    notebook = ROOT / "notebooks" / "02_knee_shortcuts.ipynb"
    done = papermill(str(notebook), "out.ipynb", "-p", "epocs", "4", cwd=tmp_path)
    assert done.returncode == 1
    last = [line for line in done.stderr.splitlines() if line.strip()][-1]
    assert last.startswith("ParameterError: unknown parameter 'epocs'")
    failed = json.loads((tmp_path / "out.ipynb").read_text())
    errors = [o for c in failed["cells"] for o in c.get("outputs", []) if o["output_type"] == "error"]
    assert [len(e["traceback"]) for e in errors] == [1]


def test_without_its_data_a_run_by_hand_fails_and_says_what_is_missing(tmp_path):
    notebook = str(ROOT / "notebooks" / "03_two_measurements.ipynb")
    by_hand = papermill(notebook, "hand.ipynb", "-p", "seed", "7", cwd=tmp_path)
    assert by_hand.returncode == 1
    assert "The data of nhanes-dxa are not here" in by_hand.stderr
    assert "OSTEO_DATA" in by_hand.stderr
