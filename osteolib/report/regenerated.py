"""Where each table and figure of a paper is made again: ``book/regenerated.yaml`` as a table on the paper's page."""

from __future__ import annotations

from pathlib import Path

import yaml

from osteolib.runs import ROOT, list_notebooks

FILE = ROOT / "book" / "regenerated.yaml"


def load_regenerated(path: Path = FILE) -> dict[str, dict[str, dict]]:
    """Entries by paper, then by table or figure: ``what``, and either ``pages`` and ``from``, or ``why``.

    Raises
    ------
    ValueError
        An entry has other fields, or a page that the book lacks; it is named.
    """
    titles = {notebook.name for notebook in list_notebooks()}
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for paper, items in content.items():
        for item, entry in items.items():
            if set(entry) not in ({"what", "pages", "from"}, {"what", "why"}):
                raise ValueError(f"{path.name}, {paper}, {item}: give what, pages and from, or what and why; got "
                                 f"{', '.join(entry)}")  # fmt: skip
            if unknown := sorted(set(entry.get("pages", [])) - titles):
                raise ValueError(f"{path.name}, {paper}, {item}: the book has no page {unknown[0]}")
    return content


def regenerated_table(paper: str, path: Path = FILE) -> str:
    """A Markdown table for a page in ``book/papers``: item, what it is, links to pages, what ours is made of."""
    titles = {notebook.name: notebook.title for notebook in list_notebooks()}
    lines = ["| In the paper | What it is | Made again on | From |", "|---|---|---|---|"]
    for item, entry in load_regenerated(path)[paper].items():
        links = ", ".join(f"[{titles[name]}](../../notebooks/{name}.ipynb)" for name in entry.get("pages", []))
        lines.append(f"| {item} | {entry['what']} | {links or entry['why']} | {entry.get('from', '–')} |")
    return "\n".join(lines)
