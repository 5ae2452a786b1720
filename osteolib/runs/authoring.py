"""From ``notebooks/src/NN_name.py`` to ``notebooks/NN_name.ipynb``, and from there to the copies that students get.

The source is what people write and review; the notebook is generated, one way, and a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

from osteolib.runs.paths import ROOT, write_atomic

SOURCES = ROOT / "notebooks" / "src"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}  # papermill fails without `language`


def generate(source: Path) -> str:
    """The notebook of one jupytext ``py:percent`` source, as text: no outputs, cell ids by the cell's place."""
    import jupytext

    notebook = jupytext.read(source, fmt="py:percent")
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"{source.stem.replace('_', '-')}-{place:02d}"
    facts = notebook.metadata.get("osteolib", {})
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}, "osteolib": facts}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook) + "\n"


def write_notebooks(sources: Path = SOURCES) -> list[Path]:
    """Generate every notebook; a file whose content stays the same is not touched."""
    written = []
    for source in sorted(sources.glob("[0-9][0-9]_*.py")):
        path, text = sources.parent / f"{source.stem}.ipynb", generate(source)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            written.append(write_atomic(path, text))
    return written


def without_solutions(text: str) -> str:
    """The same notebook with every cell tagged ``solution`` replaced by an empty one to fill in."""
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if "solution" in cell.metadata.get("tags", []):
            cell.source = "# your answer\n"
            cell.metadata["tags"] = ["exercise"]
    return nbformat.writes(notebook) + "\n"


def write_exercises(notebooks: Path = SOURCES.parent, folder: Path = ROOT / "exercises") -> list[Path]:
    """Copies without solutions; a copy that somebody has worked in is never overwritten."""
    written = []
    for path in sorted(notebooks.glob("[0-9][0-9]_*.ipynb")):
        copy = folder / path.name
        if not copy.exists():
            written.append(write_atomic(copy, without_solutions(path.read_text(encoding="utf-8"))))
    return written
