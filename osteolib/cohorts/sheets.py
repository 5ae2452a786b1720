"""A workbook as people keep it: the sheet that is meant, its cells, and what a reader would not see in it.

A sheet that is hidden is not read. What may hide another meaning is a :class:`Doubt` about cells: whoever uses them has
to refuse.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

MOST_BYTES, MOST_CELLS = 300_000_000, 2_000_000
"""Of a workbook, unpacked, and of one of its sheets."""

NO_VALUE = ("a formula without a stored value; open the file in a spreadsheet program and save it, or put the value in "
            "place of the formula")  # fmt: skip
TOO_LONG = "a number of which the spreadsheet keeps 15 digits; give the column the format of text and type it anew"


@dataclass(frozen=True)
class Doubt:
    """Cells that may not mean what they say: ``rows`` as a spreadsheet counts them (none: the whole column)."""

    rows: frozenset[int]
    columns: frozenset[int]  # from 0
    what: str


def read_rows(path: Path, sheet: str | None = None) -> tuple[list[list[Any]], list[Doubt]]:
    """The cells of one sheet, row by row from the first, and the doubts about them.

    Numbers whose format shows leading zeros come as text with them, errors as the text that is shown.

    Parameters
    ----------
    sheet
        Name of the sheet; without it the workbook must have one visible sheet that is not empty.

    Raises
    ------
    ValueError
        No workbook, a protected one, one that unpacks to more than 300 MB, or not one sheet that can be meant.
    """
    import openpyxl

    _check(path)
    with warnings.catch_warnings():  # of parts that openpyxl leaves out: charts, validation of input
        warnings.simplefilter("ignore")
        try:
            values = openpyxl.load_workbook(path, data_only=True)
            formulas = openpyxl.load_workbook(path)
        except Exception as error:  # openpyxl raises many kinds on a damaged file
            raise ValueError(f"the workbook is damaged ({type(error).__name__}): {error}; save it again") from None
    found = _meant(values.worksheets, sheet)
    rows = [[_shown(cell) for cell in row] for row in found.iter_rows(min_row=1, min_col=1)]
    return rows, list(_doubts(found, formulas[found.title]))


def _check(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(8)
    if head == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise ValueError("it is protected by a password, or an old workbook (.xls): save it as XLSX without password")
    try:
        with ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
    except (BadZipFile, OSError):
        raise ValueError("its content is no workbook: save it as XLSX, or give a CSV the ending .csv") from None
    if size > MOST_BYTES:
        raise ValueError(f"it unpacks to {size / 1e6:.0f} MB: delete sheets and empty rows that are not needed")


def _meant(sheets: list[Worksheet], name: str | None) -> Worksheet:
    if name is not None:
        found = [sheet for sheet in sheets if sheet.title == name]
        if not found:
            raise ValueError(f"there is no sheet {name!r}: it has {', '.join(repr(s.title) for s in sheets)}")
        return found[0]
    for sheet in sheets:
        if sheet.max_row * sheet.max_column > MOST_CELLS:
            size = f"{sheet.max_row:,} rows and {sheet.max_column:,} columns"
            raise ValueError(f"sheet {sheet.title!r} has {size}, more than a table of people: delete the empty ones")
    full = [sheet for sheet in sheets if any(cell.value is not None for row in sheet.iter_rows() for cell in row)]
    visible = [sheet for sheet in full if sheet.sheet_state == "visible"]
    if len(visible) > 1:
        names = ", ".join(repr(sheet.title) for sheet in visible)
        raise ValueError(f"the sheets {names} all hold cells: leave one, delete or hide the others")
    if not visible:
        hidden = f"; hidden: {', '.join(repr(sheet.title) for sheet in full)}, unhide the one that is meant"
        raise ValueError(f"no visible sheet holds a cell{hidden if full else ''}")
    return visible[0]


def _shown(cell: Any) -> Any:
    number, form = cell.value, str(cell.number_format)
    if len(form) > 1 and not form.strip("0") and isinstance(number, int | float) and number == int(number) >= 0:
        return str(int(number)).zfill(len(form))
    return number


def _doubts(sheet: Worksheet, formulas: Worksheet) -> Iterator[Doubt]:
    found: dict[tuple[int, str], list] = {}
    for row, cells in zip(formulas.iter_rows(), sheet.iter_rows(), strict=True):
        for formula, cell in zip(row, cells, strict=True):  # a formula that gave an empty text has the type of text
            if formula.data_type == "f" and cell.value is None and cell.data_type != "str":
                found.setdefault((cell.column - 1, NO_VALUE), []).append(cell)
            elif type(cell.value) in (int, float) and abs(cell.value) >= 1e15:
                found.setdefault((cell.column - 1, TOO_LONG), []).append(cell)
    for (column, what), cells in found.items():
        named = ", ".join(cell.coordinate for cell in cells[:5]) + (" ..." if len(cells) > 5 else "")
        rows = frozenset(cell.row for cell in cells)
        yield Doubt(rows, frozenset([column]), f"sheet {sheet.title!r}, {named}: {what}")
    for merged in sheet.merged_cells.ranges:
        rows = frozenset(range(merged.min_row, merged.max_row + 1))
        what = f"the cells {merged.coord} are merged; split them and fill in each"
        yield Doubt(rows, frozenset(range(merged.min_col - 1, merged.max_col)), what)
    for about in sheet.column_dimensions.values():
        if about.hidden:
            what = "the column is hidden; show it or delete it"
            yield Doubt(frozenset(), frozenset(range((about.min or 1) - 1, about.max or about.min or 1)), what)
    everywhere = frozenset(range(sheet.max_column))
    if hidden := frozenset(row for row, about in sheet.row_dimensions.items() if about.hidden and row <= sheet.max_row):
        yield Doubt(hidden, everywhere, "the row is hidden, perhaps by a filter; show it or delete it")
