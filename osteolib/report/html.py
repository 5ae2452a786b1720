"""Tables as HTML: escaped, captioned, readable by a screen reader, scrolling sideways instead of the page."""

from __future__ import annotations

import html

import pandas as pd


def html_table(table: pd.DataFrame, caption: str) -> str:
    """A table as plain HTML in a box that scrolls sideways; all text is escaped and the first column heads its row.

    The result holds no empty line, so it can stand in a Markdown page.
    """

    def cell(value: object, scope: str = "") -> str:
        text = "" if pd.isna(value) else html.escape(" ".join(str(value).split()))
        return f'<th scope="{scope}">{text}</th>' if scope else f"<td>{text}</td>"

    head = "".join(cell(name, "col") for name in table.columns)
    body = "\n".join(
        f"<tr>{cell(first, 'row')}{''.join(map(cell, rest))}</tr>" for first, *rest in table.itertuples(index=False)
    )
    label = html.escape(caption)
    tall = " tall" if len(table) > 16 else ""  # scrolls downwards too
    return (
        f'<div class="table-scroll{tall}" role="region" tabindex="0" aria-label="{label}">\n<table class="dataframe">\n'
        f"<caption>{label}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )
