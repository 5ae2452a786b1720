"""Lines about notebooks for the opening pages of the book's parts and for the table of costs."""

from __future__ import annotations

import re

from osteolib.cohorts import load_manifest
from osteolib.runs import list_notebooks
from osteolib.runs.notebooks import Notebook


def page_line(name: str, profile: str = "quick") -> str:
    """One Markdown line on a page: its title as a link from ``book/parts``, its question, minutes and data.

    Raises
    ------
    ValueError
        No notebook has this name.
    """
    notebooks = {notebook.name: notebook for notebook in list_notebooks()}
    if name not in notebooks:
        raise ValueError(f"no page is called {name!r}")
    notebook = notebooks[name]
    real = [f"`{cohort}`" for cohort in notebook.needs if load_manifest(cohort).kind == "real"]
    data = ", ".join(real) or ("simulated" if notebook.needs else "none")
    link = f"[{notebook.title}](../../notebooks/{name}.ipynb)"
    return f"{link}. *{question(notebook)}* {in_minutes(notebook.minutes[profile])}; data: {data}."


def question(notebook: Notebook) -> str:
    """What the page asks: the line in italics under its title."""
    first = next(source for kind, source in notebook.cells if kind == "markdown")
    found = re.search(r"^\*(?!\*)(.+?)(?<!\*)\*$", first, flags=re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def in_minutes(minutes: float) -> str:
    """A time in words: minutes, or hours from two of them on."""
    if minutes >= 120:
        return f"{minutes / 60:.0f} hours"
    return "1 minute" if round(minutes) <= 1 else f"{minutes:.0f} minutes"
