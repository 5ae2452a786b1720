"""Tables as HTML: escaped, captioned, readable by a screen reader, scrolling sideways instead of the page."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from osteolib.runs.csv_text import csv_text

INTERVAL = re.compile(r"\([^ ()]+ to [^ ()]+\)")


def html_table(
    table: pd.DataFrame,
    caption: str,
    *,
    filters: Sequence[str] | None = None,
    group: str | None = None,
    chips: Collection[str] = (),
    links: str | None = None,
    folds: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """A table as plain HTML in a box that scrolls sideways; all text is escaped and the first column heads its row.

    The result holds no empty line, so it can stand in a Markdown page.

    Parameters
    ----------
    filters
        Makes the page's script add sorting, a search field and a choice for each of these columns; without the
        script the table is as it is.
    group
        A column that heads groups of rows instead of standing in each; rows must be in its order.
    chips
        Columns whose entries are few words (a verdict): each gets the class ``chip-<words-with-hyphens>``.
    links
        A column of addresses which the column before it links to.
    folds
        Under a column, others that open with a click on its text instead of standing beside it.
    """
    folds = folds or {}
    inside = [name for names in folds.values() for name in names]
    shown = [name for name in table.columns if name not in (group, links, *inside)]

    def opened(values: dict[str, object], names: Sequence[str]) -> str:
        told = [(n, values[n]) for n in names if str(values[n]) and not pd.isna(values[n])]
        return "".join(f"<dt>{html.escape(n)}</dt><dd>{html.escape(' '.join(str(v).split()))}</dd>" for n, v in told)

    def cell(name: str, value: object, address: object) -> str:
        text = "" if pd.isna(value) else html.escape(" ".join(str(value).split()))
        text = INTERVAL.sub(lambda found: found[0].replace(" ", "&#160;"), text)  # whole, on a narrow screen too
        if name in chips and text:
            text = f'<span class="chip chip-{text.lower().replace(" ", "-")}">{text}</span>'
        if text and not pd.isna(address):
            text = f'<a href="{html.escape(str(address))}">{text}</a>'
        if name == shown[0]:
            return f'<th scope="row">{text}</th>'
        width = "long" if len(str(value)) > 80 else "middling" if len(str(value)) > 20 else ""  # keeps rows low
        return f'<td class="{width}">{text}</td>' if width else f"<td>{text}</td>"

    linked = table.columns[table.columns.get_loc(links) - 1] if links else None

    def row(values: dict[str, object]) -> str:
        cells = [cell(name, values[name], values[links] if name == linked else None) for name in shown]
        for name, names in folds.items():
            text = html.escape(" ".join(str(values[name]).split()))
            details = f"<details><summary>{text}</summary><dl>{opened(values, names)}</dl></details>"
            cells[shown.index(name)] = f'<td class="middling">{details}</td>'
        return f"<tr>{''.join(cells)}</tr>"

    bodies = []
    for name, part in table.groupby(group, sort=False) if group else [("", table)]:
        head = f'<tr class="group"><th colspan="{len(shown)}" scope="rowgroup">{html.escape(str(name))}</th></tr>'
        rows = "\n".join(row(values) for values in part.to_dict("records"))
        bodies.append(f"<tbody>\n{head if group else ''}{rows}\n</tbody>")
    label = html.escape(caption)
    head = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in shown)
    tall = " tall" if len(table) > 24 else ""  # scrolls downwards too
    interactive = "" if filters is None else f' interactive" data-filters="{html.escape("|".join(filters))}'
    return (
        f'<div class="table-scroll{tall}" role="region" tabindex="0" aria-label="{label}">\n'
        f'<table class="dataframe{interactive}">\n<caption>{label}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n" + "\n".join(bodies) + "\n</table>\n</div>"
    )


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """A table of results as a reader wants it: an interval in one column, and headers in words.

    ``ci_low`` and ``ci_high`` become "95 % CI", ``null_low`` and ``null_high`` "by chance, 95 %", and any other pair
    ``x_low``, ``x_high`` "x, 95 % CI"; both ends get the decimals of the more exact one. Underscores become spaces.
    """
    shown = {}
    for name in table.columns:
        stem, _, end = str(name).rpartition("_")
        pair = f"{stem}_low", f"{stem}_high"
        if stem and end in ("low", "high") and all(side in table.columns for side in pair):
            header = {"ci": "95 % CI", "null": "by chance, 95 %"}.get(stem, f"{stem.replace('_', ' ')}, 95 % CI")
            shown[header] = [_interval(low, high) for low, high in zip(*(table[side] for side in pair), strict=True)]
        else:
            shown[str(name).replace("_", " ")] = table[name]
    return pd.DataFrame(shown, index=table.index)


def _interval(low: float, high: float) -> str:
    if pd.isna(low) or pd.isna(high):
        return ""
    digits = max(len(f"{end:.3f}".rstrip("0").partition(".")[2]) for end in (low, high))
    return f"{low:,.{digits}f} to {high:,.{digits}f}".replace("-", "−")


def with_download(table: pd.DataFrame, name: str, caption: str, folded: str = "", **options) -> str:
    """:func:`readable` as :func:`html_table`, and under it the table as ``name.csv``, so that no server is needed.

    ``folded`` is a line behind which both stand until a click.
    """
    address = f"data:text/csv;base64,{base64.b64encode(csv_text(table).encode()).decode()}"
    link = f'<p class="download"><a download="{name}.csv" href="{address}">Download as CSV</a></p>'
    body = f"{html_table(readable(table), caption, **options)}\n{link}"
    return f'<details class="fold"><summary>{html.escape(folded)}</summary>\n{body}\n</details>' if folded else body
