"""A table from a file of any kind as one frame of text: where its headers are, and which rows a spreadsheet shows."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from osteolib.cohorts import sheets, text_tables
from osteolib.cohorts.values import cell_text


def read_table(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Read a CSV or XLSX file without interpreting it; the first row that is not blank has the headers.

    Returns
    -------
    Cells as text (missing where empty), headers as in the file (empty where there is none), and as index the row
    numbers a spreadsheet shows. ``attrs["doubts"]``: what :func:`tidy_table` refuses where a described column has it.

    Raises
    ------
    ValueError
        The file is not a table, or a row has more cells than there are headers.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            rows, doubts = sheets.read_rows(path, sheet)
        else:
            rows, doubts = text_tables.read_rows(path), []
        cells = [[cell_text(cell) for cell in row] for row in rows]
        top = next((position for position, row in enumerate(cells) if any(row)), None)
        if top is None:
            raise ValueError("it has no cells")
        if path.suffix.lower() != ".xlsx":
            _refuse_long_rows(cells, top)
    except (ValueError, KeyError, IndexError, OSError, csv.Error) as error:
        raise ValueError(f"{path.name} cannot be read as a table (CSV in UTF-8, or XLSX): {error}") from None
    width = max(len(row) for row in cells)
    filled = [row + [None] * (width - len(row)) for row in cells[top:]]
    headers = ["" if cell is None or cell.isspace() else str(cell) for cell in _pad(rows[top], width)]
    frame = pd.DataFrame(filled[1:], columns=headers, index=range(top + 2, top + len(filled) + 1), dtype=object)
    used = [position for position in range(width) if headers[position] or frame.iloc[:, position].notna().any()]
    frame = frame.iloc[:, used].dropna(how="all").astype("str")
    place = {position: number for number, position in enumerate(used)}
    frame.attrs["doubts"] = [(sorted(d.rows), [place[c] for c in sorted(d.columns) if c in place], d.what)
                             for d in doubts if not d.rows or max(d.rows) > top]  # fmt: skip
    frame.attrs["header"] = top + 1
    frame.attrs["letters"] = [column_letters(position) for position in used]
    return frame


def _refuse_long_rows(rows: list[list[str | None]], top: int) -> None:
    """A cell without a header may be the second half of a number with a decimal comma; ValueError names the rows."""
    width = max(position + 1 for position, cell in enumerate(rows[top]) if cell)
    below = {number: row for number, row in enumerate(rows[top + 1 :], top + 2) if any(row)}
    if long := [number for number, row in below.items() if any(row[width:]) or len(row) > len(rows[top])]:
        raise ValueError(f"{row_list(long)}: more cells than headers; is a decimal comma unquoted (write points), is "
                         f"row {top + 1} not the header (delete what is above it), or do the rows end with a delimiter "
                         "that the header lacks?")  # fmt: skip


def _pad(row: list[Any], width: int) -> list[Any]:
    return [None if cell is None or cell == "" else str(cell) for cell in row] + [None] * (width - len(row))


def column_letters(position: int) -> str:
    """A, B, ... Z, AA: how a spreadsheet calls the column at a position from 0."""
    letters = ""
    position += 1
    while position:
        position, letter = divmod(position - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def row_list(rows: Iterable[int]) -> str:
    """``row 3`` or ``rows 3, 4``: the first ten, as a message names them."""
    rows = list(rows)
    return f"{'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows[:10]))}{' ...' if len(rows) > 10 else ''}"
